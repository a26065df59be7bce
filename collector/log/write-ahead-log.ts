// Blocks of rows wait here, on disk, until ClickHouse has them. Appends that come while the disk is busy go out together
// when it is free, with one write and at most one sync. A segment goes when all its blocks are done.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DamagedRecord, LogBroken, LogFull } from './errors.ts'
import { codeOf, readAll, realFiles, type Files, type LogFile } from './files.ts'
import { readIdentity } from './identity.ts'
import { ProgressFile, openProgressFile } from './progress-file.ts'
import { Progress, type Batch } from './progress.ts'
import { Quarantine } from './quarantine.ts'
import {
  crcOf,
  decodeEdge,
  edgeBytes,
  encodeEdge,
  metaBytesMax,
  payloadBytesMax,
  recordBytes,
  type Header,
  type Signal,
} from './record.ts'
import { damageName, lostId, parseMeta, rangeOf, recover } from './recovery.ts'
import type { BlockRef, Lost, Recovery, SegmentState, Unconfirmed } from './recovery.ts'
import { Segment, segmentNumbers, segmentPath } from './segment.ts'
import { takeFreeSlot, takeSlot, type Slot } from './slots.ts'

export interface LogOptions {
  /** Progress survives a power cut too: for a log whose blocks are acknowledged before ClickHouse has them. */
  durable: boolean
  /** Of all segments together; beyond it, and beyond so many blocks, appends are refused with `LogFull`. */
  bytesMax?: number
  blocksMax?: number
  /** Of blocks in memory that the disk has not taken yet; beyond it too. */
  waitingBytesMax?: number
  /** At most a quarter of `bytesMax`. */
  segmentBytes?: number
  quarantineBytesMax?: number
  /**
   * Told of every block that was acknowledged and cannot be read any more; again, whenever the log is opened, until
   * `confirmLost` is called for it.
   */
  onLost?: (lost: Lost) => void
  /** Told how many bytes left the quarantine to make room. */
  onEvicted?: (bytes: number) => void
  files?: Files
}

const MiB = 1024 * 1024
const defaults = {
  bytesMax: 4_096 * MiB,
  blocksMax: 100_000,
  waitingBytesMax: 64 * MiB,
  segmentBytes: 64 * MiB,
  quarantineBytesMax: 256 * MiB,
  onLost: () => undefined,
  onEvicted: () => undefined,
  files: realFiles,
} satisfies Partial<LogOptions>

/** Bounds one write, and with it how long those wait who come just after it began. */
const groupBytesMax = 16 * MiB
const groupBlocksMax = 128

/** A block to append. Its bytes are written as they stand: they must not change before the append has ended. */
export interface Block {
  signal: Signal
  rows: number
  /** A small note that comes back with the block; JSON. */
  meta: unknown
  payload: readonly Uint8Array[]
}

interface Waiting {
  header: Omit<Header, 'sequence'>
  meta: Uint8Array
  payload: readonly Uint8Array[]
  durable: boolean
  resolve: (ref: BlockRef) => void
  reject: (cause: LogBroken) => void
}

/** Opens the first free slot below `parent` and finds out what it holds. */
export async function openLog(
  parent: string,
  options: LogOptions,
): Promise<{ log: WriteAheadLog; recovery: Recovery }> {
  const settings = { ...defaults, ...options }
  return openIn(await takeFreeSlot(settings.files, parent), settings)
}

/** Opens one slot, to drain what a dead collector left there; undefined when somebody has it. */
export async function openSlot(
  parent: string,
  number: number,
  options: LogOptions,
): Promise<{ log: WriteAheadLog; recovery: Recovery } | undefined> {
  const settings = { ...defaults, ...options }
  const slot = await takeSlot(settings.files, parent, number)
  return slot && openIn(slot, settings)
}

