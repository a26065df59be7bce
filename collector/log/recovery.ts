// What a log holds when it is opened after whatever happened: which blocks wait for ClickHouse, which are lost. Sequence
// numbers are the proof: each up to the last one seen, or acknowledged as durable, is done, intact or reported.

import { readAll, type Files, type LogFile } from './files.ts'
import type { Batch, Progress } from './progress.ts'
import type { Quarantine } from './quarantine.ts'
import { edgeBytes, recordBytes, signals, type Header, type Signal } from './record.ts'
import { scanSegment, type Finding } from './scan.ts'
import { segmentPath } from './segment.ts'
import { Sequences } from './sequences.ts'

/** Where a block is. */
export interface BlockRef {
  signal: Signal
  sequence: number
  segment: number
  offset: number
  /** Of the whole record on disk. */
  bytes: number
  rows: number
}

/** A block that waits, with what its writer noted about it. */
export interface RecoveredBlock {
  ref: BlockRef
  meta: unknown
}

/** Blocks that were acknowledged and are no more. Without `rows` nobody knows how many rows they had. */
export interface Lost {
  /** The same whenever they are told: books that are kept under it count them once. Confirm it when they are booked. */
  id: string
  signal: Signal
  first: number
  last: number
  rows: number | undefined
  meta?: unknown
  reason: string
  /** The file in quarantine that has what is left of them. */
  kept?: string | undefined
}

export interface Recovery {
  /** In the order in which they were appended, per signal. */
  blocks: RecoveredBlock[]
  /** Were on their way when the log was left: they go first, each batch as it was. */
  batches: { batch: Batch; blocks: RecoveredBlock[] }[]
  /** Of a last record that was not written to its end, and so never acknowledged. */
  cutBytes: number
  /** Of damage that does not say which record it was; the missing sequence numbers do. */
  unreadableBytes: number
  /**
   * Nothing told which blocks were done, so all go once more, under new tokens. Spans come twice then; settling and
   * queries take them once, by their IDs. The other choice, not to send them, would lose some.
   */
  progressWasLost: boolean
}

/** Blocks whose loss is not confirmed yet, and the segment that stays until then, if one has what is left of them. */
export interface Unconfirmed {
  signal: Signal
  first: number
  last: number
  segment: number | undefined
}

/** A segment on disk: its bytes, and how many of its blocks are not done. */
export interface SegmentState {
  bytes: number
  blocksLeft: number
}

interface Recovered {
  recovery: Recovery
  unconfirmed: Map<string, Unconfirmed>
  segments: Map<number, SegmentState>
  next: Record<Signal, number>
}

interface Sources {
  files: Files
  directory: string
  id: Uint8Array
  segments: readonly number[]
  progress: Progress
  progressWasLost: boolean
  /** Whether blocks are acknowledged by the log. */
  durable: boolean
  quarantine: Quarantine
  onLost: (lost: Lost) => void
}

