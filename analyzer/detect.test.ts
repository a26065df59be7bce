import type { CallState } from '@headwater/store'
import { bucketMiddle, bucketOf } from '@headwater/vocabulary'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { detect, slowAbove } from './detect.ts'
import { parameters } from './parameters.ts'
import { callsIn, chance, evaluationOf, findingsOf, shop, tell } from './test-table.ts'

/** Payments fails by itself, and all above it with it. */
function failingPayments(calls: number, bad: number): CallState[] {
  return shop(calls, {
    payments: `${calls} calls, 40 ms, self 10 ms, ${bad} failed, ${bad} by itself`,
    orders: `${calls} calls, 60 ms, self 15 ms, ${bad} failed`,
    order: `${calls} calls, 90 ms, self 10 ms, ${bad} failed`,
  })
}

/** The catalog itself grows slow, and all above it with it. */
function slowCatalog(calls: number, slow: number, ms: number): CallState[] {
  return shop(calls, {
    catalog: `${calls} calls, 15 ms, self 15 ms, ${slow} at ${ms} ms, ${slow} self at ${ms} ms`,
    browse: `${calls} calls, 30 ms, self 10 ms, ${slow} at ${ms + 15} ms`,
  })
}

test('a shop as it always is shows nothing', () => {
  expect(findingsOf(shop(100))).toEqual([])
})

test('errors show at their origin and at all that they reach', () => {
  expect(tell(findingsOf(failingPayments(100, 30)))).toEqual([
    'errors gateway POST /orders',
    'errors orders POST /orders',
    'errors payments POST /charge',
    'origin-errors payments POST /charge',
  ])
})

test('an error finding tells what was expected, what was seen, and how many calls went wrong beyond the expected', () => {
  const before = shop(1_000, { payments: '1000 calls, 40 ms, self 10 ms, 10 failed, 10 by itself' })
  const [finding] = findingsOf(shop(100, { payments: '100 calls, 40 ms, self 10 ms, 41 failed, 41 by itself' }), before)
  expect(finding).toMatchObject({ expected: 0.01, seen: 0.41, unit: 'share', calls: 100, baselineCalls: 1_000 })
  expect(finding?.excessCalls).toBeCloseTo(40, 9)
  expect(finding?.pValue).toBeLessThan(1e-20)
})

test('slowness shows as self time where it arises, and as latency at all who wait for it', () => {
  expect(tell(findingsOf(slowCatalog(100, 40, 400)))).toEqual([
    'latency catalog GET /products',
    'latency gateway GET /products',
    'self-time catalog GET /products',
  ])
})

test('a latency finding tells the usual median and the median of the slow calls, however many stay fast', () => {
  const finding = findingsOf(slowCatalog(100, 20, 400)).find(({ signal }) => signal === 'self-time')
  expect((finding?.expected ?? 0) / 15e6).toBeCloseTo(1, 1)
  expect((finding?.seen ?? 0) / 400e6).toBeCloseTo(1, 1)
  expect((finding?.excessNs ?? 0) / (20 * 385e6)).toBeCloseTo(1, 1)
  expect(finding?.excessCalls).toBeCloseTo(20, 9)
})

test('a call is slow beyond 1.5 times the slowest hundredth, 2.5 times the median, and what anybody would notice', () => {
  const at = (ms: number) => String(bucketOf(ms * 1e6))
  const slowNs = (histogram: Record<string, number>) => bucketMiddle(slowAbove(histogram, parameters.slowTail))
  // Within one bucket, 5 %.
  expect(slowNs({ [at(1)]: 100 }) / parameters.slowFloorNs).toBeCloseTo(1, 1)
  expect(slowNs({ [at(1_000)]: 100 }) / 2_500e6).toBeCloseTo(1, 1)
  expect(slowNs({ [at(1_000)]: 90, [at(4_000)]: 10 }) / 6_000e6).toBeCloseTo(1, 1)
})

