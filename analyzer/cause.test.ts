import type { CallState } from '@headwater/store'
import { expect, test } from 'vitest'
import { blame } from './blame.ts'
import { nameOf, pathsToEntries, rankSuspects, type Suspect, toCauses } from './cause.ts'
import { pictureOf } from './picture.ts'
import { callsIn, findingsOf, shop } from './test-table.ts'

/**
 * Suspects as lines, heaviest first: `dependency payments POST /charge on bank.example:443`. By both ways of ranking, which have to
 * agree on what is plain: that of calls, as incidents are ranked, and that of findings, for which sums per interval are enough.
 */
function suspectsOf(now: CallState[], before = shop(1_000)): string[] {
  const alarms = findingsOf(now, before)
  const told = (suspects: Suspect[]): string[] =>
    suspects.map(({ kind, service, operation, peer }) =>
      [kind, service, operation, ...(peer === undefined ? [] : ['on', peer])].join(' '),
    )
  const byCalls = blame(pictureOf(now), pictureOf(before), { alarms }).filter(({ weight }) => weight > 0)
  const byFindings = told(rankSuspects(alarms, pictureOf(before)))
  expect(told(byCalls)).toEqual(byFindings)
  return byFindings
}

test('the origin is blamed, not the loudest: the gateway fails most and is not accused', () => {
  // Three products hang from one catalog; the gateway sees all of their errors, the catalog's are the origin.
  const before = callsIn(`
    - > gateway GET /a: 1000 calls, 30 ms, self 5 ms
    - > gateway GET /b: 1000 calls, 30 ms, self 5 ms
    gateway GET /a > catalog GET /item: 1000 calls, 10 ms, self 10 ms
    gateway GET /b > catalog GET /item: 1000 calls, 10 ms, self 10 ms`)
  const now = callsIn(`
    - > gateway GET /a: 100 calls, 30 ms, self 5 ms, 70 failed
    - > gateway GET /b: 100 calls, 30 ms, self 5 ms, 70 failed
    gateway GET /a > catalog GET /item: 100 calls, 10 ms, self 10 ms, 35 failed, 35 by itself
    gateway GET /b > catalog GET /item: 100 calls, 10 ms, self 10 ms, 35 failed, 35 by itself`)
  expect(suspectsOf(now, before)).toEqual(['errors catalog GET /item'])
})

test('whoever only waits is not accused of being slow', () => {
  const now = shop(100, {
    payments: '100 calls, 40 ms, self 10 ms, 60 at 940 ms, 60 self at 900 ms',
    orders: '100 calls, 60 ms, self 15 ms, 60 at 960 ms',
    order: '100 calls, 90 ms, self 10 ms, 60 at 990 ms',
  })
  expect(suspectsOf(now)).toEqual(['latency payments POST /charge'])
})

test('a dead callee is blamed for its unanswered calls, and its callers are not', () => {
  const now = [
    ...shop(100, {
      payments: 'none',
      bank: 'none',
      orders: '100 calls, 20 ms, self 15 ms, 100 failed',
      order: '100 calls, 40 ms, self 10 ms, 100 failed',
    }),
    ...callsIn('orders POST /orders ?> payments: 100 calls, 1 ms, 100 failed'),
  ]
  expect(suspectsOf(now)).toEqual(['unavailable payments POST /charge'])
  const suspects = rankSuspects(findingsOf(now), pictureOf(shop(1_000)))
  expect(suspects[0]?.weight).toBeCloseTo(100, 6)
  expect(suspects[0]?.findings.map(({ signal }) => signal)).toEqual(['unanswered'])
})

test('who fails before it calls anybody is blamed, not those it would have called', () => {
  const before = callsIn('- > gateway GET /: 1000 calls\ngateway GET / > math POST /: 2000 calls')
  const now = callsIn('- > gateway GET /: 100 calls, 100 failed, 100 by itself')
  expect(suspectsOf(now, before)).toEqual(['errors gateway GET /'])
})

