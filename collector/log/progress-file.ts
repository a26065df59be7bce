// Progress is overwritten in place, in two slots in turn, in a file that has its full size from the start: a full disk
// cannot stop it, and a write that breaks off leaves the other slot. The newer good one counts.

import { crc32 } from 'node:zlib'
import { readAll, writeAll, type Files, type LogFile } from './files.ts'
import { progressSchema, type ProgressContent } from './progress.ts'

/** Room for ten thousand gaps in what is done; the drain makes a few hundred, scattered damage may make more. */
const slotBytes = 256 * 1024
const headBytes = 24
const magic = 0x48_57_4c_50

/** Owns the file. Saves that come while one runs go out together in the next. */
export class ProgressFile {
  readonly #file: LogFile
  readonly #content: () => ProgressContent
  readonly #durable: boolean
  #generation: number
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(
    file: LogFile,
    { content, durable, generation }: { content: () => ProgressContent; durable: boolean; generation: number },
  ) {
    this.#file = file
    this.#content = content
    this.#durable = durable
    this.#generation = generation
  }

  /** Resolves when the progress of this moment, or a later one, is written. */
  save(): Promise<void> {
    this.#next ??= this.#last
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#write()
      })
    this.#last = this.#next
    return this.#next
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined)
    await this.#file.close()
  }

  async #write(): Promise<void> {
    const generation = this.#generation + 1
    const slot = encodeSlot(generation, this.#content())
    // A save that fails is tried again in the same slot, whole: the other one stays good.
    await writeAll(this.#file, [slot], (generation % 2) * slotBytes)
    if (this.#durable) await this.#file.fdatasync()
    this.#generation = generation
  }
}

/** What the file holds: nothing when it is new, or when both slots are bad. */
export interface SavedProgress {
  content: ProgressContent | undefined
  generation: number
}

/** Opens the file, at its full size, and reads the newer good slot. */
export async function openProgressFile(files: Files, path: string): Promise<{ file: LogFile; saved: SavedProgress }> {
  const file = await files.open(path, 'change')
  try {
    const bytes = Buffer.alloc(2 * slotBytes)
    const length = await readAll(file, bytes, 0)
    if (length < bytes.length) {
      await writeAll(file, [bytes.subarray(length)], length)
      await file.fdatasync()
    }
    const slots = [bytes.subarray(0, slotBytes), bytes.subarray(slotBytes)].flatMap((slot) => decodeSlot(slot) ?? [])
    const saved = slots.toSorted((a, b) => b.generation - a.generation)[0]
    return { file, saved: saved ?? { content: undefined, generation: 0 } }
  } catch (error) {
    await file.close()
    throw error
  }
}

function encodeSlot(generation: number, content: ProgressContent): Buffer {
  const body = Buffer.from(JSON.stringify(content))
  if (body.length > slotBytes - headBytes) {
    throw new Error(`Cannot save progress of ${body.length} bytes: a slot has ${slotBytes - headBytes}`)
  }
  const slot = Buffer.alloc(headBytes + body.length)
  slot.writeUInt32BE(magic, 0)
  slot.writeBigUInt64LE(BigInt(generation), 4)
  slot.writeUInt32LE(body.length, 12)
  slot.writeUInt32LE(crc32(body), 16)
  slot.writeUInt32LE(crc32(slot.subarray(0, 20)), 20)
  slot.set(body, headBytes)
  return slot
}

function decodeSlot(slot: Buffer): SavedProgress | undefined {
  if (slot.readUInt32BE(0) !== magic || slot.readUInt32LE(20) !== crc32(slot.subarray(0, 20))) return undefined
  const body = slot.subarray(headBytes, headBytes + slot.readUInt32LE(12))
  if (slot.readUInt32LE(16) !== crc32(body)) return undefined
  const { data, error } = progressSchema.safeParse(JSON.parse(body.toString()))
  if (data === undefined) {
    const message = 'Cannot understand the progress of this log: another version wrote it; let that one drain it first'
    throw new Error(message, { cause: error })
  }
  return { content: data, generation: Number(slot.readBigUInt64LE(4)) }
}
