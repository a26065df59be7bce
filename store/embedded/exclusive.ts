// Two processes on one directory would destroy it. The kernel holds the lock for us (SQLite asks it to) and lets go the
// moment the holder dies, however it dies: there is nothing stale to tell from something live.

import { DatabaseSync } from 'node:sqlite'

/** Holds `path` for this process until released or dead; undefined when another process holds it for `waitMs`. */
export function holdExclusively(path: string, waitMs: number): { release(): void } | undefined {
  const database = new DatabaseSync(path, { timeout: waitMs })
  try {
    // A journal on disk would need room there, which a full disk does not have.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    const sqliteBusy = 5
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined
    throw new Error(`Cannot lock ${path}`, { cause: error })
  }
  return { release: () => database.close() }
}