test('a callee that answers half of its calls is blamed as well, without having fallen silent', () => {
  const now = [
    ...shop(100, {
      payments: '50 calls, 40 ms, self 10 ms',
      orders: '100 calls, 60 ms, self 15 ms, 50 failed',
      order: '100 calls, 90 ms, self 10 ms, 50 failed',
    }),
    ...callsIn('orders POST /orders ?> payments: 50 calls, 1 ms, 50 failed'),
  ]
  expect(suspectsOf(now)).toEqual(['unavailable payments POST /charge'])
})

test('several callers of one dead callee accuse it together', () => {
  const before = callsIn(`
    - > gateway GET /a: 1000 calls
    - > batch POST /b: 1000 calls
    gateway GET /a > search GET /find: 1000 calls
    batch POST /b > search GET /find: 1000 calls`)
  const now = callsIn(`
    - > gateway GET /a: 100 calls, 100 failed
    - > batch POST /b: 100 calls, 100 failed
    gateway GET /a ?> search: 100 calls, 100 failed
    batch POST /b ?> search: 100 calls, 100 failed`)
  expect(suspectsOf(now, before)).toEqual(['unavailable search GET /find'])
  const suspects = rankSuspects(findingsOf(now, before), pictureOf(before))
  expect(suspects[0]?.weight).toBeCloseTo(200, 6)
})

test('for a peer outside, the service that waits for it is told, with the peer; errors and slowness of it are one cause', () => {
  const slow = shop(100, {
    bank: '100 calls, 25 ms, 40 failed, 60 at 2000 ms',
    payments: '100 calls, 40 ms, self 10 ms, 40 failed, 60 at 2015 ms',
    orders: '100 calls, 60 ms, self 15 ms, 40 failed, 60 at 2035 ms',
    order: '100 calls, 90 ms, self 10 ms, 40 failed, 60 at 2065 ms',
  })
  expect(suspectsOf(slow)).toEqual(['dependency payments POST /charge on bank.example:443'])
  const [suspect] = rankSuspects(findingsOf(slow), pictureOf(shop(1_000)))
  // The larger of forty failed and sixty slow calls, since they may be the same.
  expect(suspect?.weight).toBeCloseTo(60, 0)
})

test('a worker that fell silent is told with the operation that it used to carry out', () => {
  expect(suspectsOf(shop(100, { mailer: 'none' }))).toEqual(['unavailable mailer process mails'])
})

test('two faults at once are two causes, the heavier first, and their scores are shares that add up to one', () => {
  const both = (failed: number, slow: number): CallState[] =>
    shop(100, {
      payments: `100 calls, 40 ms, self 10 ms, ${failed} failed, ${failed} by itself`,
      catalog: `100 calls, 15 ms, self 15 ms, ${slow} at 900 ms, ${slow} self at 900 ms`,
    })
  expect(suspectsOf(both(75, 25))).toEqual(['errors payments POST /charge', 'latency catalog GET /products'])
  expect(suspectsOf(both(25, 75))).toEqual(['latency catalog GET /products', 'errors payments POST /charge'])
  const known = pictureOf(shop(1_000))
  const causes = toCauses(rankSuspects(findingsOf(both(75, 25)), known), known)
  expect(causes.map(({ score }) => score)).toEqual([0.75, 0.25])
})

test('a slow call weighs less than a failed one while it costs less than 150 ms, and never more', () => {
  const weigh = (ms: number): number => {
    const now = shop(100, { catalog: `100 calls, 15 ms, self 15 ms, 50 at ${ms} ms, 50 self at ${ms} ms` })
    return rankSuspects(findingsOf(now), pictureOf(shop(1_000)))[0]?.weight ?? 0
  }
  expect(weigh(135)).toBeGreaterThan(30)
  expect(weigh(135)).toBeLessThan(45)
  expect(weigh(10_000)).toBeCloseTo(50, 6)
})

test('symptoms without an origin accuse nobody', () => {
  expect(suspectsOf(shop(100, { order: '100 calls, 90 ms, self 10 ms, 60 failed' }))).toEqual([])
})

