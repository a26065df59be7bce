import { join } from 'node:path'
import { writeAll, type Files, type LogFile } from './files.ts'

/** `00000042.log` in the log's directory. */
export function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(8, '0')}.log`)
}

/** The numbers of the segments among the names of a directory, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .filter((name) => /^\d{8,}\.log$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .toSorted((a, b) => a - b)
}

/**
 * What became of a group of records. Those that were not written are either cut off again, so that the next may take
 * their place, or left behind, so that the segment takes no more and whoever reads it has to know.
 */
export type Written = { kind: 'written' } | { kind: 'cut'; cause: unknown } | { kind: 'left'; cause: unknown }

/** A segment that is being written: its file, and where its good bytes end. */
export class Segment {
  readonly number: number
  readonly #file: LogFile
  #bytes = 0

  private constructor(number: number, file: LogFile) {
    this.number = number
    this.#file = file
  }

  static async make(files: Files, directory: string, number: number): Promise<Segment> {
    return new Segment(number, await files.open(segmentPath(directory, number), 'new'))
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Writes the records behind the others and, if they are to be durable, waits for the disk. */
  async append(
    parts: readonly Uint8Array[],
    { bytes, durable }: { bytes: number; durable: boolean },
  ): Promise<Written> {
    try {
      await writeAll(this.#file, parts, this.#bytes)
    } catch (cause) {
      return { kind: (await this.#cutBack()) ? 'cut' : 'left', cause }
    }
    try {
      if (durable) await this.#file.fdatasync()
    } catch (cause) {
      // The kernel may have dropped what it could not write and call the file clean: asking again proves nothing.
      await this.#cutBack()
      return { kind: 'left', cause }
    }
    this.#bytes += bytes
    return { kind: 'written' }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #cutBack(): Promise<boolean> {
    try {
      await this.#file.truncate(this.#bytes)
      return true
    } catch {
      return false
    }
  }
}
