import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { realFiles, type Files, type Lock, type LogFile } from './files.ts'

/** A directory that goes when the test ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'headwater-log-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

type Call = 'writev' | 'fdatasync' | 'truncate' | 'read'

/** The real file system as one process sees it: calls may fail, writes may break off, and the process may die. */
export class TestDisk {
  readonly files: Files
  readonly calls: Record<Call, number> = { writev: 0, fdatasync: 0, truncate: 0, read: 0 }
  readonly #failures: { call: Call; path: RegExp; code: string; bytesFirst: number }[] = []
  readonly #locks = new Set<Lock>()
  readonly #open = new Set<LogFile>()
  readonly #running = new Set<Promise<unknown>>()
  #isDead = false

  constructor() {
    onTestFinished(() => this.crash())
    this.files = {
      open: (path, access) => this.#run(async () => this.#watch(path, await realFiles.open(path, access))),
      makeDirectory: (path) => this.#run(() => realFiles.makeDirectory(path)),
      list: (path) => this.#run(() => realFiles.list(path)),
      stat: (path) => this.#run(() => realFiles.stat(path)),
      remove: (path) => this.#run(() => realFiles.remove(path)),
      syncDirectory: (path) => this.#run(() => realFiles.syncDirectory(path)),
      lock: (path) =>
        this.#run(async () => {
          const lock = await realFiles.lock(path)
          if (lock !== undefined) this.#locks.add(lock)
          return lock
        }),
    }
  }

  get isBusy(): boolean {
    return this.#running.size > 0
  }

  /** The next such call on such a file fails; a write may have got so far before. */
  failNext(call: Call, { path = /\.log$/, code = 'EIO', bytesFirst = 0 } = {}): void {
    this.#failures.push({ call, path, code, bytesFirst })
  }

  /** What has not failed yet will not. */
  heal(): void {
    this.#failures.length = 0
  }

  /** As `kill -9`: what the kernel has begun ends, and nothing begins any more. */
  async crash(): Promise<void> {
    this.#isDead = true
    await Promise.allSettled(this.#running)
    await Promise.allSettled([...this.#open].map((file) => file.close()))
    for (const lock of this.#locks) lock.release()
  }

  async #run<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#isDead) return new Promise<Result>(() => undefined)
    const running = call()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  #watch(path: string, file: LogFile): LogFile {
    this.#open.add(file)
    const fails = (call: Call) => {
      this.calls[call] += 1
      const index = this.#failures.findIndex((failure) => failure.call === call && failure.path.test(path))
      return index === -1 ? undefined : this.#failures.splice(index, 1)[0]
    }
    const failed = (code: string) => Object.assign(new Error(`${code}: made up`), { code })
    return {
      writev: (parts, position) =>
        this.#run(async () => {
          const failure = fails('writev')
          if (failure === undefined) return file.writev(parts, position)
          if (failure.bytesFirst > 0) {
            await file.writev([Buffer.concat(parts).subarray(0, failure.bytesFirst)], position)
          }
          throw failed(failure.code)
        }),
      read: (into, position) =>
        this.#run(async () => {
          const failure = fails('read')
          if (failure !== undefined) throw failed(failure.code)
          return file.read(into, position)
        }),
      fdatasync: () =>
        this.#run(async () => {
          const failure = fails('fdatasync')
          if (failure !== undefined) throw failed(failure.code)
        }),
      truncate: (bytes) =>
        this.#run(async () => {
          const failure = fails('truncate')
          if (failure !== undefined) throw failed(failure.code)
          await file.truncate(bytes)
        }),
      size: () => this.#run(() => file.size()),
      close: () =>
        this.#run(async () => {
          this.#open.delete(file)
          await file.close()
        }),
    }
  }
}

/** A file in memory. */
export function memoryFile(bytes: Uint8Array): LogFile {
  return {
    read: async (into, position) => {
      const part = bytes.subarray(position, position + into.length)
      into.set(part)
      return part.length
    },
    size: async () => bytes.length,
    writev: () => Promise.reject(new Error('read only')),
    truncate: () => Promise.reject(new Error('read only')),
    fdatasync: async () => undefined,
    close: async () => undefined,
  }
}