test('of many causes the five heaviest are told, and of light ones only the first', () => {
  const table = (calls: number, failed: (i: number) => number) =>
    callsIn(
      Array.from(
        { length: 8 },
        (_, i) => `- > s${i} GET /: ${calls} calls, ${failed(i)} failed, ${failed(i)} by itself`,
      ).join('\n'),
    )
  const before = table(10_000, () => 0)
  const known = pictureOf(before)
  const causesOf = (failed: (i: number) => number) =>
    toCauses(rankSuspects(findingsOf(table(1_000, failed), before), known), known)
  expect(causesOf((i) => 900 - 10 * i).map(({ service }) => service)).toEqual(['s0', 's1', 's2', 's3', 's4'])
  // Seven hundred bad calls; ninety of another service are told, for they are more than 3 %.
  expect(causesOf((i) => [700, 90][i] ?? 0).map(({ service }) => service)).toEqual(['s0', 's1'])
})

test('the path leads from the cause over its callers to an entry', () => {
  const known = pictureOf(shop(1_000))
  expect(pathsToEntries(known)({ service: 'payments', operation: 'POST /charge' })).toEqual([
    { service: 'payments', operation: 'POST /charge' },
    { service: 'orders', operation: 'POST /orders' },
    { service: 'gateway', operation: 'POST /orders' },
  ])
  expect(pathsToEntries(known)({ service: 'gateway', operation: 'POST /orders' })).toHaveLength(1)
})

test('of two callers at the same distance, the path takes the one that calls more', () => {
  const known = pictureOf(
    callsIn(`
      - > gateway GET /rare: 10 calls
      - > gateway GET /often: 1000 calls
      gateway GET /rare > math POST /solve: 10 calls
      gateway GET /often > math POST /solve: 1000 calls`),
  )
  expect(pathsToEntries(known)({ service: 'math', operation: 'POST /solve' })[1]).toEqual({
    service: 'gateway',
    operation: 'GET /often',
  })
})

test('a worker is reached by its messages: the path goes back over who sends them', () => {
  expect(pathsToEntries(pictureOf(shop(1_000)))({ service: 'mailer', operation: 'process mails' })).toEqual([
    { service: 'mailer', operation: 'process mails' },
    { service: 'orders', operation: 'POST /orders' },
    { service: 'gateway', operation: 'POST /orders' },
  ])
})

test('a cause that no entry leads to has itself as its path', () => {
  const known = pictureOf(callsIn('a GET / > b GET /: 10 calls\nb GET / > a GET /: 10 calls'))
  expect(pathsToEntries(known)({ service: 'a', operation: 'GET /' })).toEqual([{ service: 'a', operation: 'GET /' }])
})

test('causes bear plain names: namespace and environment stay inside', () => {
  expect(nameOf('shop/payments@production')).toBe('payments')
  const key = 'shop/pay%2Fments@staging'
  const before = callsIn(`- > ${key} POST /charge: 1000 calls`)
  const now = callsIn(`- > ${key} POST /charge: 100 calls, 60 failed, 60 by itself`)
  const known = pictureOf(before)
  expect(toCauses(rankSuspects(findingsOf(now, before), known), known)).toMatchObject([
    { service: 'pay/ments', path: [{ service: 'pay/ments', operation: 'POST /charge' }] },
  ])
})

test('evidence gives the numbers, and says them in a sentence', () => {
  const known = pictureOf(shop(1_000))
  const sentences = (now: CallState[]) =>
    toCauses(rankSuspects(findingsOf(now), known), known).flatMap(({ evidence }) =>
      evidence.map(({ sentence }) => sentence),
    )
  expect(sentences(shop(100, { payments: '100 calls, 40 ms, self 10 ms, 62 failed, 62 by itself' }))).toEqual([
    '62 % of 100 calls of payments POST /charge failed by themselves, with no failing call below; 0.0 % is normal.',
  ])
  expect(sentences(shop(100, { mailer: 'none' }))).toEqual([
    'mailer took 0 calls where 100 were due by what its neighbours did.',
  ])
  expect(sentences(shop(100, { bank: '100 calls, 25 ms, 60 failed' }))).toEqual([
    '60 % of 100 calls from payments POST /charge to bank.example:443 failed; 0.0 % is normal.',
  ])
})
