import { expect, test } from 'vitest'
import { addRecords, emptyAccount, keysOfRows, type KeyRecords, Ledger, readAccount, readAccountOr } from './ledger.ts'
import { createCollectorMetrics } from './metrics.ts'

const account = {
  ...emptyAccount(),
  rows: [
    { key: 'shop', records: 5 },
    { key: 'bank', records: 3 },
    { key: 'shop', records: 2 },
  ],
}

test.each<[string, { start: number; count: number }, KeyRecords[]]>([
  [
    'all rows',
    { start: 0, count: 10 },
    [
      { key: 'shop', records: 7 },
      { key: 'bank', records: 3 },
    ],
  ],
  ['the first', { start: 0, count: 1 }, [{ key: 'shop', records: 1 }]],
  [
    'a stretch over two keys',
    { start: 4, count: 2 },
    [
      { key: 'shop', records: 1 },
      { key: 'bank', records: 1 },
    ],
  ],
  ['the last', { start: 9, count: 1 }, [{ key: 'shop', records: 1 }]],
  ['none', { start: 3, count: 0 }, []],
  [
    'more than there are',
    { start: 9, count: 3 },
    [
      { key: 'shop', records: 1 },
      { key: '', records: 2 },
    ],
  ],
])('whose rows are: %s', (_what, stretch, keys) => {
  expect(keysOfRows(account, stretch)).toEqual(keys)
})

test('pieces of a block add up to its rows, key by key', () => {
  const sums: KeyRecords[] = []
  for (const [start, count] of [
    [0, 3],
    [3, 4],
    [7, 1],
    [8, 2],
  ] as const) {
    for (const records of keysOfRows(account, { start, count })) addRecords(sums, records)
  }
  expect(sums).toEqual(keysOfRows(account, { start: 0, count: 10 }))
})

test('a note that is none is refused, and where it was damaged the rows are nobody in particular', () => {
  expect(() => readAccount({ rows: 1 })).toThrow('Invalid input')
  expect(readAccountOr('damaged', 7)).toMatchObject({
    received: [{ key: '', records: 7 }],
    rows: [{ key: '', records: 7 }],
  })
})

test('records that never meet a fate show: the sums of what was received and of its fates differ', () => {
  const metrics = createCollectorMetrics()
  const ledger = new Ledger(metrics)
  ledger.take('traces', {
    ...account,
    received: [
      { key: 'shop', records: 9 },
      { key: 'bank', records: 3 },
    ],
  })
  ledger.settle('traces', 'stored', account.rows)
  const sum = (outcome: string) => metrics.sum('headwater_ingest_records_total', { signal: 'traces', outcome })
  expect([sum('received'), sum('stored'), metrics.sum('headwater_ingest_pending_records')]).toEqual([12, 10, 0])
})
