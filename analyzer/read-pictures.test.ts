import { expect, test } from 'vitest'
import { picturesOf } from './read-pictures.ts'
import { callsIn } from './test-table.ts'

test('around a service are its calls, those into it and those of all that it calls, now and before', async () => {
  const before = callsIn(`
    - > gateway GET /: 300 calls
    gateway GET / > orders POST /orders: 300 calls
    orders POST /orders > payments POST /pay: 300 calls
    payments POST /pay ?> bank.example:443: 300 calls
    gateway GET / > search GET /search: 300 calls
    search GET /search > index GET /index: 300 calls
    stats POST / > payments GET /sums: 300 calls`)
  const now = before.filter(({ service }) => service !== 'bank.example:443')
  const pictures = picturesOf({ now, before, recentMs: 30_000, baselineMs: 3_000_000 })
  const { recent, baseline } = await pictures.around(['orders'])
  const callsOf = ({ edges }: typeof recent): string[] =>
    [...edges.values()].map(({ caller, service }) => `${caller} > ${service}`)
  const answered = ['gateway > orders', 'orders > payments', 'stats > payments']
  expect(callsOf(recent).toSorted()).toEqual(answered)
  expect(callsOf(baseline).toSorted()).toEqual([...answered, 'payments > bank.example:443'].toSorted())
  expect([...baseline.served.keys()].toSorted()).toEqual(['orders', 'payments'])
})
