// Bytes that cannot be stored are kept for whoever wants to know why: damaged records as they are on disk, and rows that
// ClickHouse refuses together with its error. The oldest make room for new ones.

import { join } from 'node:path'
import { writeAll, type Files } from './files.ts'

/** Each refused row may make two small files: a directory of too many is a burden of its own. */
const filesMax = 10_000

/** The directory and its bound. */
export class Quarantine {
  readonly #files: Files
  readonly #path: string
  readonly #bytesMax: number
  readonly #onEvicted: (bytes: number) => void
  /** The bytes of each file, the oldest first. */
  readonly #kept = new Map<string, number>()
  #bytes = 0
  #last: Promise<unknown> = Promise.resolve()

  private constructor(files: Files, path: string, bytesMax: number, onEvicted: (bytes: number) => void) {
    this.#files = files
    this.#path = path
    this.#bytesMax = bytesMax
    this.#onEvicted = onEvicted
  }

  static async open(
    files: Files,
    path: string,
    { bytesMax, onEvicted }: { bytesMax: number; onEvicted: (bytes: number) => void },
  ): Promise<Quarantine> {
    const quarantine = new Quarantine(files, path, bytesMax, onEvicted)
    await files.makeDirectory(path)
    const found = []
    for (const name of await files.list(path)) found.push({ name, ...(await files.stat(join(path, name))) })
    for (const { name, bytes } of found.toSorted((a, b) => a.changedMs - b.changedMs)) quarantine.#note(name, bytes)
    return quarantine
  }

  get bytes(): number {
    return this.#bytes
  }

  has(name: string): boolean {
    return this.#kept.has(name)
  }

  /** Keeps the parts as one file; resolves with its name, or undefined when there is no room for it on the disk. */
  keep(
    name: string,
    bytes: number,
    parts: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<string | undefined> {
    const kept = this.#last.then(async () => {
      if (bytes > this.#bytesMax) return undefined
      await this.#forget(name)
      while (this.#bytes + bytes > this.#bytesMax || this.#kept.size >= filesMax) await this.#evictOldest()
      try {
        await this.#write(name, parts())
      } catch {
        // A full disk, or bytes that cannot be read: whoever asked counts them, and must not stand still for them.
        await this.#files.remove(join(this.#path, name)).catch(() => undefined)
        return undefined
      }
      this.#note(name, bytes)
      return name
    })
    this.#last = kept.catch(() => undefined)
    return kept
  }

  async #write(name: string, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const file = await this.#files.open(join(this.#path, name), 'replace')
    try {
      let at = 0
      for await (const part of parts) {
        await writeAll(file, [part], at)
        at += part.length
      }
    } finally {
      await file.close()
    }
  }

  #note(name: string, bytes: number): void {
    this.#kept.set(name, bytes)
    this.#bytes += bytes
  }

  async #evictOldest(): Promise<void> {
    for (const [name, bytes] of this.#kept) {
      await this.#forget(name)
      this.#onEvicted(bytes)
      return
    }
  }

  /** A crash may bring the same bytes again under the same name: they count once. */
  async #forget(name: string): Promise<void> {
    const bytes = this.#kept.get(name)
    if (bytes === undefined) return
    await this.#files.remove(join(this.#path, name)).catch(() => undefined)
    this.#kept.delete(name)
    this.#bytes -= bytes
  }
}
