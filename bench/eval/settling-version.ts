import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

/** Changes whenever other facts would be made of the same spans. */
export async function settlingVersion(version: string): Promise<string> {
  const hash = createHash('sha256').update(version)
  const storePackage = new URL('.', import.meta.resolve('@headwater/store'))
  for (const folder of ['settle/', 'schema/clickhouse/']) {
    const files = (await readdir(new URL(folder, storePackage))).toSorted()
    for (const file of files) hash.update(await readFile(new URL(`${folder}${file}`, storePackage)))
  }
  return hash.digest('hex').slice(0, 12)
}
