// The counts of a block travel with it, in one record of the log: both are acknowledged or neither, after any crash. A payload
// with counts is
//
//   0 | length of the counts, 4 bytes | counts | block
//
// where counts are a Native block too, and the block is absent when all its spans were shed. A Native block begins with the
// number of its columns and so not with 0: a payload without counts is just the block.

import { splitBlock } from '@headwater/store'

const headBytes = 5

/** What a payload consists of. */
export interface CountedPayload {
  /** Spans before any was shed, as a block of `collector_span_counts`. */
  counts?: Uint8Array
  /** The records themselves. */
  block?: Uint8Array
}

/** Puts counts in front of a block. */
export function withCounts(counts: Uint8Array, payload: readonly Uint8Array[]): Uint8Array[] {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32LE(counts.length, 1)
  return [Buffer.concat([head, counts]), ...payload]
}

/** Takes a payload apart, or a part that begins where the payload does. Throws a `RangeError` for one that is cut. */
export function readPayload(payload: Uint8Array): CountedPayload {
  if (payload.length === 0) return {}
  if (payload[0] !== 0) return { block: payload }
  const view = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  const end = payload.length < headBytes ? Infinity : headBytes + view.readUInt32LE(1)
  if (end > payload.length) throw new RangeError(`A payload of ${payload.length} bytes ends within its counts`)
  const counts = payload.subarray(headBytes, end)
  return end === payload.length ? { counts } : { counts, block: payload.subarray(end) }
}

/** Halves a payload by the rows of its block, as `splitBlock` does; the counts stay with the first half. */
export function splitPayload(payload: Uint8Array): [Uint8Array, Uint8Array] | undefined {
  const { counts, block } = readPayload(payload)
  const halves = block === undefined ? undefined : splitBlock(block)
  if (counts === undefined || halves === undefined) return halves
  return [Buffer.concat(withCounts(counts, [halves[0]])), halves[1]]
}
