import { expect, test } from 'vitest'
import { batchDueAtMs, chooseBatch, nextReadAtMs } from './batches.ts'

const limits = { batchRowsMax: 10, batchBytesMax: 100, batchBlocksMax: 3 }
/** Blocks as `sequence:rows:bytes`. */
const queue = (text: string) =>
  text.split(' ').map((block) => {
    const [sequence = 0, rows = 0, bytes = 0] = block.split(':').map(Number)
    return { sequence, rows, bytes }
  })

test.each([
  ['all that there are', '1:2:10 2:2:10', { count: 2, isFull: false }],
  ['as many rows as an insert may have', '1:6:1 2:4:1 3:1:1', { count: 2, isFull: true }],
  ['exactly as many rows', '1:6:1 2:4:1', { count: 2, isFull: true }],
  ['as many bytes', '1:1:60 2:1:60', { count: 1, isFull: true }],
  ['as many blocks', '1:1:1 2:1:1 3:1:1 4:1:1', { count: 3, isFull: true }],
  ['one that is too large alone', '1:50:500 2:1:1', { count: 1, isFull: true }],
  ['no block beyond a gap, whose blocks are elsewhere', '1:1:1 2:1:1 4:1:1', { count: 2, isFull: true }],
])('a batch takes %s', (_, blocks, choice) => {
  expect(chooseBatch(queue(blocks), limits)).toEqual(choice)
})

test('a batch is due when it is full, or when its first block is old', () => {
  const blocks = (text: string) => queue(text).map((ref) => ({ ref, addedAtMs: 1_000 + ref.sequence }))
  expect(batchDueAtMs([], { ...limits, flushAfterMs: 200 })).toBe(Infinity)
  expect(batchDueAtMs(blocks('1:1:1 2:1:1'), { ...limits, flushAfterMs: 200 })).toBe(1_201)
  expect(batchDueAtMs(blocks('1:10:1'), { ...limits, flushAfterMs: 200 })).toBe(1_001)
})

test('half of what may be read in a second takes half a second', () => {
  expect(nextReadAtMs(1_000, { bytes: 50, bytesPerSecond: 100 })).toBe(1_500)
})