async function openIn(slot: Slot, settings: Required<LogOptions>): Promise<{ log: WriteAheadLog; recovery: Recovery }> {
  const { files, onLost, onEvicted } = settings
  let opened: LogFile | undefined
  try {
    const directory = slot.path
    const segments = segmentNumbers(await files.list(directory))
    const paths = segments.map((number) => segmentPath(directory, number))
    const id = await readIdentity(files, join(directory, 'id'), paths)
    const quarantinePath = join(directory, 'quarantine')
    const quarantine = await Quarantine.open(files, quarantinePath, {
      bytesMax: settings.quarantineBytesMax,
      onEvicted,
    })
    const { file, saved } = await openProgressFile(files, join(directory, 'progress'))
    opened = file
    const progress = new Progress(saved.content)
    progress.segment = Math.max(progress.segment, segments.at(-1) ?? 0)
    const { generation } = saved
    const progressFile = new ProgressFile(file, {
      content: () => progress.content(),
      durable: settings.durable,
      generation,
    })
    const progressWasLost = saved.content === undefined && segments.length > 0
    const { durable } = settings
    const sources = { files, directory, id, segments, progress, progressWasLost, durable, quarantine, onLost }
    const recovered = await recover(sources)
    const log = new WriteAheadLog({ slot, settings, id, quarantine, progress, progressFile, ...recovered })
    await log.saveProgress()
    await files.syncDirectory(directory)
    return { log, recovery: recovered.recovery }
  } catch (cause) {
    await opened?.close().catch(() => undefined)
    slot.lock.release()
    throw new Error(`Cannot open the log in ${slot.path}`, { cause })
  }
}

interface Parts {
  slot: Slot
  settings: Required<LogOptions>
  id: Uint8Array
  quarantine: Quarantine
  progress: Progress
  progressFile: ProgressFile
  unconfirmed: Map<string, Unconfirmed>
  segments: Map<number, SegmentState>
  next: Record<Signal, number>
}

/** The log of one collector; `openLog` makes one. */
export class WriteAheadLog {
  readonly slot: number
  readonly #directory: string
  readonly #lock: Slot['lock']
  readonly #settings: Required<LogOptions>
  readonly #id: Uint8Array
  readonly #quarantine: Quarantine
  readonly #progress: Progress
  readonly #progressFile: ProgressFile
  /** Never more than there are blocks in the segments, and gaps between them. */
  readonly #unconfirmed: Map<string, Unconfirmed>
  readonly #segments: Map<number, SegmentState>
  readonly #next: Record<Signal, number>
  /** Makes tokens of this opening differ from all others', also from those of a copied directory. */
  readonly #opening = randomBytes(8).toString('hex')
  #active: Segment | undefined
  #directoryIsSynced = true
  #queue: Waiting[] = []
  #queuedBytes = 0
  #committing: Promise<void> | undefined
  #closed = false

  constructor({ slot, settings, id, quarantine, progress, progressFile, unconfirmed, segments, next }: Parts) {
    this.slot = slot.number
    this.#directory = slot.path
    this.#lock = slot.lock
    this.#settings = settings
    this.#id = id
    this.#quarantine = quarantine
    this.#progress = progress
    this.#progressFile = progressFile
    this.#unconfirmed = unconfirmed
    this.#segments = segments
    this.#next = next
  }

