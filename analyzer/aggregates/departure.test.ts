import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Interval, judgeDeparture, nearTimeOfDay } from './departure.ts'
import { component, intervalsIn } from './test-intervals.ts'

test('time beyond the usual, over all calls', () => {
  // 100 calls of 30 ms instead of 20: 1,000 ms more; by chance the mean of 100 calls moves by a tenth.
  const departure = judgeDeparture(component('a', '200 x 100 calls, 20 ms', '100 calls, 30 ms'), 'latency')
  expect(departure?.expected).toBeCloseTo(20e6, -6)
  expect((departure?.excess ?? 0) / 1e9).toBeCloseTo(1, 1)
  expect((departure?.spread ?? 0) / 1e9).toBeGreaterThan(0.2)
  expect((departure?.spread ?? 0) / 1e9).toBeLessThan(0.25)
  expect(departure?.pValue).toBeLessThan(1e-4)
})

test('failed calls beyond the usual', () => {
  const departure = judgeDeparture(component('a', '200 x 100 calls, 20 ms', '100 calls, 20 ms, 12 failed'), 'errors')
  expect(departure).toMatchObject({ expected: 0, seen: 0.12, excess: 12 })
  expect(departure?.pValue).toBeLessThan(1e-6)
  expect(judgeDeparture(component('a', '200 x 100 calls', '100 calls'), 'errors')?.pValue).toBe(1)
})

test('a component that fails half of its calls on a usual day does not depart when it does so again', () => {
  const before = Array.from({ length: 100 }, (_, at) => `10 calls, 20 ms, ${[2, 5, 8][at % 3] ?? 0} failed`).join(';')
  const usual = judgeDeparture(component('a', before, '10 calls, 20 ms, 8 failed'), 'errors')
  expect(usual?.pValue).toBeGreaterThan(0.05)
})

test('an incident within the last hour does not become usual', () => {
  const before = '200 x 100 calls, 20 ms;100 calls, 20 ms, 80 failed;100 calls, 20 ms, 90 failed;4 x 100 calls, 20 ms'
  const departure = judgeDeparture(component('a', before, '100 calls, 20 ms, 12 failed'), 'errors')
  expect(departure).toMatchObject({ expected: 0, excess: 12 })
  expect(departure?.pValue).toBeLessThan(1e-6)
})

test('what few calls show may be chance, what many show is not', () => {
  const chanceOf = (calls: number): number =>
    judgeDeparture(component('a', `200 x ${calls} calls, 20 ms`, `${calls} calls, 30 ms`), 'latency')?.pValue ?? 1
  expect(chanceOf(4)).toBeGreaterThan(0.1)
  expect(chanceOf(1_000)).toBeLessThan(1e-6)
})

test('of a component without calls, or without a past, nothing is said', () => {
  expect(judgeDeparture(component('a', '200 x 100 calls, 20 ms', '0 calls'), 'latency')).toBeUndefined()
  expect(judgeDeparture(component('a', '200 x 100 calls, 20 ms', '3 calls, 900 ms'), 'latency')).toBeUndefined()
  expect(judgeDeparture(component('a', '7 calls, 20 ms', '100 calls, 90 ms'), 'latency')).toBeUndefined()
  expect(judgeDeparture({ name: 'a', before: [], now: intervalsIn('9 calls, 9 ms') }, 'errors')).toBeUndefined()
})

test('the last hour tells the level where it differs from weeks ago', () => {
  const dayMs = 24 * 3_600_000
  const longAgo = intervalsIn('200 x 100 calls, 20 ms')
  const lately = intervalsIn('6 x 1000 calls, 28 ms', 30 * dayMs)
  const now = intervalsIn('1000 calls, 28 ms', 30 * dayMs + 1_800_000)
  const expected = (before: Interval[]): number =>
    (judgeDeparture({ name: 'a', before, now }, 'latency')?.expected ?? 0) / 1e6
  expect(expected(longAgo)).toBeCloseTo(20, 0)
  expect(expected([...longAgo, ...lately])).toBeGreaterThan(26)
  // It is never believed to be normal that all takes five times as long.
  const tooSlow = intervalsIn('6 x 1000 calls, 100 ms', 30 * dayMs)
  expect(expected([...longAgo, ...tooSlow])).toBeLessThan(40.1)
})

