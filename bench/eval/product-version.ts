import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Changes with what settles, judges and explains: what another version said is not said again. */
export async function productVersion(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of ['@headwater/store', '@headwater/analyzer']) {
    const folder = fileURLToPath(new URL('.', import.meta.resolve(name)))
    const files = (await readdir(folder, { recursive: true })).filter(
      (file) => /\.(ts|sql)$/.test(file) && !file.includes('test') && !file.includes('node_modules'),
    )
    for (const file of files.toSorted()) hash.update(file).update(await readFile(join(folder, file)))
  }
  return hash.digest('hex').slice(0, 12)
}