  /** On disk, in all segments. */
  get bytes(): number {
    let sum = 0
    for (const { bytes } of this.#segments.values()) sum += bytes
    return sum
  }

  /** That are not done. */
  get blocks(): number {
    let sum = 0
    for (const { blocksLeft } of this.#segments.values()) sum += blocksLeft
    return sum
  }

  get quarantineBytes(): number {
    return this.#quarantine.bytes
  }

  /**
   * Resolves once the block is written and, if `durable`, safe from a power cut. Rejects with `LogFull` or `LogBroken`;
   * then nothing of it is kept.
   */
  async append(block: Block, { durable }: { durable: boolean }): Promise<BlockRef> {
    if (this.#closed) throw new LogBroken(`Cannot append to the log in ${this.#directory}: it is closed`)
    const { signal, rows, payload } = block
    const meta = Buffer.from(JSON.stringify(block.meta ?? null))
    const payloadBytes = payload.reduce((sum, { length }) => sum + length, 0)
    if (meta.length > metaBytesMax || payloadBytes > payloadBytesMax || !isUInt32(rows)) {
      throw new RangeError(
        `Cannot append a block of ${rows} rows, ${payloadBytes} bytes and a meta of ${meta.length} bytes: ` +
          `${payloadBytesMax} bytes and ${metaBytesMax} may be; seal blocks earlier`,
      )
    }
    const sizes = { metaBytes: meta.length, payloadBytes }
    this.#refuseIfFull(recordBytes(sizes))
    const header = { signal, rows, ...sizes, metaCrc: crcOf([meta]), payloadCrc: crcOf(payload) }
    const { promise, resolve, reject } = Promise.withResolvers<BlockRef>()
    this.#queue.push({ header, meta, payload, durable, resolve, reject })
    this.#queuedBytes += recordBytes(header)
    this.#committing ??= this.#commitAll()
    return promise
  }

  #refuseIfFull(bytes: number): void {
    const { bytesMax, blocksMax, waitingBytesMax } = this.#settings
    const what = `Cannot append ${bytes} bytes to the log in ${this.#directory}`
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > waitingBytesMax) {
      throw new LogFull(
        `${what}: ${this.#queuedBytes} wait for its disk, ${waitingBytesMax} may; send more slowly, or give it a faster disk`,
      )
    }
    const used = this.bytes + this.#queuedBytes
    const blocks = this.blocks + this.#queue.length
    if (used + bytes <= bytesMax && blocks < blocksMax) return
    this.#retireActive()
    throw new LogFull(
      `${what}: ${blocks} blocks and ${used} bytes are in it, ${blocksMax} and ${bytesMax} may be; ` +
        'it takes more once ClickHouse has taken some',
    )
  }

  /** A full log must not be full of blocks that are done: the active segment goes too when it has no others. */
  #retireActive(): void {
    const segment = this.#active
    if (segment === undefined || this.#committing !== undefined) return
    if (this.#stateOf(segment.number).blocksLeft > 0) return
    // Should the disk not take the progress now, the segment goes after the next save that it takes.
    this.#abandon(segment)
      .then(() => this.saveProgress())
      .catch(() => undefined)
  }

  async #commitAll(): Promise<void> {
    // Those that come in the same turn go out together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = this.#takeGroup()
      await this.#commit(group)
      this.#queuedBytes -= bytesOf(group)
    }
    this.#committing = undefined
  }

