import type { CallState } from '@headwater/store'
import { bucketOf, type Histogram } from '@headwater/vocabulary'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Finding } from './detect.ts'
import { isTooFew, onTheWay, ownErrors, ownTime, slowFinding, unanswered, waitedNs, waiting } from './finer-findings.ts'
import { type EdgeSeries, type OperationSeries, pictureOf } from './picture.ts'
import { callsIn, multiplied, otherName, renamed } from './test-table.ts'

function only<Value>(values: Iterable<Value>): Value {
  const [value, ...others] = values
  if (value === undefined || others.length > 0) throw new Error('Not one')
  return value
}

const operationOf = (states: CallState[]): OperationSeries => only(pictureOf(states).operations.values())
const edgeIn = (states: CallState[]): EdgeSeries => only(pictureOf(states).edges.values())

/** Calls of the catalog, by what is told of them: `40 failed, 40 by itself`. */
const catalog = (calls: number, facts = ''): CallState[] =>
  callsIn(`- > catalog GET /products: ${calls} calls, 15 ms, self 15 ms${facts}`)
const toCatalog = (calls: number, facts = ''): CallState[] =>
  callsIn(`gateway GET /products > catalog GET /products: ${calls} calls, 15 ms, self 15 ms${facts}`)
const toBank = (calls: number, facts = ''): CallState[] =>
  callsIn(`payments POST /charge ?> bank.example:443: ${calls} calls, 25 ms${facts}`)

/** Within one bucket of a histogram, 5 %. */
const about = (ms: number) => expect.closeTo(ms * 1e6, -Math.log10(ms * 1e6 * 0.1))

test('a worked example of own time: 80 of 100 calls take 45 ms instead of 15', () => {
  const finding = ownTime(operationOf(catalog(100, ', 80 self at 45 ms')), operationOf(catalog(1_000)), 1)
  expect(finding).toMatchObject({
    signal: 'self-time',
    service: 'catalog',
    operation: 'GET /products',
    unit: 'ns',
    calls: 100,
    baselineCalls: 1_000,
    expected: about(15),
    seen: about(45),
    excessCalls: expect.closeTo(80, 0),
    slowNs: about(22.5),
  })
  // 80 calls of 30 ms more than usual.
  expect((finding?.excessNs ?? 0) / (80 * 30e6)).toBeCloseTo(1, 1)
})

test('a worked example of errors: 41 of 100 calls fail where 1 of 100 does', () => {
  const before = operationOf(catalog(1_000, ', 10 failed, 10 by itself'))
  expect(ownErrors(operationOf(catalog(100, ', 41 failed, 41 by itself')), before)).toMatchObject({
    signal: 'origin-errors',
    expected: 0.01,
    seen: 0.41,
    unit: 'share',
    excessCalls: expect.closeTo(40, 9),
  })
  // Calls that fail because one below failed are not its own.
  expect(ownErrors(operationOf(catalog(100, ', 41 failed, 1 by itself')), before)).toBeUndefined()
})

test('errors tell from three calls and a tenth of all beyond the usual', () => {
  const failing = (calls: number, bad: number) =>
    ownErrors(operationOf(catalog(calls, `, ${bad} failed, ${bad} by itself`)), operationOf(catalog(1_000))) !==
    undefined
  expect([failing(10, 2), failing(10, 3)]).toEqual([false, true])
  expect([failing(1_000, 99), failing(1_000, 100)]).toEqual([false, true])
})

test('a worked example on the way: of 100 calls 20 were not answered, and 60 of the other 80 spent 400 ms between the two', () => {
  const now = edgeIn([
    ...toCatalog(80, ', 60 on the way at 400 ms'),
    ...callsIn('gateway GET /products ?> catalog: 20 calls, 1 ms, 20 failed'),
  ])
  const before = edgeIn(toCatalog(1_000))
  expect(onTheWay(now, before, 1)).toMatchObject({
    signal: 'wire-time',
    service: 'catalog',
    operation: 'GET /products',
    caller: 'gateway',
    callerOperation: 'GET /products',
    calls: 80,
    expected: about(1),
    seen: about(400),
    excessCalls: expect.closeTo(60, 0),
  })
  expect(unanswered(now, before, 'unanswered')).toMatchObject({ calls: 100, expected: 0, seen: 0.2, excessCalls: 20 })
  // Nothing is known of the way where no call was answered.
  expect(onTheWay(edgeIn(callsIn('gateway GET /products ?> catalog: 20 calls, 900 ms')), before, 1)).toBeUndefined()
})

test('a worked example of a peer: 60 of 100 calls were waited for 2 s instead of 25 ms', () => {
  const [now, before] = [edgeIn(toBank(100, ', 60 at 2000 ms')), edgeIn(toBank(1_000))]
  const finding = waiting(now, before, 1)
  expect(finding).toMatchObject({
    signal: 'latency',
    service: 'bank.example:443',
    operation: '',
    caller: 'payments',
    expected: about(25),
    seen: about(2_000),
    excessCalls: expect.closeTo(60, 0),
  })
  expect(waitedNs(now) - (waitedNs(before) * 100) / 1_000).toBeCloseTo(finding?.excessNs ?? 0, -3)
})

test('what a caller waits for is the callee’s work and the way to it, or all of a call that tells nothing of the callee', () => {
  expect(waitedNs(edgeIn(toCatalog(100)))).toEqual(about(100 * (15 + 1)))
  expect(waitedNs(edgeIn(toBank(100)))).toEqual(about(100 * 25))
})