test('most calls being slower shows also where a few had always been slower still', () => {
  const before = slowCatalog(1_000, 30, 2_000)
  expect(tell(findingsOf(slowCatalog(100, 80, 400), before))).toContain('self-time catalog GET /products')
  expect(findingsOf(slowCatalog(100, 20, 400), before)).toEqual([])
})

test('calls to a service that gives no answer show at the edge, and the callers fail without being the origin', () => {
  const dead = shop(100, {
    payments: 'none',
    bank: 'none',
    orders: '100 calls, 20 ms, self 15 ms, 100 failed',
    order: '100 calls, 40 ms, self 10 ms, 100 failed',
  })
  const unanswered = callsIn('orders POST /orders ?> payments: 100 calls, 1 ms, 100 failed')
  expect(tell(findingsOf([...dead, ...unanswered]))).toEqual([
    'errors gateway POST /orders',
    'errors orders POST /orders',
    'unanswered payments POST /charge from orders',
  ])
})

test('a peer without spans is judged by what its callers saw of it', () => {
  const now = shop(100, { bank: '100 calls, 25 ms, 50 failed, 30 at 900 ms' })
  expect(tell(findingsOf(now))).toEqual([
    'errors bank.example:443 from payments',
    'latency bank.example:443 from payments',
  ])
})

test('a worker that takes no messages while they are sent has fallen silent', () => {
  const [finding, ...others] = findingsOf(shop(100, { mailer: 'none' }))
  expect(others).toEqual([])
  expect(finding).toMatchObject({ signal: 'silence', service: 'mailer', operation: 'process mails', seen: 0 })
  expect(finding?.expected).toBeCloseTo(100, 9)
})

test('a worker that is quiet because nobody sends has not fallen silent', () => {
  expect(findingsOf(shop(100, { mailer: 'none', mails: 'none' }))).toEqual([])
})

test('a worker that lags a little behind has not fallen silent', () => {
  expect(findingsOf(shop(100, { mailer: '40 calls, 20 ms, self 20 ms' }))).toEqual([])
})

test('a service that its callers stopped calling has not fallen silent: a cache, or a flag that was turned', () => {
  expect(findingsOf(shop(100, { catalog: 'none' }))).toEqual([])
})

test('services whose callers stopped too have not fallen silent: no load looks like no service', () => {
  const night = shop(100, {
    order: 'none',
    orders: 'none',
    payments: 'none',
    bank: 'none',
    mails: 'none',
    mailer: 'none',
  })
  expect(findingsOf(night)).toEqual([])
  expect(findingsOf([])).toEqual([])
})

test('who is still named by those it calls lives: its own spans are lost, and nobody can tell how it fares', () => {
  const lost = shop(100, { order: 'none', browse: 'none' })
  expect(findingsOf(lost)).toEqual([])
  const alone = callsIn('- > gateway GET /: 1000 calls')
  expect(findingsOf([], alone)).toEqual([])
})

test('a worker that takes no messages and still makes the calls that it makes of them has not fallen silent', () => {
  const posting = (calls: number, made: number): CallState[] =>
    callsIn(`mailer process mails > post POST /send: ${made} calls`).concat(shop(calls))
  const before = posting(1_000, 1_000)
  const silent = (made: number): CallState[] => posting(100, made).filter(({ service }) => service !== 'mailer')
  expect(findingsOf(silent(100), before)).toEqual([])
  // A few that were under way when it died are no sign of life.
  for (const made of [0, 25]) expect(tell(findingsOf(silent(made), before))).toEqual(['silence mailer process mails'])
})

test('with no collector alive silence says nothing, but what was seen still counts', () => {
  expect(findingsOf(shop(100, { mailer: 'none' }), shop(1_000), false)).toEqual([])
  expect(findingsOf(failingPayments(100, 30), shop(1_000), false)).toHaveLength(4)
})

