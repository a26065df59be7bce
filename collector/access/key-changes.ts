// Keys are added and removed by several people and programs. The lock is the kernel's (SQLite asks for it), so a process that
// dies with it leaves nothing stale behind, only an empty file that stays. Collectors, which only read, need no lock.

import { randomBytes } from 'node:crypto'
import { closeSync, openSync, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type ApiKey, createApiKey } from './api-key.ts'
import { type IngestKey, keysMax, type KeyFile, readKeyFile, writeKeyFile } from './key-file.ts'
import type { NewKey } from './new-key.ts'

/** Makes a key and keeps its digest in the file, which is made if it is missing. Only the answer bears the secret. */
export function addKey(
  path: string,
  wanted: NewKey,
  { nowMs, random = randomBytes }: { nowMs: number; random?: (bytes: number) => Buffer },
): { secret: string; key: IngestKey } {
  return changeKeyFile(path, (file = { keys: [] }, realPath) => {
    if (file.keys.length >= keysMax) {
      throw new Error(
        `Cannot add a key to ${realPath}: it has ${file.keys.length}, at most ${keysMax} may be there; ` +
          'remove some with `headwater keys remove ID`',
      )
    }
    const made = unusedKey(file, random)
    const added = withKey(file, made, { ...wanted, nowMs })
    return { file: added.file, answer: { secret: made.secret, key: added.key } }
  })
}

/** Takes a key out of the file: its sender is refused once collectors have read the file anew. */
export function removeKey(path: string, id: string): { removed: IngestKey; left: number } {
  return changeKeyFile(path, (file, realPath) => {
    // Reading says better than we could that there is no file.
    const { keys } = file ?? readKeyFile(realPath)
    const removed = keys.find((key) => key.id === id)
    if (removed === undefined)
      throw new Error(`Cannot remove "${id}": ${realPath} has no such key; see \`headwater keys list\` for the IDs`)
    const left = keys.filter((key) => key !== removed)
    return { file: { keys: left }, answer: { removed, left: left.length } }
  })
}

function unusedKey({ keys }: KeyFile, random: (bytes: number) => Buffer): ApiKey {
  const made = createApiKey(random)
  return keys.some(({ id }) => id === made.id) ? unusedKey({ keys }, random) : made
}

function withKey(
  { keys }: KeyFile,
  { id, digest }: ApiKey,
  { name, recordsPerSecond, notAfterMs, nowMs }: NewKey & { nowMs: number },
): { file: KeyFile; key: IngestKey } {
  const rate = recordsPerSecond ?? keys.find((key) => key.name === name)?.recordsPerSecond
  const limit = rate === undefined ? {} : { recordsPerSecond: rate }
  const end = notAfterMs === undefined ? {} : { notAfterMs }
  const key: IngestKey = { name, id, digest, createdAtMs: nowMs, ...end, ...limit }
  return { file: { keys: [...keys.map((other) => (other.name === name ? { ...other, ...limit } : other)), key] }, key }
}

/** A change takes milliseconds. */
const lockWaitMs = 5_000
const sqliteBusy = 5

/** Lets one change at a time read the file and write it. */
function changeKeyFile<T>(
  path: string,
  change: (file: KeyFile | undefined, realPath: string) => { file: KeyFile; answer: T },
): T {
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined
  // What a link points at is changed, not the link.
  const realPath = isThere ? realpathSync(path) : resolve(path)
  const unlock = lock(realPath)
  try {
    const before = statSync(realPath, { throwIfNoEntry: false }) === undefined ? undefined : readKeyFile(realPath)
    const { file, answer } = change(before, realPath)
    writeKeyFile(realPath, file)
    return answer
  } finally {
    unlock()
  }
}

function lock(path: string): () => void {
  const lockFile = `${path}.lock`
  let database: DatabaseSync | undefined
  try {
    closeSync(openSync(lockFile, 'a', 0o600))
    database = new DatabaseSync(lockFile, { timeout: lockWaitMs })
    // A journal on disk would need room there, which a full disk does not have.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database?.close()
    const isBusy = cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy
    const mend = isBusy
      ? `another process has held ${lockFile} for ${lockWaitMs} ms; try again when it is done`
      : 'name a file in a folder that is there and that this user may write'
    throw new Error(`Cannot change the keys in ${path}: ${mend}`, { cause })
  }
  const held = database
  return () => held.close()
}
