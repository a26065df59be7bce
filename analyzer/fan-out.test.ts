import type { CallState } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Charges } from './charges.ts'
import { chargeFanOut } from './fan-out.ts'
import { pictureOf } from './picture.ts'
import { callsIn, multiplied, otherName, renamed } from './test-table.ts'

/** A list of reviews that asks another service so many times in each of its calls, 30 ms each time, and works for 5 ms itself. */
function asking(times: number, { ms = 30 * times + 5, failed = 0, calls = 100 } = {}): CallState[] {
  return callsIn(`
    - > reviews GET /list: ${calls} calls, ${ms} ms, self 5 ms
    reviews GET /list > wishes GET /check: ${calls * times} calls, 30 ms, self 20 ms, ${failed} failed
    wishes GET /check > stock GET /item: ${calls * times} calls, 10 ms, self 10 ms`)
}

const usual = asking(1)

/** What speaks against whom, in calls, once those are charged who ask too often. */
function charged(now: CallState[], { before = usual, charges = new Charges() } = {}) {
  chargeFanOut(charges, { recent: pictureOf(now), known: pictureOf(before), slowdown: 1, isSlowness: true })
  return Object.fromEntries(charges.accused().map(({ service, slow, direct }) => [service, { slow, direct }]))
}

test('a worked example: who asks three times instead of once, and takes 95 ms instead of 35, is slow in all of its calls by itself', () => {
  const charges = new Charges()
  expect(charged(asking(3), { charges })).toEqual({ reviews: { slow: expect.closeTo(100, 9), direct: 0 } })
  const [finding] = charges.against('reviews')
  expect(finding).toMatchObject({
    signal: 'fan-out',
    caller: 'reviews',
    callerOperation: 'GET /list',
    service: 'wishes',
    operation: 'GET /check',
    expected: 1,
    seen: 3,
    unit: 'calls',
    calls: 100,
    baselineCalls: 100,
  })
  // 300 calls where 100 were due, and the deviation of such counts is the root of 100 + 100² / 20, about 24.
  expect(finding?.pValue).toBeLessThan(1e-6)
})

test('half again as many may be chance, as counts of calls vary; twice as many are not', () => {
  expect(charged(asking(1.5, { ms: 60 }))).toEqual({})
  expect(charged(asking(2))).toMatchObject({ reviews: { direct: 0 } })
})

test('who asks more often and is no slower for it is not to blame, nor is who is slower by far more than that takes', () => {
  expect(charged(asking(3, { ms: 35 }))).toEqual({})
  // Two calls more of 30 ms are less than half of the 500 ms by which it is slower.
  expect(charged(asking(3, { ms: 535 }))).toEqual({})
})

test('a call that failed is made again, which is no fan-out', () => {
  expect(charged(asking(3, { failed: 200 }))).toEqual({})
})

test('who asks again a callee that something speaks against is not to blame; nobody asks five times again', () => {
  const ill = (): Charges => {
    const against = new Charges()
    charged(asking(3), { charges: against })
    const charges = new Charges()
    charges.of('wishes').slow = 60
    charges.of('wishes').findings.push(...against.against('reviews'))
    return charges
  }
  expect(charged(asking(3), { charges: ill() })).toEqual({ wishes: { slow: 60, direct: 0 } })
  // It overloads whom it asks, who is not slow by itself then.
  expect(charged(asking(6), { charges: ill() })).toMatchObject({
    reviews: { direct: expect.closeTo(100, 9) },
    wishes: { slow: 0, direct: 0 },
  })
})

test('one call now or seven before tell nothing, nor does whom nobody asked before', () => {
  expect(charged(asking(3, { calls: 1 }))).toEqual({})
  expect(charged(asking(3), { before: asking(1, { calls: 7 }) })).toEqual({})
  expect(charged(asking(3), { before: callsIn('- > reviews GET /list: 100 calls, 35 ms') })).toEqual({})
})

const times = fc.integer({ min: 1, max: 12 })

test('neither order nor names matter', () => {
  fc.assert(
    fc.property(times, (now) => {
      const told = charged(asking(now))
      expect(charged(asking(now).toReversed(), { before: usual.toReversed() })).toEqual(told)
      expect(charged(renamed(asking(now), otherName), { before: renamed(usual, otherName) })).toEqual(
        Object.fromEntries(Object.entries(told).map(([service, against]) => [otherName(service), against])),
      )
    }),
    { numRuns: 24 },
  )
})

test('under so many times the load, so many times the calls speak against who asks too often', () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 2, max: 9 }), (now, factor) => {
      const told = Object.entries(charged(asking(now)))
      const more = charged(multiplied(asking(now), factor), { before: multiplied(usual, factor) })
      expect(more).toEqual(
        Object.fromEntries(
          told.map(([service, { slow, direct }]) => [
            service,
            { slow: expect.closeTo(slow * factor, 6), direct: expect.closeTo(direct * factor, 6) },
          ]),
        ),
      )
    }),
    { numRuns: 24 },
  )
})

test('who asks even more often is no less to blame, and it is no likelier to be chance', () => {
  const tell = (now: number) => {
    const charges = new Charges()
    charged(asking(now), { charges })
    const { slow, direct, findings } = charges.of('reviews')
    return { bad: slow + direct, pValue: findings[0]?.pValue ?? 1 }
  }
  fc.assert(
    fc.property(times, times, (one, other) => {
      const [less, more] = [tell(Math.min(one, other)), tell(Math.max(one, other))]
      expect(more.bad).toBeGreaterThanOrEqual(less.bad - 1e-9)
      // It is what is left of 1, which has so many digits.
      expect(more.pValue).toBeLessThanOrEqual(less.pValue + 1e-11)
    }),
    { numRuns: 24 },
  )
})