test('a series that has hardly any past is not judged', () => {
  expect(findingsOf(failingPayments(100, 100), shop(7))).toEqual([])
  expect(findingsOf(failingPayments(100, 100), [])).toEqual([])
})

test('three bad calls are nothing, whatever their share', () => {
  expect(findingsOf(failingPayments(3, 3))).toEqual([])
})

test('silence of a service that was due a dozen calls at most is nothing', () => {
  expect(findingsOf(shop(11, { mailer: 'none' }), shop(110))).toEqual([])
})

test('a rise of a few percent is nothing, however certain', () => {
  expect(findingsOf(failingPayments(10_000, 700), shop(100_000))).toEqual([])
})

test('errors that are normal are nothing: users who mistype, a search that finds nothing', () => {
  const before = shop(1_000, { order: '1000 calls, 90 ms, self 10 ms, 300 failed, 300 by itself' })
  for (const failed of [20, 30, 38]) {
    const now = shop(100, { order: `100 calls, 90 ms, self 10 ms, ${failed} failed, ${failed} by itself` })
    expect(findingsOf(now, before)).toEqual([])
  }
})

test('calls that often take long are normal where they often did', () => {
  expect(findingsOf(slowCatalog(100, 12, 900), slowCatalog(1_000, 100, 900))).toEqual([])
})

test('a call that got slower below what anybody notices is nothing', () => {
  const before = shop(1_000, { catalog: '1000 calls, 2 ms, self 2 ms' })
  const unnoticedMs = Math.floor(parameters.slowFloorNs / 1e6 / 1.3)
  const now = shop(100, { catalog: `100 calls, ${unnoticedMs} ms, self ${unnoticedMs} ms` })
  expect(findingsOf(now, before)).toEqual([])
})

test('where everything takes twice as long, only what is slower by more than that shows', () => {
  const now = shop(100, {
    browse: '100 calls, 700 ms, self 20 ms',
    catalog: '100 calls, 550 ms, self 550 ms',
  })
  expect(tell(findingsOf(now))).toHaveLength(3)
  const slowedDown = (slowdown: number): string[] => tell(detect({ ...evaluationOf(now, shop(1_000), true), slowdown }))
  expect(slowedDown(2)).toEqual(tell(findingsOf(now)))
  expect(slowedDown(20)).toEqual([])
  expect(tell(detect({ ...evaluationOf(failingPayments(100, 30), shop(1_000)), slowdown: 20 }))).toHaveLength(4)
})

test('what is slow in a system that has just been started, nobody knows; what fails, everybody', () => {
  const young = { baselineMs: parameters.slowBaselineMs - 10_000 }
  expect(detect({ ...evaluationOf(slowCatalog(100, 40, 400), shop(1_000)), ...young })).toEqual([])
  expect(detect({ ...evaluationOf(failingPayments(100, 30), shop(1_000)), ...young })).toHaveLength(4)
})

test('load that doubles, or halves, or grows tenfold is nothing', () => {
  for (const calls of [50, 200, 1_000]) expect(findingsOf(shop(calls))).toEqual([])
})

test('faults show alike under double and half the load', () => {
  const usual = tell(findingsOf(failingPayments(100, 40)))
  expect(tell(findingsOf(failingPayments(200, 80)))).toEqual(usual)
  expect(tell(findingsOf(failingPayments(50, 20)))).toEqual(usual)
})

test('an operation that is new is not judged, nor is one that is no longer called', () => {
  const before = shop(1_000)
  const release = callsIn('- > gateway GET /beta: 50 calls, 50 failed, 50 by itself')
  expect(findingsOf([...shop(100), ...release], before)).toEqual([])
  expect(findingsOf(shop(100, { bank: 'none' }), before)).toEqual([])
})

const faults = fc.constantFrom(
  failingPayments(100, 50),
  slowCatalog(100, 50, 500),
  shop(100, { mailer: 'none' }),
  shop(100, { bank: '100 calls, 25 ms, 60 at 2000 ms' }),
)

