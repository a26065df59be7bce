import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { InsertBatcher } from './insert-batcher.ts'
import type { Stored } from './span-writer.ts'

const limits = { batchRowsMax: 4, flushAfterMs: 50, queueRowsMax: 8, insertsMax: 1 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A writer that notes what it is given, and stores what has no bad row; it waits while it is held. */
function notingWriter(fate: Stored = { kind: 'stored' }) {
  const inserts: string[] = []
  let held: Promise<void> | undefined
  const write = async (rows: readonly string[]): Promise<Stored> => {
    inserts.push(rows.join(' '))
    await held
    return rows.includes('bad') ? { kind: 'unstorable', cause: 'bad row' } : fate
  }
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    held = promise
    return resolve
  }
  return { inserts, write, hold }
}

test('requests close together share one insert when the first is old', async () => {
  const { inserts, write } = notingWriter()
  const batcher = new InsertBatcher(write, limits)
  const fates = Promise.all([batcher.add(['a']), batcher.add(['b'])])
  await vi.advanceTimersByTimeAsync(40)
  expect(inserts).toEqual([])
  await vi.advanceTimersByTimeAsync(20)
  expect(inserts).toEqual(['a b'])
  expect(await fates).toEqual([{ kind: 'stored' }, { kind: 'stored' }])
})

test('a full batch leaves at once', async () => {
  const { inserts, write } = notingWriter()
  const batcher = new InsertBatcher(write, limits)
  await Promise.all([batcher.add(['a', 'b']), batcher.add(['c', 'd'])])
  expect(inserts).toEqual(['a b c d'])
})

test('a request larger than a batch is inserted in parts, and fails if one does', async () => {
  const { inserts, write } = notingWriter()
  const batcher = new InsertBatcher(write, limits)
  expect(await batcher.add(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])).toEqual({ kind: 'stored' })
  expect(inserts.splice(0)).toEqual(['a b c d', 'e f g h', 'i'])
  expect(await batcher.add(['a', 'b', 'c', 'bad', 'e'])).toMatchObject({ kind: 'unstorable' })
  expect(inserts.splice(0)).toEqual(['a b c bad'])
  await batcher.add(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
  expect(inserts).toEqual(['a b c d', 'e f g h'])
})

test('rows that spoil a shared insert fail their own request only', async () => {
  const { inserts, write } = notingWriter()
  const batcher = new InsertBatcher(write, limits)
  const fates = await Promise.all([batcher.add(['a']), batcher.add(['bad', 'b']), batcher.add(['c'])])
  expect(fates.map(({ kind }) => kind)).toEqual(['stored', 'unstorable', 'stored'])
  expect(inserts).toEqual(['a bad b c', 'a', 'bad b', 'c'])
})

test('while ClickHouse is away each request hears so, after one attempt', async () => {
  const { inserts, write } = notingWriter({ kind: 'away', cause: 'gone' })
  const batcher = new InsertBatcher(write, limits)
  const fates = await Promise.all([batcher.add(['a', 'b']), batcher.add(['c', 'd'])])
  expect(fates.map(({ kind }) => kind)).toEqual(['away', 'away'])
  expect(inserts).toEqual(['a b c d'])
})

test('a full queue refuses with 429, and takes rows again once it has room', async () => {
  const { write, hold } = notingWriter()
  const release = hold()
  const batcher = new InsertBatcher(write, limits)
  const inserting = batcher.add(['a', 'b', 'c', 'd'])
  const waiting = batcher.add(['e', 'f', 'g', 'h', 'i', 'j', 'k'])
  await expect(batcher.add(['l', 'm'])).rejects.toMatchObject({ status: 429, retryAfterS: 1 })
  release()
  expect(await Promise.all([inserting, waiting])).toEqual([{ kind: 'stored' }, { kind: 'stored' }])
  const later = batcher.add(['l', 'm', 'n', 'o'])
  expect(await later).toEqual({ kind: 'stored' })
})

test('draining waits for nobody', async () => {
  const { inserts, write } = notingWriter()
  const batcher = new InsertBatcher(write, limits)
  const fate = batcher.add(['a'])
  batcher.drain()
  expect(await fate).toEqual({ kind: 'stored' })
  expect(inserts).toEqual(['a'])
})

test('a request without rows is stored already', async () => {
  const { inserts, write } = notingWriter()
  expect(await new InsertBatcher(write, limits).add([])).toEqual({ kind: 'stored' })
  expect(inserts).toEqual([])
})