/** Reads all segments and reports what is lost, each time until that is confirmed: then it is done, as if it were stored. */
export async function recover(sources: Sources): Promise<Recovered> {
  const { files, directory, id, progress, progressWasLost, onLost } = sources
  const segments = new Map<number, SegmentState>()
  const unconfirmed = new Map<string, Unconfirmed>()
  const seen: Record<Signal, Sequences> = { traces: new Sequences(), logs: new Sequences() }
  const blocks: RecoveredBlock[] = []
  const sums = { cutBytes: 0, unreadableBytes: 0 }

  for (const number of sources.segments) {
    const file = await files.open(segmentPath(directory, number), 'change')
    try {
      const state: SegmentState = { bytes: await file.size(), blocksLeft: 0 }
      segments.set(number, state)
      for await (const finding of scanSegment(file, state.bytes, id)) {
        const { header } = finding
        const isNews =
          header === undefined ||
          !(progress.done[header.signal].has(header.sequence) || seen[header.signal].has(header.sequence))
        if (finding.kind === 'intact') {
          if (!isNews) continue
          if (progress.lost[finding.header.signal].has(finding.header.sequence)) {
            // It may be in the books as lost: stored as well, it would be there twice.
            const end = finding.offset + recordBytes(finding.header)
            await lose({ ...finding, kind: 'damaged', end, reason: 'it could not be read in its turn' }, file, number)
            continue
          }
          blocks.push(toBlock(finding.header, finding.meta, { segment: number, offset: finding.offset }))
          seen[finding.header.signal].add(finding.header.sequence)
          state.blocksLeft += 1
        } else if (finding.kind === 'torn' && number === sources.segments.at(-1)) {
          // Bytes that nobody can name are kept: they may be records whose ID is not the log's.
          const isMissed = header !== undefined && isNews && header.sequence <= progress.durable[header.signal]
          const isNameless = header === undefined && finding.end - finding.offset >= edgeBytes
          if (isMissed || isNameless) await lose(finding, file, number)
          // What tells of a loss stays until that is confirmed.
          if (isMissed) continue
          sums.cutBytes += finding.end - finding.offset
          state.bytes = finding.offset
          await file.truncate(finding.offset)
        } else if (isNews) await lose(finding, file, number)
      }
      // A writer that died may have written more than it has synced: what is told here has to stay.
      if (sources.durable && number === sources.segments.at(-1)) await file.fdatasync()
    } finally {
      await file.close()
    }
  }

  async function lose(finding: Exclude<Finding, { kind: 'intact' }>, file: LogFile, segment: number): Promise<void> {
    const { offset, end, header } = finding
    const name = damageName(segment, offset)
    const wasKept = sources.quarantine.has(name)
    const kept = wasKept ? name : await sources.quarantine.keep(name, end - offset, () => rangeOf(file, offset, end))
    if (header === undefined) {
      if (!wasKept) sums.unreadableBytes += end - offset
      return
    }
    const { signal, sequence, rows } = header
    seen[signal].add(sequence)
    const state = segments.get(segment)
    if (state !== undefined) state.blocksLeft += 1
    const reason = finding.kind === 'torn' ? 'the segment ends within it' : finding.reason
    const meta = finding.meta && { meta: parseMeta(finding.meta) }
    tell({ signal, first: sequence, last: sequence, rows, ...meta, reason, kept }, segment)
  }

  function tell(lost: Omit<Lost, 'id'>, segment: number | undefined): void {
    const { signal, first, last } = lost
    const name = lostId(id, lost)
    progress.lost[signal].add(first, last)
    unconfirmed.set(name, { signal, first, last, segment })
    onLost({ id: name, ...lost })
  }

  const next = { traces: 0, logs: 0 }
  for (const signal of signals) next[signal] = account(signal)

  /** Reports the numbers that nothing explains; returns the next one to give. */
  function account(signal: Signal): number {
    const done = progress.done[signal]
    const known = new Sequences([...done.intervals, ...seen[signal].intervals])
    const first = progressWasLost ? (known.intervals[0]?.[0] ?? 1) : 1
    const last = Math.max(seen[signal].last ?? 0, progress.durable[signal], progress.lost[signal].last ?? 0)
    for (const [from, to] of known.missing(first, last)) {
      tell({ signal, first: from, last: to, rows: undefined, reason: 'no segment has it' }, undefined)
    }
    const given = progress.inFlight.filter((batch) => batch.signal === signal).map((batch) => batch.last)
    const highest = Math.max(last, done.last ?? 0, ...given)
    // Numbers that were given but never acknowledged as durable: a power cut took their blocks, and nobody misses them.
    done.add(last + 1, highest)
    if (sources.durable) progress.durable[signal] = last
    if (progressWasLost) done.add(1, first - 1)
    return highest + 1
  }

  const batches = progress.inFlight.map((batch) => ({ batch, blocks: [] as RecoveredBlock[] }))
  const rest = blocks.filter((block) => {
    const { signal, sequence } = block.ref
    const own = batches.find(
      ({ batch }) => batch.signal === signal && batch.first <= sequence && sequence <= batch.last,
    )
    own?.blocks.push(block)
    return own === undefined
  })
  for (const { batch } of batches.filter((each) => each.blocks.length === 0)) progress.end(batch)
  const recovery = { blocks: rest, batches: batches.filter((each) => each.blocks.length > 0), ...sums, progressWasLost }
  return { recovery, unconfirmed, segments, next }
}

/** What a loss is called: by whose log it was, and by its first block. */
export function lostId(id: Uint8Array, { signal, first }: { signal: Signal; first: number }): string {
  return `${Buffer.from(id).toString('hex')}-${signal}-${first}`
}

/** What damaged bytes are called in quarantine. */
export function damageName(segment: number, offset: number): string {
  return `${String(segment).padStart(8, '0')}-${offset}.damaged`
}

/** The bytes of a file from `offset` to `end`, in pieces. */
export async function* rangeOf(file: LogFile, offset: number, end: number): AsyncGenerator<Uint8Array> {
  const pieceBytes = 1024 * 1024
  for (let at = offset; at < end;) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - at))
    const length = await readAll(file, piece, at)
    if (length === 0) return
    yield piece.subarray(0, length)
    at += length
  }
}

/** The writer's note, as it was given. */
export function parseMeta(meta: Uint8Array): unknown {
  return JSON.parse(Buffer.from(meta).toString())
}

function toBlock(header: Header, meta: Uint8Array, place: { segment: number; offset: number }): RecoveredBlock {
  const { signal, sequence, rows } = header
  return { ref: { signal, sequence, rows, ...place, bytes: recordBytes(header) }, meta: parseMeta(meta) }
}
