// One process owns a data directory; the others find it through `run.json` and attach to its engines. The kernel holds
// the lock (SQLite asks it to) and lets go the moment the owner dies, however it dies: there is never a stale lock to
// tell from a live one, nor a process ID to mistake for another's.

import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

const runFileSchema = z.object({
  pid: z.int().positive(),
  otlpUrl: z.url().optional(),
  apiUrl: z.url().optional(),
  clickhouseUrl: z.url(),
  databaseUrl: z.url(),
})

/** What the owner tells those who attach. The database URLs bear user and password. */
export type RunFile = z.infer<typeof runFileSchema>

/** Another process owns the directory. The message names it, where it answers, and what to do. */
export class DataDirectoryInUseError extends Error {
  override name = 'DataDirectoryInUseError'
  readonly pid: number | undefined

  constructor(path: string, owner: { pid: number | undefined; apiUrl: string | undefined }) {
    const who = owner.pid === undefined ? 'another process' : `process ${owner.pid}`
    const where = owner.apiUrl === undefined ? '' : ` (${owner.apiUrl})`
    super(
      `Cannot use the data directory ${path}: ${who}${where} already runs there. ` +
        'Use that one, stop it, or set HEADWATER_DATA to another directory',
    )
    this.pid = owner.pid
  }
}

/** An owned directory. */
export interface DataDirectory {
  path: string
  /** Tells those who attach where to; readable by the owner only, and never half written. */
  writeRunFile(content: RunFile): void
  /** Removes `run.json` and lets the next owner in. */
  release(): void
}

/** Long enough for someone's short look at the lock to end. */
const lockWaitMs = 250
const sqliteBusy = 5

const runFileOf = (path: string) => join(path, 'run.json')
const lockFileOf = (path: string) => join(path, 'lock')
const ownerFileOf = (path: string) => join(path, 'owner.pid')

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
}

function writeWhole(path: string, content: string): void {
  const unfinished = `${path}.${process.pid}.new`
  writeFileSync(unfinished, content, { mode: 0o600 })
  renameSync(unfinished, path)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`Cannot read ${path}`, { cause: error })
  }
}

/** Makes the directory if need be and takes it, or throws `DataDirectoryInUseError`. */
export function openDataDirectory(directory: string): DataDirectory {
  const path = resolve(directory)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Error(`Cannot make the data directory ${path}: set HEADWATER_DATA to one that this user may write`, {
      cause,
    })
  }
  const lock = new DatabaseSync(lockFileOf(path), { timeout: lockWaitMs })
  try {
    // A journal on disk would need room there, which a full disk does not have.
    lock.exec('PRAGMA journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw new Error(`Cannot lock the data directory ${path}`, { cause: error })
    const pid = Number(readIfThere(ownerFileOf(path)))
    throw new DataDirectoryInUseError(path, { pid: pid > 0 ? pid : undefined, apiUrl: parseRunFile(path)?.apiUrl })
  }
  chmodSync(lockFileOf(path), 0o600)
  rmSync(runFileOf(path), { force: true })
  writeWhole(ownerFileOf(path), String(process.pid))
  let held = true
  return {
    path,
    writeRunFile(content) {
      writeWhole(runFileOf(path), `${JSON.stringify(runFileSchema.parse(content), null, 2)}\n`)
    },
    release() {
      if (!held) return
      held = false
      rmSync(runFileOf(path), { force: true })
      rmSync(ownerFileOf(path), { force: true })
      lock.close()
    },
  }
}

/** Where to attach: `run.json` of the process that owns the directory now, or undefined when none does. */
export function readRunFile(directory: string): RunFile | undefined {
  const path = resolve(directory)
  return isOwned(path) ? parseRunFile(path) : undefined
}

function parseRunFile(path: string): RunFile | undefined {
  const text = readIfThere(runFileOf(path))
  if (text === undefined) return undefined
  try {
    return runFileSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new Error(`Cannot understand ${runFileOf(path)}: remove it, the process that owns it writes it anew`, {
      cause,
    })
  }
}

/** A reader's lock is refused as long as an owner holds its own. */
function isOwned(path: string): boolean {
  if (readIfThere(lockFileOf(path)) === undefined) return false
  const lock = new DatabaseSync(lockFileOf(path), { readOnly: true })
  try {
    lock.exec('SELECT 1 FROM sqlite_schema')
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw new Error(`Cannot look at the lock of the data directory ${path}`, { cause: error })
  } finally {
    lock.close()
  }
}
