// What collectors tell of themselves, asked at the door.
import { CountBlock, insertBlocks, insertLedger } from '@headwater/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secondsAgo, startWorld, type World } from '../test-world.ts'

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

test('the ledger adds up by key and signal, with reasons, and counts a batch that came twice once', async () => {
  const Time = String(Math.floor(secondsAgo(60) / 1_000))
  const of = (Outcome: string, Records: number, Reason = '') => ({
    Time,
    Collector: 'host/1',
    Batch: 'batch-1',
    Key: 'shop',
    Signal: 'traces',
    Outcome,
    Reason,
    Records,
  })
  const rows = [of('received', 10), of('stored', 7), of('rejected', 2, 'span_id'), of('lost', 1, 'damaged')]
  for (const token of ['once', 'again']) await insertLedger(world.store, { rows, token, timeoutMs: 10_000 })
  const { status, body } = await world.get('/api/v1/ledger')
  expect(status).toBe(200)
  expect(body).toEqual({
    items: [
      {
        key: 'shop',
        signal: 'traces',
        received: 10,
        stored: 7,
        rejected: 2,
        shed: 0,
        duplicate: 0,
        lost: 1,
        reasons: [
          { outcome: 'lost', reason: 'damaged', records: 1 },
          { outcome: 'rejected', reason: 'span_id', records: 2 },
        ],
      },
    ],
    nextCursor: null,
  })
})

test('rates before shedding are told by operation', async () => {
  const windowS = Math.floor(secondsAgo(60) / 10_000) * 10
  const count = { windowS, service: 'shop@production', operation: 'POST /checkout', kind: 'Server' }
  const counts = new CountBlock()
  counts.add('host/1', { ...count, spans: 360, errors: 36, duration: new Map([[359, 360]]) })
  const columns = counts.block.columns.map(({ name }) => name)
  const blocks = [counts.seal()]
  await insertBlocks(world.store, { table: 'collector_span_counts', columns, blocks, token: 'a', timeoutMs: 10_000 })
  const { body } = await world.get('/api/v1/span-rates')
  expect(body).toMatchObject({
    items: [
      {
        service: 'shop',
        environment: 'production',
        operation: 'POST /checkout',
        kind: 'Server',
        spans: 360,
        errors: 36,
      },
    ],
  })
})
