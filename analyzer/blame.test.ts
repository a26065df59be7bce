import fc from 'fast-check'
import type { CallState, LogPattern } from '@headwater/store'
import { expect, test } from 'vitest'
import { blame } from './blame.ts'
import { toCauses } from './cause.ts'
import { titleOf } from './explain.ts'
import { pictureOf } from './picture.ts'
import { callsIn, findingsOf, multiplied, otherName, renamed, shop } from './test-table.ts'

const healthy = shop(1_000)

function blamed(now: CallState[], before = healthy): string[] {
  return blame(pictureOf(now), pictureOf(before)).map(({ kind, service }) => `${kind} ${service}`)
}

test('who is as always is not blamed', () => {
  expect(blamed(shop(100))).toEqual([])
  expect(blamed(shop(5))).toEqual([])
})

test('time lost on the way to a service is its own, and not that of who waits', () => {
  expect(blamed(shop(100, { payments: '100 calls, 40 ms, self 10 ms, 60 on the way at 900 ms' }))).toEqual([
    'latency payments',
  ])
})

test('a worked example: of 100 calls 80 have three times their usual time of their own', () => {
  const [first] = blame(
    pictureOf(shop(100, { catalog: '100 calls, 15 ms, self 15 ms, 80 self at 45 ms' })),
    pictureOf(healthy),
  )
  // All of the 80 are 1.5 times as slow as any call of before, so 0.8 · 100 calls count, over 100^0.7.
  expect(first?.service).toBe('catalog')
  expect(first?.weight).toBeCloseTo(80 / 100 ** 0.7, 1)
})

test('slowness is found below what a person would notice, and from few calls', () => {
  expect(blamed(shop(6, { catalog: '6 calls, 15 ms, self 15 ms, 6 self at 45 ms' }))).toEqual(['latency catalog'])
})

test('calls that nobody answers speak against who should have', () => {
  const now = [
    ...shop(100, { payments: 'none', bank: 'none' }),
    ...callsIn('orders POST /orders ?> payments: 100 calls, 1 ms, 100 failed'),
  ]
  const before = [...healthy, ...callsIn('orders POST /orders ?> payments: 10 calls, 1 ms')]
  expect(blamed(now, before)).toEqual(['unavailable payments'])
})

test('a peer that is slow for one operation of its only caller is to blame, and half so where another caller is well', () => {
  const peerOf = (evaluate: number, forecast: string): CallState[] =>
    callsIn(`
      - > gateway POST /math: 200 calls, 20 ms, self 1 ms
      gateway POST /math > math POST /evaluate: 100 calls, ${evaluate + 1} ms, self 1 ms
      gateway POST /math > math POST /matrix: 100 calls, 6 ms, self 1 ms
      math POST /evaluate ?> rates.internal: 100 calls, ${evaluate} ms
      math POST /matrix ?> rates.internal: 100 calls, 5 ms
      ${forecast}`)
  const forecast = `
      gateway POST /math > forecast POST /forecast: 200 calls, 6 ms, self 1 ms
      forecast POST /forecast ?> rates.internal: 200 calls, 5 ms`
  const weightOf = (now: CallState[], before: CallState[]): number | undefined =>
    blame(pictureOf(now), pictureOf(before)).find(({ peer }) => peer === 'rates.internal')?.weight
  const alone = weightOf(peerOf(700, ''), peerOf(5, '')) ?? 0
  // 100 of 200 calls, to the power of 0.7.
  expect(alone).toBeCloseTo(100 / 200 ** 0.7, 1)
  expect(weightOf(peerOf(700, forecast), peerOf(5, forecast))).toBeLessThan(alone / 2)
})

test('who takes a little longer explains little where another takes ten times as long again', () => {
  const now = shop(100, {
    catalog: '100 calls, 15 ms, self 15 ms, 60 self at 40 ms',
    payments: '100 calls, 40 ms, self 10 ms, 60 self at 900 ms',
  })
  const [first, second] = blame(pictureOf(now), pictureOf(healthy))
  expect([first?.service, second?.service]).toEqual(['payments', 'catalog'])
  // The same share of calls, but 25 ms beside 890 are less than a tenth.
  expect(second?.weight).toBeLessThan((first?.weight ?? 0) * 0.5)
})

