// Reads a segment from its first byte to its last and says what it is made of, in windows of bounded size. Checksums are
// verified, damage is skipped: the next good record is looked for by the log's ID, which stands in both ends of each.

import { crc32 } from 'node:zlib'
import { readAll, type LogFile } from './files.ts'
import { decodeEdge, edgeBytes, idOffset, recordBytes, type Edge, type Header } from './record.ts'

/** What stands from `offset` on. */
export type Finding =
  | { kind: 'intact'; offset: number; header: Header; meta: Uint8Array }
  /** Bytes that are not what was written. With a header it is known which record they are; its meta may be whole. */
  | { kind: 'damaged'; offset: number; end: number; header?: Header; meta?: Uint8Array; reason: string }
  /** The file ends within a record: its writer died, or the file was cut. */
  | { kind: 'torn'; offset: number; end: number; header?: Header; meta?: Uint8Array }

const windowBytes = 1024 * 1024

/** Part of a file in memory; moves along with what is asked of it. */
class Window {
  readonly size: number
  readonly #file: LogFile
  readonly #bytes: Buffer
  #start = 0
  #length = 0

  constructor(file: LogFile, size: number) {
    this.#file = file
    this.size = size
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(windowBytes, size))
  }

  /** From `offset` on, up to `length` bytes of at most a window; they hold until the next call. */
  async view(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, this.size)
    if (offset < this.#start || end > this.#start + this.#length) {
      this.#start = offset
      this.#length = await readAll(this.#file, this.#bytes, offset)
    }
    return this.#bytes.subarray(offset - this.#start, Math.min(end - this.#start, this.#length))
  }

  async crc(offset: number, length: number): Promise<number> {
    let crc = 0
    for (let at = offset; at < offset + length;) {
      const part = await this.view(at, Math.min(windowBytes, offset + length - at))
      if (part.length === 0) break
      crc = crc32(part, crc)
      at += part.length
    }
    return crc
  }
}

interface FoundEdge {
  at: number
  edge: Edge
  header: Header
}

/** Tells what the segment holds, in order; the findings cover it without a gap. */
export async function* scanSegment(file: LogFile, size: number, id: Uint8Array): AsyncGenerator<Finding> {
  const window = new Window(file, size)
  let at = 0
  while (at < size) {
    const findings = await findingsAt(window, at, id)
    yield* findings
    const last = findings.at(-1)
    if (last === undefined) return
    at = last.kind === 'intact' ? last.offset + recordBytes(last.header) : last.end
  }
}

async function findingsAt(window: Window, at: number, id: Uint8Array): Promise<Finding[]> {
  const here = await edgeAt(window, at, id)
  if (here?.edge === 'header') return [await recordOfHeader(window, here, id)]
  const next = here ?? (await findEdge(window, at + 1, id))
  if (next === undefined) return [{ kind: 'torn', offset: at, end: window.size }]
  const start = next.edge === 'header' ? next.at : next.at + edgeBytes - recordBytes(next.header)
  const before: Finding[] =
    start > at ? [{ kind: 'damaged', offset: at, end: start, reason: 'no record is known here' }] : []
  if (next.edge === 'header') return before
  const end = next.at + edgeBytes
  if (start < at) {
    const reason = 'only the end of the record is there'
    return [{ kind: 'damaged', offset: at, end, header: next.header, reason }]
  }
  // Only the header is damaged: its copy says what the record has to be.
  const { meta, payloadIsGood } = await verify(window, start, next.header)
  if (meta !== undefined && payloadIsGood)
    return [...before, { kind: 'intact', offset: start, header: next.header, meta }]
  return [...before, damaged(start, end, next.header, meta)]
}

async function recordOfHeader(window: Window, { at, header }: FoundEdge, id: Uint8Array): Promise<Finding> {
  const end = at + recordBytes(header)
  const { meta, payloadIsGood } = await verify(window, at, header)
  if (end <= window.size) {
    if (meta !== undefined && payloadIsGood) return { kind: 'intact', offset: at, header, meta }
    const trailer = await edgeAt(window, end - edgeBytes, id)
    if (trailer?.edge === 'trailer' && isSame(trailer.header, header)) return damaged(at, end, header, meta)
  }
  // Where the record should end there is no end of it: bytes are missing, and the next record says where it begins.
  const next = await findEdge(window, at + edgeBytes, id)
  if (next === undefined) {
    if (end <= window.size) return damaged(at, window.size, header, meta)
    return { kind: 'torn', offset: at, end: window.size, header, ...(meta && { meta }) }
  }
  const isOwnEnd = next.edge === 'trailer' && isSame(next.header, header)
  return damaged(at, isOwnEnd ? next.at + edgeBytes : next.at, header, meta)
}

function damaged(offset: number, end: number, header: Header, meta: Uint8Array | undefined): Finding {
  const reason = `the checksum of its ${meta === undefined ? 'meta' : 'payload'} is wrong`
  return { kind: 'damaged', offset, end, header, ...(meta && { meta }), reason }
}

async function verify(
  window: Window,
  start: number,
  header: Header,
): Promise<{ meta: Uint8Array | undefined; payloadIsGood: boolean }> {
  const metaAt = start + edgeBytes
  const bytes = Buffer.from(await window.view(metaAt, header.metaBytes))
  const isGood = bytes.length === header.metaBytes && crc32(bytes) === header.metaCrc
  const payloadCrc = await window.crc(metaAt + header.metaBytes, header.payloadBytes)
  return { meta: isGood ? bytes : undefined, payloadIsGood: payloadCrc === header.payloadCrc }
}

function isSame(a: Header, b: Header): boolean {
  return a.signal === b.signal && a.sequence === b.sequence
}

async function edgeAt(window: Window, at: number, id: Uint8Array): Promise<FoundEdge | undefined> {
  const decoded = at < 0 ? undefined : decodeEdge(await window.view(at, edgeBytes), id)
  return decoded && { at, ...decoded }
}

async function findEdge(window: Window, from: number, id: Uint8Array): Promise<FoundEdge | undefined> {
  let at = from + idOffset
  while (at + id.length <= window.size) {
    const view = await window.view(at, windowBytes)
    const index = view.indexOf(id)
    if (index === -1) {
      at += Math.max(view.length - id.length + 1, 1)
      continue
    }
    const found = await edgeAt(window, at + index - idOffset, id)
    if (found !== undefined) return found
    at += index + 1
  }
  return undefined
}
