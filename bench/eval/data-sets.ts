import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where archives are unpacked, outside of the project. */
function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headwater', 'eval')
}

/** Where a run that was stopped finds what it has scored already. */
export function resumeFolder(): string {
  return join(cacheFolder(), 'resume')
}

/** Why a data set cannot be scored from here; `undefined` where it is there. */
export async function missingDataSet(dataFolder: string, name: string): Promise<string | undefined> {
  return await placeOf(dataFolder, name).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

/**
 * The folder with the contents of `NAME-dev.tar.xz` (or another part, `NAME-*.tar.xz`) of `dataFolder`, or the folder NAME itself
 * where the set lies unpacked. Throws an error that says what is missing.
 */
export async function dataSet(dataFolder: string, name: string): Promise<string> {
  const { path, isArchive } = await placeOf(dataFolder, name)
  if (!isArchive) return path
  const { size, mtimeMs } = await stat(path)
  const version = createHash('sha256').update(`${path}\n${size}\n${mtimeMs}`).digest('hex').slice(0, 12)
  const target = join(cacheFolder(), `${name}-${version}`)
  if (!(await exists(target))) {
    const half = `${target}.${process.pid}`
    await mkdir(half, { recursive: true })
    try {
      await run('tar', ['-xJf', path, '-C', half, '--strip-components=1'])
      await rename(half, target)
    } finally {
      await rm(half, { recursive: true, force: true })
    }
  }
  return target
}

/** Where a set lies, as a folder or an archive. */
async function placeOf(dataFolder: string, name: string): Promise<{ path: string; isArchive: boolean }> {
  const entries = await readdir(dataFolder).catch(() => {
    throw new Error(`There is no folder ${dataFolder}: give --data the folder of the data sets`)
  })
  if (entries.includes(name)) return { path: join(dataFolder, name), isArchive: false }
  const archive = entries.find((entry) => entry.startsWith(name) && entry.endsWith('.tar.xz'))
  if (archive === undefined) {
    throw new Error(
      `There is neither ${name}/ nor ${name}*.tar.xz in ${dataFolder}: give --data the folder of the data sets`,
    )
  }
  return { path: join(dataFolder, archive), isArchive: true }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
