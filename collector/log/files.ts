// What the log asks of the file system, and no more: a test puts a full disk or a dying process in its place.

import { constants } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

/** An open file, read and written at positions. */
export interface LogFile {
  /** Writes the parts one after the other in one call; resolves with the bytes written, which may be fewer. */
  writev(parts: readonly Uint8Array[], position: number): Promise<number>
  /** Fills `into` as far as the file goes. */
  read(into: Uint8Array, position: number): Promise<number>
  fdatasync(): Promise<void>
  truncate(bytes: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

/** `new` fails where a file is already; `change` and `replace` make one if need be. */
export type Access = 'read' | 'new' | 'change' | 'replace'

/** A lock that the kernel lets go of when its holder dies. */
export interface Lock {
  release(): void
}

export interface Files {
  open(path: string, access: Access): Promise<LogFile>
  /** Makes the directory and those above it, for the owner only. */
  makeDirectory(path: string): Promise<void>
  /** Names in a directory; none when it does not exist. */
  list(path: string): Promise<string[]>
  stat(path: string): Promise<{ bytes: number; changedMs: number }>
  remove(path: string): Promise<void>
  /** Makes the names in a directory survive a power cut. */
  syncDirectory(path: string): Promise<void>
  /** Undefined when another process, or this one, holds it. */
  lock(path: string): Promise<Lock | undefined>
}

const flagsOf: Readonly<Record<Access, number>> = {
  read: constants.O_RDONLY,
  new: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  change: constants.O_RDWR | constants.O_CREAT,
  replace: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
}

/** The file system itself. */
export const realFiles: Files = {
  async open(path, access) {
    const handle = await open(path, flagsOf[access], 0o600)
    return {
      writev: async (parts, position) => (await handle.writev([...parts], position)).bytesWritten,
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      fdatasync: () => handle.datasync(),
      truncate: (bytes) => handle.truncate(bytes),
      size: async () => (await handle.stat()).size,
      close: () => handle.close(),
    }
  },
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  async list(path) {
    try {
      return await readdir(path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  },
  async stat(path) {
    const { size, mtimeMs } = await stat(path)
    return { bytes: size, changedMs: mtimeMs }
  },
  async remove(path) {
    await rm(path, { force: true })
  },
  async syncDirectory(path) {
    const handle = await open(path, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  async lock(path) {
    await makeIfMissing(path)
    const database = new DatabaseSync(path, { timeout: 0 })
    try {
      // A journal on disk would need room there: a full disk must not keep a log from being opened.
      database.exec('PRAGMA journal_mode = MEMORY')
      database.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      const sqliteBusy = 5
      if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined
      throw new Error(`Cannot lock ${path}`, { cause: error })
    }
    return {
      release() {
        if (database.isOpen) database.close()
      },
    }
  },
}

/** For the owner only. A file that is there must not be opened: closing it again would let go of this process's locks. */
async function makeIfMissing(path: string): Promise<void> {
  try {
    const handle = await open(path, flagsOf.new, 0o600)
    await handle.close()
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** The code of a failed system call, such as `ENOSPC`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** Writes all parts: one call as a rule, more when the kernel takes them in pieces. */
export async function writeAll(file: LogFile, parts: readonly Uint8Array[], position: number): Promise<void> {
  let rest = parts.filter(({ length }) => length > 0)
  let at = position
  while (rest.length > 0) {
    let written = await file.writev(rest, at)
    if (written <= 0) throw new Error(`The file system took none of the bytes at ${at}`)
    at += written
    let whole = 0
    for (const { length } of rest) {
      if (length > written) break
      written -= length
      whole += 1
    }
    rest = rest.slice(whole)
    const [first] = rest
    if (first !== undefined && written > 0) rest[0] = first.subarray(written)
  }
}

/** Fills `into` from `position`; resolves with the bytes that there were. */
export async function readAll(file: LogFile, into: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const read = await file.read(into.subarray(filled), position + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}