test('a service that stands still now and then is to blame for the queue at who calls it', () => {
  const now = shop(1_000, {
    catalog: '1000 calls, 15 ms, self 15 ms, 30 self at 2000 ms',
    browse: '1000 calls, 30 ms, self 10 ms, 200 self at 700 ms',
    order: '1000 calls, 90 ms, self 10 ms, 200 self at 700 ms, flow POST /orders',
  })
  expect(blamed(now)[0]).toBe('latency catalog')
  // Shorter stalls than what the caller loses do not explain it.
  const shorter = shop(1_000, {
    catalog: '1000 calls, 15 ms, self 15 ms, 30 self at 300 ms',
    browse: '1000 calls, 30 ms, self 10 ms, 200 self at 700 ms',
    order: '1000 calls, 90 ms, self 10 ms, 200 self at 700 ms, flow POST /orders',
  })
  expect(blamed(shorter)).toEqual(['latency gateway'])
})

test('who asks many times instead of once is to blame, not who is overloaded by it, nor whom that one asks', () => {
  const graph = (asks: number, slow: number): CallState[] =>
    callsIn(`
      - > gateway POST /reviews: 100 calls, ${20 * slow} ms, self 1 ms
      gateway POST /reviews > reviews POST /list: 100 calls, ${20 * slow} ms, self 2 ms
      reviews POST /list > wishes GET /check: ${100 * asks} calls, ${10 * slow} ms, self ${5 * slow} ms
      wishes GET /check ?> wishes-db: ${100 * asks} calls, ${3 * slow} ms`)
  const [first, ...others] = blame(pictureOf(graph(20, 10)), pictureOf(graph(1, 1)))
  expect([first?.service, first?.operation, first?.findings[0]?.signal]).toEqual(['reviews', 'POST /list', 'fan-out'])
  expect(others.every(({ weight }) => weight === 0)).toBe(true)
})

test('who leaves out work is to blame for it, by the operation that does', () => {
  const left = {
    signal: 'fan-out',
    service: 'bank.example:443',
    operation: '',
    caller: 'payments',
    callerOperation: 'POST /charge',
    expected: 1,
    seen: 0.6,
    unit: 'calls',
    pValue: 1e-12,
    calls: 1_000,
    baselineCalls: 1_000,
    excessCalls: 400,
    excessNs: 0,
  } as const
  const suspects = blame(pictureOf(healthy), pictureOf(healthy), { alarms: [left] })
  expect(suspects).toMatchObject([{ service: 'payments', operation: 'POST /charge', kind: 'errors' }])
  const [cause] = toCauses(suspects, pictureOf(healthy))
  expect(titleOf(cause)).toBe('payments POST /charge leaves out calls that it usually makes')
  expect(cause?.evidence.map(({ sentence }) => sentence)).toEqual([
    'payments POST /charge made 0.6 calls to bank.example:443 in each of its own; 1 is normal.',
  ])
})

test('where everything takes three times as long, nobody is blamed for as much', () => {
  const now = pictureOf(
    shop(100, {
      catalog: '100 calls, 45 ms, self 45 ms',
      payments: '100 calls, 120 ms, self 30 ms',
      bank: '100 calls, 75 ms',
    }),
  )
  expect(blame(now, pictureOf(healthy)).map(({ service }) => service)).toContain('catalog')
  expect(blame(now, pictureOf(healthy), { slowdown: 3 })).toEqual([])
})

test('a rare service that is ill in all of its calls comes before a busy one that is ill in some', () => {
  const now = shop(1_000, {
    orders: '1000 calls, 60 ms, self 15 ms, 120 self at 60 ms',
    catalog: '40 calls, 15 ms, self 15 ms, 40 self at 60 ms',
  })
  expect(blamed(now).slice(0, 2)).toEqual(['latency catalog', 'latency orders'])
})

test('a caller that waits for calls which the traces lost comes after who was slow', () => {
  const now = shop(100, {
    orders: '100 calls, 60 ms, self 15 ms, 95 self at 900 ms',
    payments: '60 calls, 40 ms, self 10 ms, 55 on the way at 900 ms',
  })
  expect(blamed(now)[0]).toBe('latency payments')
})

test('slowness is rather the cause of errors elsewhere than their effect', () => {
  const now = shop(100, {
    mailer: '100 calls, 20 ms, self 20 ms, 90 failed, 90 by itself',
    catalog: '100 calls, 15 ms, self 15 ms, 85 on the way at 900 ms',
  })
  expect(blamed(now)).toEqual(['latency catalog', 'errors mailer'])
})

const logged = (spans: number, ofSpans: number, pattern = 'Charge:40', windowMs = 0): LogPattern => ({
  service: 'payments',
  operation: 'charge',
  pattern,
  example: `line of ${pattern}`,
  windowMs,
  severity: 17,
  spans,
  ofSpans,
})

