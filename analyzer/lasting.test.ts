import type { CallState } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { detectLasting, smallDepartures } from './lasting.ts'
import { smallestEffect } from './minimum-detectable.ts'
import { parameters } from './parameters.ts'
import { edgeKey, pictureOf } from './picture.ts'
import { callsIn, findingsOf, shop, tell } from './test-table.ts'

const before = shop(1_000)

function lastingIn(minutes: CallState[][], usual = before): ReturnType<typeof detectLasting> {
  return detectLasting({
    whole: pictureOf(minutes.flat()),
    minutes: minutes.map((minute) => pictureOf(minute)),
    baseline: pictureOf(usual),
    pValueMax: 1,
  })
}

/** Three minutes of a hundred orders, of which payments fails so many by itself. */
function failing(...bad: number[]): CallState[][] {
  return bad.map((count) =>
    shop(100, { payments: `100 calls, 40 ms, self 10 ms, ${count} failed, ${count} by itself` }),
  )
}

test('a shop as it always is shows nothing', () => {
  expect(lastingIn(failing(0, 0, 0))).toEqual([])
})

test('four of a hundred calls that fail, minute after minute, show, though no minute is an alarm by itself', () => {
  const minutes = failing(4, 4, 4)
  for (const minute of minutes) expect(findingsOf(minute)).toEqual([])
  expect(tell(lastingIn(minutes))).toEqual(['errors payments POST /charge', 'origin-errors payments POST /charge'])
  const [finding] = lastingIn(minutes)
  expect(finding).toMatchObject({ expected: 0, seen: 0.04, calls: 300, baselineCalls: 1_000 })
  expect(finding?.pValue).toBeLessThan(parameters.lasting.pValueMax)
})

test('as many in one minute, and none in the others, were a hiccup', () => {
  expect(lastingIn(failing(12, 0, 0))).toEqual([])
  expect(lastingIn(failing(0, 12, 0))).toEqual([])
})

test('what is passing does not last, though some of it is left', () => {
  expect(lastingIn(failing(60, 60, 9))).toEqual([])
  expect(lastingIn(failing(9, 60, 60))).toHaveLength(2)
})

test('one call in ten that takes some 50 ms longer shows in the service itself and at who waits for it', () => {
  const slower = shop(100, {
    catalog: '100 calls, 15 ms, self 15 ms, 10 at 65 ms, 10 self at 65 ms',
    browse: '100 calls, 30 ms, self 10 ms, 10 at 80 ms',
  })
  expect(findingsOf(slower)).toEqual([])
  expect(tell(lastingIn([slower, slower, slower]))).toEqual([
    'latency catalog GET /products',
    'latency gateway GET /products',
    'self-time catalog GET /products',
  ])
})

test('calls that are no longer made show, while nothing fails', () => {
  const without = shop(100, { bank: 'none' })
  expect(findingsOf(without)).toEqual([])
  const found = lastingIn([without, without, without])
  expect(tell(found)).toEqual(['fan-out bank.example:443 from payments'])
  expect(found[0]).toMatchObject({ expected: 1, seen: 0, unit: 'calls', excessCalls: 300 })
})

test('a twentieth of them left is enough of a loss, a half is not', () => {
  const with_ = (calls: number) => shop(100, { bank: `${calls} calls, 25 ms` })
  expect(lastingIn([with_(5), with_(5), with_(5)])).toHaveLength(1)
  expect(lastingIn([with_(50), with_(50), with_(50)])).toEqual([])
})

test('where each success made the call, a third of them without it is enough', () => {
  const key = edgeKey('payments', 'POST /charge', 'bank.example:443')
  const found = (...made: number[]) => {
    const minutes = made.map((calls) => shop(100, { bank: `${calls} calls, 25 ms` }))
    return detectLasting({
      whole: pictureOf(minutes.flat()),
      minutes: minutes.map((minute) => pictureOf(minute)),
      baseline: pictureOf(before),
      pValueMax: 1,
      usualCalls: new Map([[key, { mean: 1, least: 0.98 }]]),
    })
  }
  expect(tell(found(66, 70, 64))).toEqual(['fan-out bank.example:443 from payments'])
  expect(found(66, 70, 64)[0]).toMatchObject({ expected: 1, seen: 200 / 300, calls: 300 })
  // A sixth could be how clocks and windows cut, and one whole minute says that it does not last.
  expect(found(84, 84, 84)).toEqual([])
  expect(found(50, 50, 97)).toEqual([])
})