test('the order in which the store gives the states does not matter', () => {
  fc.assert(
    fc.property(
      faults.chain((states) => fc.shuffledSubarray(states, { minLength: states.length })),
      fc.shuffledSubarray(shop(1_000), { minLength: 8 }),
      (now, before) => {
        const ordered = now.toSorted((a, b) => (a.operation < b.operation ? -1 : 1))
        expect(tell(findingsOf(now, before))).toEqual(tell(findingsOf(ordered)))
      },
    ),
    { numRuns: 50 },
  )
})

test('the names of services do not matter', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z@/%.]{1,8}$/), { minLength: 7, maxLength: 7 })
  fc.assert(
    fc.property(faults, names, (now, [...given]) => {
      const services = ['gateway', 'orders', 'payments', 'catalog', 'bank.example:443', 'mails', 'mailer']
      const renamed = new Map([['', ''], ...services.map((service, i) => [service, given[i] ?? ''] as const)])
      const rename = (states: CallState[]): CallState[] =>
        states.map((state) => ({
          ...state,
          service: renamed.get(state.service) ?? '',
          caller: renamed.get(state.caller) ?? '',
        }))
      const found = findingsOf(rename(now), rename(shop(1_000)))
      const expected = findingsOf(now).map((finding) => ({
        ...finding,
        service: renamed.get(finding.service) ?? '',
        ...(finding.caller === undefined ? {} : { caller: renamed.get(finding.caller) ?? '' }),
      }))
      expect(found).toEqual(expected)
    }),
    { numRuns: 50 },
  )
})

test('ten times the load, now and before, shows the same', () => {
  expect(tell(findingsOf(failingPayments(1_000, 500), shop(10_000)))).toEqual(
    tell(findingsOf(failingPayments(100, 50))),
  )
  expect(tell(findingsOf(slowCatalog(1_000, 500, 400), shop(10_000)))).toEqual(
    tell(findingsOf(slowCatalog(100, 50, 400))),
  )
})

test('what shows at some share of bad calls shows at every larger share, with more excess and less chance', () => {
  const excess = (bad: number) => findingsOf(failingPayments(100, bad)).find(({ signal }) => signal === 'origin-errors')
  let last = { excessCalls: 0, pValue: 1 }
  let shownSince: number | undefined
  for (let bad = 0; bad <= 100; bad += 1) {
    const finding = excess(bad)
    if (finding !== undefined) shownSince ??= bad
    expect(finding === undefined, `${bad} bad calls`).toBe(shownSince === undefined)
    if (finding === undefined) continue
    expect(finding.excessCalls).toBeGreaterThan(last.excessCalls)
    expect(finding.pValue).toBeLessThan(last.pValue)
    last = finding
  }
  expect(shownSince).toBeLessThanOrEqual(10)
})

test('what shows at some slowness shows at every larger one', () => {
  let shown = false
  for (let ms = 20; ms <= 5_000; ms *= 1.3) {
    const shows = findingsOf(slowCatalog(100, 50, Math.round(ms))).some(({ signal }) => signal === 'self-time')
    expect(shows || !shown, `${ms} ms`).toBe(true)
    shown = shows
  }
  expect(shown).toBe(true)
})

test('a thousand healthy services, each with some errors, raise no finding by chance in twenty steps', () => {
  const next = chance(7)
  const failures = (calls: number): number => {
    let failed = 0
    for (let call = 0; call < calls; call += 1) if (next() < 0.05) failed += 1
    return failed
  }
  const tableOf = (calls: number): CallState[] =>
    callsIn(
      Array.from({ length: 1_000 }, (_, i) => {
        const failed = failures(calls)
        return `- > s${i} GET /: ${calls} calls, ${failed} failed, ${failed} by itself`
      }).join('\n'),
    )
  const before = tableOf(400)
  for (let step = 0; step < 20; step += 1) expect(tell(findingsOf(tableOf(40), before))).toEqual([])
})
