// Which blocks go into ClickHouse together, and when. Few large inserts are cheaper than many small ones, and the first
// block of a batch should not wait long for company.

import type { BlockRef } from './recovery.ts'

export interface BatchLimits {
  batchRowsMax: number
  batchBytesMax: number
  batchBlocksMax: number
}

/** How many of the queue's first blocks go together, and whether waiting could bring more. */
export interface Choice {
  count: number
  isFull: boolean
}

type Weighed = Pick<BlockRef, 'sequence' | 'rows' | 'bytes'>

/**
 * The longest run of consecutive blocks within the limits; one that alone exceeds them goes alone. Only consecutive ones,
 * because a batch is written down as its first and last.
 */
export function chooseBatch(queue: readonly Weighed[], limits: BatchLimits): Choice {
  let rows = 0
  let bytes = 0
  let count = 0
  for (const block of queue) {
    rows += block.rows
    bytes += block.bytes
    const previous = queue[count - 1]
    const isNext = previous === undefined || block.sequence === previous.sequence + 1
    const fits = rows <= limits.batchRowsMax && bytes <= limits.batchBytesMax && count < limits.batchBlocksMax
    if (count > 0 && !(isNext && fits)) return { count, isFull: true }
    count += 1
  }
  const isFull = rows >= limits.batchRowsMax || bytes >= limits.batchBytesMax || count >= limits.batchBlocksMax
  return { count, isFull }
}

/** When the queue's first batch leaves: at once when full, else when its first block has waited long enough. */
export function batchDueAtMs(
  queue: readonly { ref: Weighed; addedAtMs: number }[],
  { flushAfterMs, ...limits }: BatchLimits & { flushAfterMs: number },
): number {
  const [oldest] = queue
  if (oldest === undefined) return Infinity
  const head = queue.slice(0, limits.batchBlocksMax + 1).map(({ ref }) => ref)
  return chooseBatch(head, limits).isFull ? oldest.addedAtMs : oldest.addedAtMs + flushAfterMs
}

/** Spaces reads of the backlog so that they do not exceed a rate: when the next may begin. */
export function nextReadAtMs(
  nowMs: number,
  { bytes, bytesPerSecond }: { bytes: number; bytesPerSecond: number },
): number {
  return nowMs + (bytes / bytesPerSecond) * 1_000
}