  #takeGroup(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const { header } of this.#queue.slice(0, groupBlocksMax)) {
      bytes += recordBytes(header)
      if (count > 0 && bytes > groupBytesMax) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const bytes = bytesOf(group)
    const durable = group.some((waiting) => waiting.durable)
    let segment: Segment
    try {
      segment = await this.#segmentFor(bytes)
      if (durable && !this.#directoryIsSynced) {
        await this.#settings.files.syncDirectory(this.#directory)
        this.#directoryIsSynced = true
      }
    } catch (cause) {
      this.#rejectAll(group, cause)
      return
    }
    const next = { ...this.#next }
    const refs: BlockRef[] = []
    const parts: Uint8Array[] = []
    let offset = segment.bytes
    for (const { header: known, meta, payload } of group) {
      const header = { ...known, sequence: next[known.signal]++ }
      const { signal, sequence, rows } = header
      refs.push({ signal, sequence, rows, segment: segment.number, offset, bytes: recordBytes(header) })
      parts.push(encodeEdge('header', header, this.#id), meta, ...payload, encodeEdge('trailer', header, this.#id))
      offset += recordBytes(header)
    }
    const written = await segment.append(parts, { bytes, durable })
    const state = this.#stateOf(segment.number)
    switch (written.kind) {
      case 'written':
        Object.assign(this.#next, next)
        state.bytes = segment.bytes
        state.blocksLeft += group.length
        for (const [index, { resolve, durable: isDurable }] of group.entries()) {
          const ref = refs[index]
          if (ref === undefined) continue
          if (isDurable) this.#progress.durable[ref.signal] = ref.sequence
          resolve(ref)
        }
        return
      case 'left':
        // The records may still be there. Their numbers count as done, so that nobody takes them for acknowledged.
        Object.assign(this.#next, next)
        for (const { signal, sequence } of refs) this.#progress.done[signal].add(sequence)
        state.bytes = offset
        await this.#abandon(segment)
        await this.saveProgress().catch(() => undefined)
        this.#rejectAll(group, written.cause)
        return
      case 'cut':
        this.#rejectAll(group, written.cause)
    }
  }

  #rejectAll(group: readonly Waiting[], cause: unknown): void {
    const message =
      `Cannot write ${bytesOf(group)} bytes to the log in ${this.#directory}` +
      (codeOf(cause) === 'ENOSPC' ? ': make room on its disk' : ': look after its disk')
    for (const { reject } of group) reject(new LogBroken(message, { cause }))
  }

  /** The active segment, or a new one when the group would make it too large. */
  async #segmentFor(bytes: number): Promise<Segment> {
    const { files, bytesMax } = this.#settings
    const segmentBytes = Math.min(this.#settings.segmentBytes, bytesMax / 4)
    if (this.#active !== undefined) {
      if (this.#active.bytes === 0 || this.#active.bytes + bytes <= segmentBytes) return this.#active
      await this.#abandon(this.#active)
    }
    const number = this.#progress.segment + 1
    this.#progress.segment = number
    this.#active = await Segment.make(files, this.#directory, number)
    this.#segments.set(number, { bytes: 0, blocksLeft: 0 })
    this.#directoryIsSynced = false
    return this.#active
  }

  async #abandon(segment: Segment): Promise<void> {
    this.#active = undefined
    // What could be said about its bytes has been said when they were written.
    await segment.close().catch(() => undefined)
  }

  #stateOf(number: number): SegmentState {
    const state = this.#segments.get(number)
    if (state === undefined) throw new Error(`Segment ${number} of the log in ${this.#directory} is gone`)
    return state
  }

  /** Reads a block back; rejects with `DamagedRecord` when it is not what was written. */
  async read(ref: BlockRef): Promise<{ meta: unknown; payload: Uint8Array }> {
    const bytes = Buffer.allocUnsafeSlow(ref.bytes)
    const path = segmentPath(this.#directory, ref.segment)
    const message = `Cannot read ${ref.signal} block ${ref.sequence} at ${ref.offset} of ${path}`
    try {
      const file = await this.#settings.files.open(path, 'read')
      try {
        if ((await readAll(file, bytes, ref.offset)) < bytes.length) throw new DamagedRecord(`${message}: it is cut`)
      } finally {
        await file.close()
      }
    } catch (cause) {
      const isGone = codeOf(cause) === 'ENOENT' || codeOf(cause) === 'EIO'
      throw isGone ? new DamagedRecord(message, { cause }) : cause
    }
    // One good end is enough, as it is for the scan.
    const edge = decodeEdge(bytes, this.#id) ?? decodeEdge(bytes.subarray(-edgeBytes), this.#id)
    const header = edge?.header
    if (header?.signal !== ref.signal || header.sequence !== ref.sequence || recordBytes(header) !== ref.bytes) {
      throw new DamagedRecord(`${message}: another record is there, or none`)
    }
    const meta = bytes.subarray(edgeBytes, edgeBytes + header.metaBytes)
    const payload = bytes.subarray(edgeBytes + header.metaBytes, -edgeBytes)
    if (crcOf([meta]) !== header.metaCrc) throw new DamagedRecord(`${message}: the checksum of its meta is wrong`)
    if (crcOf([payload]) !== header.payloadCrc) {
      throw new DamagedRecord(`${message}: the checksum of its payload is wrong`, { meta: parseMeta(meta) })
    }
    return { meta: parseMeta(meta), payload }
  }

  /** Gives a block up that cannot be read: its bytes are kept in quarantine. It is done once that is confirmed. */
  async quarantine(ref: BlockRef, { message: reason, meta }: DamagedRecord): Promise<Lost> {
    const { files, onLost } = this.#settings
    const { signal, sequence, rows, segment, offset, bytes } = ref
    const path = segmentPath(this.#directory, segment)
    const kept = await this.#quarantine.keep(damageName(segment, offset), bytes, async function* () {
      const file = await files.open(path, 'read')
      try {
        yield* rangeOf(file, offset, offset + bytes)
      } finally {
        await file.close()
      }
    })
    const id = lostId(this.#id, { signal, first: sequence })
    const lost = { id, signal, first: sequence, last: sequence, rows, meta, reason, kept }
    this.#progress.lost[signal].add(sequence)
    this.#unconfirmed.set(id, { signal, first: sequence, last: sequence, segment })
    // Before anybody books it: were the block readable again when the log is opened next, it would be stored as well.
    await this.saveProgress().catch(() => undefined)
    onLost(lost)
    return lost
  }

  /** What was told as lost under this ID is in the books, and need not be told again. */
  confirmLost(id: string): void {
    const lost = this.#unconfirmed.get(id)
    if (lost === undefined) return
    const { signal, first, last, segment } = lost
    this.#unconfirmed.delete(id)
    this.#progress.lost[signal].remove(first, last)
    this.#progress.done[signal].add(first, last)
    if (segment !== undefined) this.#stateOf(segment).blocksLeft -= 1
  }

  /** Keeps rows that ClickHouse refuses, and why; resolves with the file's name, or undefined if there is no room. */
  async keepRefused(
    name: string,
    { payload, why }: { payload: Uint8Array; why: unknown },
  ): Promise<string | undefined> {
    const text = Buffer.from(`${JSON.stringify(why, undefined, 2)}\n`)
    await this.#quarantine.keep(`${name}.json`, text.length, () => [text])
    return this.#quarantine.keep(`${name}.native`, payload.length, () => [payload])
  }

  /**
   * Makes a batch of blocks, in flight from now on; all of the signal between the first and the last have to be in it or
   * done. Its token is the same whenever it is repeated. Save the progress before it is inserted.
   */
  begin(refs: readonly [BlockRef, ...BlockRef[]]): Batch {
    const [{ signal, sequence: first, segment }] = refs
    const last = refs.at(-1)?.sequence ?? first
    const number = this.#progress.batch + 1
    const id = Buffer.from(this.#id).toString('hex')
    const batch = { number, token: `${id}-${this.#opening}-${segment}-${number}`, signal, first, last }
    this.#progress.begin(batch)
    return batch
  }

  /** The block needs no insert any more. */
  done({ signal, sequence, segment }: BlockRef): void {
    if (this.#progress.done[signal].has(sequence)) return
    this.#progress.done[signal].add(sequence)
    this.#stateOf(segment).blocksLeft -= 1
  }

  /** The batch needs no repetition any more: its blocks are done. */
  end(batch: Batch): void {
    this.#progress.end(batch)
  }

  /** Writes down what is in flight and done; then segments go whose blocks were all done. */
  async saveProgress(): Promise<void> {
    const emptied = this.#emptied()
    await this.#progressFile.save()
    for (const number of emptied) {
      if (!this.#segments.delete(number)) continue
      // A segment that stays is looked at again when the log is opened.
      await this.#settings.files.remove(segmentPath(this.#directory, number)).catch(() => undefined)
    }
  }

  #emptied(): number[] {
    return [...this.#segments].flatMap(([number, { blocksLeft }]) =>
      blocksLeft === 0 && number !== this.#active?.number ? number : [],
    )
  }

  /** Lets appends end, saves the progress, and leaves the directory to others. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#committing
    if (this.#active !== undefined) await this.#abandon(this.#active)
    try {
      await this.saveProgress()
    } finally {
      await this.#progressFile.close()
      this.#lock.release()
    }
  }
}

function isUInt32(number: number): boolean {
  return number >>> 0 === number
}

function bytesOf(group: readonly Waiting[]): number {
  return group.reduce((sum, { header }) => sum + recordBytes(header), 0)
}