test('a line that spans began or ceased to log speaks against their service, also where they log no more', () => {
  const find = (recent: LogPattern[], usual: LogPattern[]) =>
    blame(pictureOf(shop(100)), pictureOf(healthy), { logs: { recent, usual } }).map(
      ({ service, findings }) => `${service}: ${findings.map(({ line }) => line).join()}`,
    )
  const usually = (spans: number): LogPattern[] => [logged(spans, 400), logged(0, 400, '')]
  expect(find([logged(30, 40)], usually(2))).toEqual(['payments: line of Charge:40'])
  expect(find([logged(2, 40)], usually(390))).toEqual(['payments: line of Charge:40'])
  expect(find([logged(0, 40, '')], usually(390))).toEqual(['payments: line of Charge:40'])
  expect(find([logged(38, 40)], usually(390))).toEqual([])
  expect(find([logged(3, 3)], usually(0))).toEqual([])
})

test('what is usual is not moved by a few windows of trouble', () => {
  const windows = [1, 2, 3, 4, 5].flatMap((window) => [
    logged(window < 3 ? 0 : 100, 100, undefined, window),
    logged(0, 100, '', window),
  ])
  const find = (spans: number) =>
    blame(pictureOf(shop(100)), pictureOf(healthy), { logs: { recent: [logged(spans, 40)], usual: windows } })
  expect(find(40)).toEqual([])
  expect(find(0).map(({ service }) => service)).toEqual(['payments'])
})

test('where errors alone raised the alarm, whoever is a little slower is not blamed', () => {
  const now = shop(100, {
    payments: '100 calls, 40 ms, self 10 ms, 20 failed, 20 by itself',
    catalog: '100 calls, 30 ms, self 30 ms',
  })
  const alarms = findingsOf(now, healthy)
  expect(alarms.every(({ unit }) => unit === 'share')).toBe(true)
  const services = (testimony: Parameters<typeof blame>[2]) =>
    blame(pictureOf(now), pictureOf(healthy), testimony).map(({ service }) => service)
  expect(services({ alarms })).toEqual(['payments'])
  expect(services({ alarms, wasSlow: true })).toContain('catalog')
})

/** A catalog that asks its cache in each call, and its database in so many of a thousand. */
function cached(misses: number, { asked = 1_000, ms = 4 + Math.round(misses / 20) } = {}): CallState[] {
  return callsIn(`
    - > catalog GET /products: 1000 calls, ${ms} ms
    catalog GET /products ?> redis: ${asked} calls, 1 ms
    catalog GET /products ?> postgres: ${misses} calls, 30 ms`)
}

test('a cache that is asked as ever, while a database has to answer, has lost what it knew', () => {
  const [first, ...others] = blame(pictureOf(cached(800)), pictureOf(cached(50)))
  expect(others.filter(({ weight }) => weight > 0)).toEqual([])
  expect(first).toMatchObject({ service: 'catalog', operation: 'GET /products', kind: 'dependency', peer: 'redis' })
  expect(
    toCauses(
      [first].filter((it) => it !== undefined),
      pictureOf(cached(50)),
    )[0]?.evidence[0]?.sentence,
  ).toBe(
    'catalog GET /products asked redis as often as ever, and then made 0.8 calls to postgres in each of its own; 0.05 is normal.',
  )
})

test('who asks a database more often, and whatever stands beside it less often or always less, does so by itself', () => {
  const first = (now: CallState[], before: CallState[]) => blame(pictureOf(now), pictureOf(before))[0]
  expect(first(cached(800, { asked: 100 }), cached(50))).toMatchObject({ service: 'catalog', kind: 'latency' })
  expect(first(cached(800, { asked: 20 }), cached(50, { asked: 20 }))).toMatchObject({
    service: 'catalog',
    kind: 'latency',
  })
})

const shares = fc.record({ orders: fc.nat(100), catalog: fc.nat(100), mailer: fc.nat(100) })

function ill({ orders, catalog, mailer }: { orders: number; catalog: number; mailer: number }): CallState[] {
  return shop(100, {
    orders: `100 calls, 60 ms, self 15 ms, ${orders} self at 100 ms`,
    catalog: `100 calls, 15 ms, self 15 ms, ${catalog} on the way at 400 ms`,
    mailer: `100 calls, 20 ms, self 20 ms, ${mailer} failed, ${mailer} by itself`,
  })
}

/** Who bears how much. */
function weightsOf(now: CallState[], before: CallState[]): Record<string, number> {
  const suspects = blame(pictureOf(now), pictureOf(before))
  return Object.fromEntries(suspects.map(({ service, weight }) => [service, Number(weight.toFixed(9))]))
}