test.each([
  ['where each success made the call', { mean: 1, least: 0.98 }],
  ['where about as many did in each minute', { mean: 1, least: 0.95 }],
  ['where it varied', { mean: 1, least: 0.5 }],
])('of calls that have ceased it is told how many could still have been made: %s', (_case, usual) => {
  const found = (made: number) => {
    const minutes = [made, made, made].map((calls) => shop(100, { bank: `${calls} calls, 25 ms` }))
    return detectLasting({
      whole: pictureOf(minutes.flat()),
      minutes: minutes.map((minute) => pictureOf(minute)),
      baseline: pictureOf(before),
      pValueMax: 1,
      usualCalls: new Map([[edgeKey('payments', 'POST /charge', 'bank.example:443'), usual]]),
    })
  }
  const [finding] = found(1)
  const smallest = finding && smallestEffect(finding, pictureOf(before))
  // Of each hundred; a quotient loses a hair.
  const most = Math.floor((smallest?.value ?? 0) * 100 + 1e-9)
  expect(most).toBeGreaterThan(1)
  expect(smallest?.share).toBeCloseTo(1 - (smallest?.value ?? 0), 9)
  expect(found(most)).toHaveLength(1)
  expect(found(most + 1)).toEqual([])
})

test('where the share that makes the call hardly varies, half of it is a loss, and where it varies it is not', () => {
  const key = edgeKey('payments', 'POST /charge', 'bank.example:443')
  const usual = shop(1_000, { bank: '700 calls, 25 ms' })
  const half = shop(1_000, { bank: '300 calls, 25 ms' })
  const found = (least: number) =>
    detectLasting({
      whole: pictureOf([half, half, half].flat()),
      minutes: [half, half, half].map((minute) => pictureOf(minute)),
      baseline: pictureOf(usual),
      pValueMax: 1,
      usualCalls: new Map([[key, { mean: 0.7, least }]]),
    })
  expect(tell(found(0.66))).toEqual(['fan-out bank.example:443 from payments'])
  expect(found(0.5)).toEqual([])
})

test('calls that a failed operation did not come to, that messages make, or that less load needs have not ceased', () => {
  const refused = shop(100, { payments: '100 calls, 5 ms, 100 failed, 100 by itself', bank: 'none' })
  expect(tell(lastingIn([refused, refused, refused]))).not.toContain('fan-out bank.example:443 from payments')
  const undelivered = shop(100, { mailer: 'none' })
  expect(lastingIn([undelivered, undelivered, undelivered])).toEqual([])
  expect(lastingIn([shop(20), shop(20), shop(20)])).toEqual([])
})

test('who is called too seldom to tell is not judged', () => {
  const seldom = failing(4, 4, 4).map(([...states]) => states.map((state) => ({ ...state, calls: state.calls / 10 })))
  expect(lastingIn(seldom)).toEqual([])
})

test('once something is found, small departures speak that are in no minute certain', () => {
  const minutes = failing(8, 0, 4)
  expect(lastingIn(minutes)).toEqual([])
  expect(tell(smallDepartures(pictureOf(minutes.flat()), pictureOf(before)))).toEqual([
    'errors payments POST /charge',
    'origin-errors payments POST /charge',
  ])
})

const bad = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 3, maxLength: 3 })

test('more failures are found where fewer were, the first minutes may change places, and names do not count', () => {
  fc.assert(
    fc.property(bad, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 1 }), (counts, more, cut) => {
      const found = tell(lastingIn(failing(...counts)))
      const worse = tell(lastingIn(failing(...counts.map((count) => count + more))))
      expect(worse).toEqual(expect.arrayContaining(found))
      const [first = 0, second = 0, last = 0] = counts
      const moved = cut === 0 ? counts : [second, first, last]
      expect(tell(lastingIn(failing(...moved)))).toEqual(found)
      const renamed = (states: CallState[]): CallState[] =>
        states.map((state) => ({
          ...state,
          service: `the ${state.service}`,
          caller: state.caller === '' ? '' : `the ${state.caller}`,
        }))
      const others = lastingIn(
        failing(...counts).map((minute) => renamed(minute.toReversed())),
        renamed(before),
      )
      expect(tell(others.map((finding) => ({ ...finding, service: finding.service.slice(4) })))).toEqual(found)
    }),
    { numRuns: 60 },
  )
})

test('worked by hand: 1 call of 1,000 failed before, 24 of 300 now, or 6', () => {
  const usual = callsIn('- > shop GET /: 1000 calls, 1 failed, 1 by itself')
  const minute = callsIn('- > shop GET /: 100 calls, 8 failed, 8 by itself')
  // 0.3 failures were expected; 24 came. Six are 5.7 more than expected, and less than two calls in a hundred.
  expect(tell(lastingIn([minute, minute, minute], usual))).toEqual(['errors shop GET /', 'origin-errors shop GET /'])
  const fewer = callsIn('- > shop GET /: 100 calls, 2 failed, 2 by itself')
  expect(lastingIn([fewer, fewer, fewer], usual)).toEqual([])
})