test('one call now, or seven before, tell nothing', () => {
  expect([isTooFew(1, 1_000), isTooFew(2, 7), isTooFew(2, 8)]).toEqual([true, true, false])
})

test('where everything takes three times as long, only what takes longer than that tells', () => {
  const before = operationOf(catalog(1_000))
  const slow = (ms: number, slowdown: number) =>
    ownTime(operationOf(catalog(100, `, 100 self at ${ms} ms`)), before, slowdown) !== undefined
  expect([slow(45, 1), slow(45, 3), slow(150, 3)]).toEqual([true, false, true])
})

const percent = fc.integer({ min: 0, max: 100 })
const badCalls = fc.record({ slow: percent, stuck: percent, failed: percent, lost: percent })
type Bad = { slow: number; stuck: number; failed: number; lost: number }

/** 100 calls to the catalog, with what is bad of them, and 100 to a peer. */
function ill({ slow, stuck, failed, lost }: Bad): CallState[] {
  return [
    ...toCatalog(100, `, ${failed} failed, ${failed} by itself, ${slow} self at 60 ms, ${stuck} on the way at 400 ms`),
    ...callsIn(`gateway GET /products ?> bank.example:443: 100 calls, 25 ms, ${lost} failed, ${slow} at 700 ms`),
  ]
}

/** All findings of it, by what they are of. */
function found(now: CallState[], before: CallState[]): Record<string, Finding> {
  const [recent, known] = [pictureOf(now), pictureOf(before)]
  const operations = [...recent.operations].flatMap(([key, series]) => {
    const usual = known.operations.get(key)
    return usual === undefined ? [] : [ownTime(series, usual, 1), ownErrors(series, usual)]
  })
  const edges = [...recent.edges].flatMap(([key, series]) => {
    const usual = known.edges.get(key)
    if (usual === undefined) return []
    return known.served.has(series.service)
      ? [onTheWay(series, usual, 1), unanswered(series, usual, 'unanswered')]
      : [waiting(series, usual, 1), unanswered(series, usual, 'errors')]
  })
  const all = [...operations, ...edges].filter((finding) => finding !== undefined)
  return Object.fromEntries(all.map((finding) => [`${finding.signal} ${finding.service}`, finding]))
}

const well = multiplied(ill({ slow: 0, stuck: 0, failed: 0, lost: 0 }), 10)

test('neither order nor names matter', () => {
  fc.assert(
    fc.property(badCalls, (bad) => {
      const told = found(ill(bad), well)
      expect(found(ill(bad).toReversed(), well.toReversed())).toEqual(told)
      const names = (finding: Finding): Finding => ({
        ...finding,
        service: otherName(finding.service),
        ...(finding.caller === undefined ? {} : { caller: otherName(finding.caller) }),
      })
      expect(found(renamed(ill(bad), otherName), renamed(well, otherName))).toEqual(
        Object.fromEntries(
          Object.values(told).map((finding) => [`${finding.signal} ${otherName(finding.service)}`, names(finding)]),
        ),
      )
    }),
    { numRuns: 50 },
  )
})

test('under so many times the load the same is found and is no likelier to be chance, in so many times the calls', () => {
  fc.assert(
    fc.property(badCalls, fc.integer({ min: 2, max: 9 }), (bad, factor) => {
      const more = found(multiplied(ill(bad), factor), multiplied(well, factor))
      for (const [what, finding] of Object.entries(found(ill(bad), well))) {
        expect(more[what]?.excessCalls).toBeCloseTo(finding.excessCalls * factor, 6)
        expect(more[what]?.seen).toBeCloseTo(finding.seen, 6)
        expect(more[what]?.pValue).toBeLessThanOrEqual(finding.pValue + 1e-12)
      }
    }),
    { numRuns: 50 },
  )
})

test('the more calls are bad, the more is found, and the less of it is chance', () => {
  const kinds = fc.constantFrom('slow', 'stuck', 'failed', 'lost')
  fc.assert(
    fc.property(badCalls, kinds, percent, (bad, kind, more) => {
      const worse = found(ill({ ...bad, [kind]: Math.max(bad[kind], more) }), well)
      for (const [what, { excessCalls, pValue }] of Object.entries(found(ill(bad), well))) {
        expect(worse[what]?.excessCalls).toBeGreaterThanOrEqual(excessCalls - 1e-9)
        expect(worse[what]?.pValue).toBeLessThanOrEqual(pValue + 1e-12)
      }
    }),
    { numRuns: 100 },
  )
})

test('in whatever unit times are told, as many calls are slow', () => {
  const histogram = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 50 })), {
    minLength: 1,
    maxLength: 8,
  })
  const toHistogram = (times: [number, number][], by: number): Histogram => {
    const told: Histogram = {}
    for (const [ms, calls] of times) told[bucketOf(ms * 1e6) + by] = (told[bucketOf(ms * 1e6) + by] ?? 0) + calls
    return told
  }
  fc.assert(
    fc.property(histogram, histogram, fc.integer({ min: -40, max: 40 }), (now, before, by) => {
      const excess = (shift: number) =>
        slowFinding(
          { signal: 'self-time', service: 'a', operation: '' },
          {
            recent: toHistogram(now, shift),
            usual: toHistogram(before, shift),
            calls: 100,
            baselineCalls: 100,
            slowdown: 1,
          },
        )?.excessCalls
      expect(excess(by)).toEqual(excess(0))
    }),
  )
})
