// Requests that share a block, and the books that go with it.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BlockBuilder, type BlockLimits, type SealedBlock } from './block-builder.ts'
import { Rejections } from './otlp/rejections.ts'

const limits: BlockLimits = { rowsMax: 100, bytesMax: 1_000, lingerMs: 5, sealedMax: 1 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A builder whose requests are texts of one letter a record: `r` is rejected, `s` shed, `!` is no request, `x` gets lost. */
function building(changed: Partial<BlockLimits> = {}) {
  let rows = 0
  const blocks: SealedBlock[] = []
  const keeping: PromiseWithResolvers<void>[] = []
  const columns = {
    get rows() {
      return rows
    },
    walk(body: Uint8Array) {
      const letters = Buffer.from(body).toString().split('')
      if (letters.includes('!')) throw new Error('no request')
      const rejections = new Rejections()
      for (const letter of letters) if (letter === 'r') rejections.add('span_id', () => 'bad')
      rows += letters.filter((letter) => !'rsx'.includes(letter)).length
      return {
        records: letters.length,
        bytes: body.length,
        rejections,
        shed: { budget: letters.filter((letter) => letter === 's').length },
      }
    },
    seal() {
      const sealed = Buffer.from(String(rows))
      rows = 0
      return sealed
    },
  }
  const builder = new BlockBuilder(columns, { ...limits, ...changed }, (block) => {
    blocks.push(block)
    const resolvers = Promise.withResolvers<void>()
    keeping.push(resolvers)
    return resolvers.promise
  })
  return { builder, blocks, keeping, add: (body: string, key = '') => builder.add(Buffer.from(body), key) }
}

test('requests close together share a block, and hear of it together', async () => {
  const { blocks, keeping, add } = building()
  const both = Promise.all([add('ab').kept, add('c').kept])
  expect(blocks).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(5)
  expect(blocks).toMatchObject([{ rows: 3, payload: [Buffer.from('3')] }])
  keeping[0]?.resolve()
  await expect(both).resolves.toBeDefined()
})

test('while a block is on its way others gather in the next one, and a full one waits for nobody', async () => {
  const { blocks, keeping, add } = building({ rowsMax: 4 })
  void add('a').kept
  await vi.advanceTimersByTimeAsync(5)
  void add('b').kept
  void add('c').kept
  await vi.advanceTimersByTimeAsync(50)
  expect(blocks.map(({ rows }) => rows)).toEqual([1])
  void add('dd').kept
  expect(blocks.map(({ rows }) => rows)).toEqual([1, 4])
  void add('e').kept
  await vi.advanceTimersByTimeAsync(50)
  expect(blocks).toHaveLength(2)
  for (const each of keeping) each.resolve()
  await vi.advanceTimersByTimeAsync(0)
  expect(blocks.map(({ rows }) => rows)).toEqual([1, 4, 1])
})

test('a block that is not kept fails its own requests only', async () => {
  const { keeping, add } = building()
  const first = add('a').kept
  await vi.advanceTimersByTimeAsync(5)
  const second = add('b').kept
  keeping[0]?.reject(new Error('disk full'))
  await expect(first).rejects.toThrow('disk full')
  await vi.advanceTimersByTimeAsync(5)
  keeping[1]?.resolve()
  await expect(second).resolves.toBeUndefined()
})

test('a request that cannot be decoded throws at once and leaves nothing', async () => {
  const { blocks, add } = building()
  expect(() => add('a!')).toThrow('no request')
  await vi.advanceTimersByTimeAsync(50)
  expect(blocks).toHaveLength(0)
})

test('the books tell what was received apart from what became of it', async () => {
  const { blocks, builder, add } = building()
  add('aarr', 'shop')
  add('asx', 'shop')
  add('b', 'bank')
  void builder.note({ key: 'bank', outcome: 'duplicate', reason: 'request', records: 9 })
  await vi.advanceTimersByTimeAsync(5)
  expect(blocks[0]?.account).toEqual({
    received: [
      { key: 'shop', records: 7 },
      { key: 'bank', records: 10 },
    ],
    rows: [
      { key: 'shop', records: 3 },
      { key: 'bank', records: 1 },
    ],
    // One record has no fate: a decoder that loses it shows in the sums.
    others: [
      { key: 'shop', outcome: 'rejected', reason: 'span_id', records: 2 },
      { key: 'shop', outcome: 'shed', reason: 'budget', records: 1 },
      { key: 'bank', outcome: 'duplicate', reason: 'request', records: 9 },
    ],
  })
})

test('requests of which nothing makes a row are kept as books without rows', async () => {
  const { blocks, add } = building()
  add('rr')
  await vi.advanceTimersByTimeAsync(5)
  expect(blocks).toMatchObject([{ rows: 0, payload: [], account: { received: [{ key: '', records: 2 }] } }])
})

test('books of keys that take turns end a block before they are too long for it', () => {
  const { blocks, add } = building({ rowsMax: 10_000, bytesMax: 1_000_000 })
  for (let turn = 0; turn < 2_000; turn += 1) add('a', turn % 2 === 0 ? 'shop' : 'bank')
  expect(blocks.length).toBeGreaterThan(5)
  for (const { account } of blocks) expect(JSON.stringify(account).length).toBeLessThan(60_000)
})

test('flushing waits for all that is on its way', async () => {
  const { builder, keeping, add } = building()
  void add('a').kept
  await vi.advanceTimersByTimeAsync(5)
  void add('b').kept
  let isFlushed = false
  const flushing = builder.flush().then(() => (isFlushed = true))
  await vi.advanceTimersByTimeAsync(50)
  keeping[1]?.resolve()
  await vi.advanceTimersByTimeAsync(50)
  expect(isFlushed).toBe(false)
  keeping[0]?.reject(new Error('disk full'))
  await flushing
})
