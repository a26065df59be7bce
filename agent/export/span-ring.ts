// Encoded spans wait here until they are sent. When there is no more room the oldest go: whoever looks at an incident wants
// to know what happens now.

import type { Scope } from '../trace/span.ts'

const chunkBytes = 65_536
const spareMax = 8

/** Spans of one scope that follow each other. */
export interface SpanGroup {
  scope: Scope
  /** Each span as a field of `ScopeSpans`. */
  bytes: Buffer
  spans: number
}

interface Chunk {
  buffer: Buffer
  used: number
  groups: { scope: Scope; start: number; end: number; spans: number }[]
  spans: number
}

/** A queue of at most `bytesMax` bytes and `spansMax` spans. */
export class SpanRing {
  readonly #bytesMax: number
  readonly #spansMax: number
  readonly #chunks: Chunk[] = []
  /** Memory that is used again: left to the garbage collector, there would be tens of megabytes of it before it looks. */
  readonly #spare: Buffer[] = []
  readonly #lent: Buffer[] = []
  #allocated = 0
  #spans = 0

  constructor(bounds: { bytesMax: number; spansMax: number }) {
    this.#bytesMax = bounds.bytesMax
    this.#spansMax = bounds.spansMax
  }

  get spans(): number {
    return this.#spans
  }

  /** Takes a span, and tells how many older ones went for it. */
  add(scope: Scope, encoded: Uint8Array): number {
    const dropped = this.#spans >= this.#spansMax ? this.#dropFirst() : 0
    const chunk = this.#chunks.at(-1)
    if (chunk !== undefined && chunk.used + encoded.length <= chunk.buffer.length) {
      this.#append(chunk, scope, encoded)
      return dropped
    }
    const bytes = Math.max(chunkBytes, encoded.length)
    const dropsForRoom = this.#makeRoom(bytes)
    const buffer = bytes === chunkBytes ? this.#spare.pop() : undefined
    const next: Chunk = { buffer: buffer ?? Buffer.allocUnsafeSlow(bytes), used: 0, groups: [], spans: 0 }
    this.#allocated += bytes
    this.#chunks.push(next)
    this.#append(next, scope, encoded)
    return dropped + dropsForRoom
  }

  /**
   * Takes the oldest spans out, at most `spansMax` of them, and no more when there are `bytesEnough`. They are the caller's until
   * `giveBack`.
   */
  take({ spansMax, bytesEnough }: { spansMax: number; bytesEnough: number }): SpanGroup[] {
    const taken: SpanGroup[] = []
    let [spans, bytes] = [0, 0]
    for (;;) {
      const chunk = this.#chunks[0]
      const group = chunk?.groups[0]
      if (chunk === undefined || group === undefined || spans === spansMax || bytes >= bytesEnough) return taken
      const count = Math.min(group.spans, spansMax - spans)
      const end = count === group.spans ? group.end : endOf(chunk.buffer, group.start, count)
      taken.push({ scope: group.scope, bytes: chunk.buffer.subarray(group.start, end), spans: count })
      spans += count
      bytes += end - group.start
      group.start = end
      group.spans -= count
      chunk.spans -= count
      this.#spans -= count
      if (group.spans === 0) chunk.groups.shift()
      if (chunk.groups.length === 0) {
        this.#forget(chunk)
        this.#lent.push(chunk.buffer)
      }
    }
  }

  /** What was taken is not looked at any more. */
  giveBack(): void {
    for (const buffer of this.#lent.splice(0)) this.#keep(buffer)
  }

  #append(chunk: Chunk, scope: Scope, encoded: Uint8Array): void {
    const start = chunk.used
    // `set` stays in JavaScript's own code; Buffer.copy costs more than the bytes.
    chunk.buffer.set(encoded, start)
    chunk.used += encoded.length
    const group = chunk.groups.at(-1)
    if (group?.scope === scope) {
      group.end = chunk.used
      group.spans += 1
    } else {
      chunk.groups.push({ scope, start, end: chunk.used, spans: 1 })
    }
    chunk.spans += 1
    this.#spans += 1
  }

  #dropFirst(): number {
    this.take({ spansMax: 1, bytesEnough: 1 })
    return 1
  }

  #makeRoom(bytes: number): number {
    let dropped = 0
    while (this.#allocated + bytes > this.#bytesMax && this.#chunks.length > 0) dropped += this.#dropChunk()
    return dropped
  }

  /** Memory is given back by whole chunks. */
  #dropChunk(): number {
    const chunk = this.#chunks[0]
    if (chunk === undefined) return 0
    this.#spans -= chunk.spans
    this.#forget(chunk)
    this.#keep(chunk.buffer)
    return chunk.spans
  }

  #keep(buffer: Buffer): void {
    if (buffer.length === chunkBytes && this.#spare.length < spareMax) this.#spare.push(buffer)
  }

  #forget(chunk: Chunk): void {
    this.#allocated -= chunk.buffer.length
    this.#chunks.shift()
  }
}

/** Where the first `spans` fields that begin at `start` end. */
function endOf(buffer: Buffer, start: number, spans: number): number {
  let at = start
  for (let count = 0; count < spans; count += 1) at = endOfSpan(buffer, at)
  return at
}

/** Where the span that begins at `start` ends: it is a field with one byte of tag and its length. */
export function endOfSpan(bytes: Uint8Array, start: number): number {
  let at = start + 1
  let [length, shift] = [0, 0]
  for (;;) {
    const byte = bytes[at] ?? 0
    at += 1
    length += (byte & 127) * 2 ** shift
    if (byte < 128) return at + length
    shift += 7
  }
}