test('neither the order of what is seen nor the names of services change who bears how much', () => {
  fc.assert(
    fc.property(shares, (bad) => {
      const weights = weightsOf(ill(bad), healthy)
      expect(weightsOf(ill(bad).toReversed(), healthy.toReversed())).toEqual(weights)
      const underOtherNames = Object.entries(weights).map(([service, weight]) => [otherName(service), weight])
      expect(weightsOf(renamed(ill(bad), otherName), renamed(healthy, otherName))).toEqual(
        Object.fromEntries(underOtherNames),
      )
    }),
    { numRuns: 30 },
  )
})

test('under more load each who is plainly ill bears more by the same factor', () => {
  const plain = fc.integer({ min: 30, max: 100 })
  const plainly = fc.record({ orders: plain, catalog: plain, mailer: plain })
  fc.assert(
    fc.property(plainly, fc.integer({ min: 2, max: 9 }), (bad, factor) => {
      const weights = Object.entries(weightsOf(ill(bad), healthy))
      const more = weightsOf(multiplied(ill(bad), factor), multiplied(healthy, factor))
      expect(Object.keys(more).toSorted()).toEqual(['catalog', 'mailer', 'orders'])
      // So many times the bad calls, over so many times the calls to the power of 0.7.
      for (const [service, weight] of weights) expect(more[service]).toBeCloseTo(weight * factor ** 0.3, 6)
    }),
    { numRuns: 30 },
  )
})

test('what is worse weighs no less, be it slow, stuck on the way or failing', () => {
  const places = fc.constantFrom('orders', 'catalog', 'mailer')
  fc.assert(
    fc.property(shares, places, fc.integer({ min: 0, max: 100 }), (bad, place, more) => {
      const worse = { ...bad, [place]: Math.min(100, bad[place] + more) }
      const [weight = 0, now = 0] = [bad, worse].map((is) => weightsOf(ill(is), healthy)[place] ?? 0)
      expect(now).toBeGreaterThanOrEqual(weight - 1e-9)
    }),
    { numRuns: 60 },
  )
})

test('worked examples of 100 calls: each bad one counts over 100 to the power of 0.7, which is 25.1', () => {
  const of = (now: CallState[], before = healthy) => weightsOf(now, before)
  const failing = shop(100, { mailer: '100 calls, 20 ms, self 20 ms, 90 failed, 90 by itself' })
  expect(of(failing)).toEqual({ mailer: expect.closeTo(90 / 25.1, 1) })
  const stuck = shop(100, { catalog: '100 calls, 15 ms, self 15 ms, 80 on the way at 900 ms' })
  expect(of(stuck)).toEqual({ catalog: expect.closeTo(80 / 25.1, 1) })
  const dead = [
    ...shop(100, { payments: 'none', bank: 'none' }),
    ...callsIn('orders POST /orders ?> payments: 100 calls, 1 ms, 70 failed'),
  ]
  expect(of(dead)).toEqual({ payments: expect.closeTo(70 / 25.1, 1) })
  // Beside what is slow in 80 of 100 calls, only 1 − 0.5 · 0.8 of each failure counts.
  const both = shop(100, {
    mailer: '100 calls, 20 ms, self 20 ms, 90 failed, 90 by itself',
    catalog: '100 calls, 15 ms, self 15 ms, 80 on the way at 900 ms',
  })
  expect(of(both)).toEqual({
    catalog: expect.closeTo(80 / 25.1, 1),
    mailer: expect.closeTo((90 * 0.6) / 25.1, 1),
  })
  // Above a service that fails in 60 of 100 calls, each of which counts half, 0.7 of its own slowness is left.
  const above = shop(100, {
    orders: '100 calls, 60 ms, self 15 ms, 80 self at 900 ms',
    mailer: '100 calls, 20 ms, self 20 ms, 60 failed, 60 by itself',
  })
  expect(of(above)).toMatchObject({ orders: expect.closeTo((80 * 0.7) / 25.1, 1) })
  // Who waits for 45 s more than usual, where all of its calls usually take 6 s, has no slowness of its own.
  const waiting = shop(100, {
    orders: '100 calls, 60 ms, self 15 ms, 80 self at 900 ms',
    payments: '100 calls, 40 ms, self 10 ms, 50 on the way at 900 ms',
  })
  expect(of(waiting)).toEqual({ payments: expect.closeTo(50 / 25.1, 1), orders: 0 })
})