test('with a short past, spread leans on what is usual of components', () => {
  const departure = judgeDeparture(component('a', '2 x 10000 calls, 20 ms', '10000 calls, 24 ms'), 'latency')
  // 4 ms of 20 are two to three times the usual tenth by which intervals differ.
  expect(departure?.pValue).toBeGreaterThan(1e-3)
  expect(departure?.pValue).toBeLessThan(0.1)
})

test('the past is narrowed to the time of day where it has enough of it', () => {
  const hourMs = 3_600_000
  const days = intervalsIn('576 x 100 calls, 20 ms')
  const near = nearTimeOfDay(days, 50 * hourMs)
  expect(near).toHaveLength(50)
  expect(near.every(({ startMs }) => Math.abs((startMs % (24 * hourMs)) - 2 * hourMs) <= hourMs)).toBe(true)
  expect(nearTimeOfDay(days.slice(0, 288), 50 * hourMs)).toHaveLength(288)
  // Around midnight both ends of a day are near.
  expect(nearTimeOfDay(days, 48 * hourMs).length).toBeGreaterThan(40)
})

const series = fc.array(fc.record({ calls: fc.integer({ min: 20, max: 500 }), ms: fc.integer({ min: 5, max: 50 }) }), {
  minLength: 5,
  maxLength: 40,
})
const toIntervals = (told: { calls: number; ms: number }[]): Interval[] =>
  told.map(({ calls, ms }, at) => ({ startMs: at * 300_000, calls, failed: 0, durationNs: calls * ms * 1e6 }))

test('the order in which the past is given, and the unit of time, change nothing', () => {
  fc.assert(
    fc.property(series, fc.integer({ min: 60, max: 200 }), fc.integer({ min: 1, max: 1_000 }), (told, ms, factor) => {
      const before = toIntervals(told)
      const now = [{ startMs: 300_000 * before.length, calls: 100, failed: 0, durationNs: 100 * ms * 1e6 }]
      const scaled = (intervals: Interval[]): Interval[] =>
        intervals.map((interval) => ({ ...interval, durationNs: interval.durationNs * factor }))
      const found = judgeDeparture({ name: 'a', before, now }, 'latency')
      const turned = judgeDeparture({ name: 'a', before: before.toReversed(), now }, 'latency')
      const other = judgeDeparture({ name: 'a', before: scaled(before), now: scaled(now) }, 'latency')
      expect((turned?.excess ?? 0) / (found?.excess ?? 1)).toBeCloseTo(1, 9)
      expect((other?.excess ?? 0) / (found?.excess ?? 1)).toBeCloseTo(factor, 6)
      expect((other?.spread ?? 0) / (found?.spread ?? 1)).toBeCloseTo(factor, 6)
    }),
  )
})

test('more that is wrong is never less of a departure', () => {
  fc.assert(
    fc.property(
      series,
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom('errors' as const, 'latency' as const),
      (told, bad, more, aspect) => {
        const before = toIntervals(told)
        const judge = (amount: number): { excess: number; pValue: number } | undefined =>
          judgeDeparture(
            {
              name: 'a',
              before,
              now: [{ startMs: 300_000 * before.length, calls: 100, failed: amount, durationNs: amount * 1e8 }],
            },
            aspect,
          )
        expect(judge(bad + more)?.excess).toBeGreaterThan(judge(bad)?.excess ?? 0)
        expect(judge(bad + more)?.pValue).toBeLessThanOrEqual((judge(bad)?.pValue ?? 1) * (1 + 1e-9))
      },
    ),
  )
})
