import fc from 'fast-check'
import { expect, test } from 'vitest'
import { smallestEffect, smallestShare, smallestSilence } from './minimum-detectable.ts'
import { pictureOf } from './picture.ts'
import { callsIn, findingsOf, shop } from './test-table.ts'

test('ten calls show nothing less than four bad ones, whatever the chance', () => {
  expect(smallestShare({ calls: 10, badBefore: 0, baselineCalls: 100 })).toBe(0.4)
  expect(smallestShare({ calls: 3, badBefore: 0, baselineCalls: 100 })).toBeUndefined()
})

test('a thousand calls of which one in a hundred is bad show nine in a hundred', () => {
  expect(smallestShare({ calls: 1_000, badBefore: 10, baselineCalls: 1_000 })).toBe(0.09)
})

test('a past of eight calls says little of what is usual, and one of seven nothing', () => {
  expect(smallestShare({ calls: 100, badBefore: 0, baselineCalls: 8 })).toBe(0.51)
  expect(smallestShare({ calls: 100, badBefore: 0, baselineCalls: 7 })).toBeUndefined()
})

test('of a hundred calls due, nineteen may come and it is silence; of twenty, none; of nineteen, nobody can tell', () => {
  expect(smallestSilence(100)).toEqual({ value: 19, share: 0.81 })
  expect(smallestSilence(20)).toEqual({ value: 0, share: 1 })
  expect(smallestSilence(19)).toBeUndefined()
})

const usual = fc.integer({ min: 0, max: 60 })

test('it falls with more calls, now and before', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 8, max: 2_000 }),
      usual,
      fc.integer({ min: 2, max: 20 }),
      (calls, baselineCalls, percent, more) => {
        const badBefore = (baselineCalls * percent) / 100
        const least = smallestShare({ calls, badBefore, baselineCalls })
        if (least === undefined) return
        expect(smallestShare({ calls: calls * more, badBefore, baselineCalls })).toBeLessThanOrEqual(least + 1e-9)
        const longer = { calls, badBefore: badBefore * more, baselineCalls: baselineCalls * more }
        expect(smallestShare(longer)).toBeLessThanOrEqual(least + 1e-9)
      },
    ),
  )
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 5_000 }), fc.integer({ min: 2, max: 20 }), (due, more) => {
      expect(smallestSilence(due * more)?.share).toBeLessThanOrEqual((smallestSilence(due)?.share ?? 1) + 1e-9)
    }),
  )
})

test('what is found is never less than what could have been, and just as much of it would have been found', () => {
  const percent = fc.integer({ min: 5, max: 100 })
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 400 }), percent, percent, usual, (calls, failing, slow, failingBefore) => {
      const now = shop(calls, {
        payments: `${calls} calls, 40 ms, self 10 ms, ${Math.round((calls * failing) / 100)} failed, ${Math.round((calls * failing) / 100)} by itself`,
        catalog: `${calls} calls, 15 ms, ${Math.round((calls * slow) / 100)} at 900 ms, ${Math.round((calls * slow) / 100)} self at 900 ms`,
      })
      const before = shop(1_000, {
        payments: `1000 calls, 40 ms, self 10 ms, ${failingBefore * 10} failed, ${failingBefore * 10} by itself`,
      })
      for (const finding of findingsOf(now, before)) {
        const smallest = smallestEffect(finding, pictureOf(before))
        expect(smallest).toBeDefined()
        if (finding.unit !== 'share') continue
        expect(finding.seen).toBeGreaterThanOrEqual((smallest?.share ?? 1) - 1e-9)
      }
    }),
    { numRuns: 50 },
  )
})

test('a slow operation could have shown a few very slow calls, or many slower ones, by the rule that found it', () => {
  const known = pictureOf(shop(1_000))
  const slow = (told: string) =>
    findingsOf(shop(300, { catalog: told })).find(
      ({ signal, service }) => signal === 'self-time' && service === 'catalog',
    )
  const few = slow('300 calls, 15 ms, 40 at 900 ms, 40 self at 900 ms')
  expect(few && smallestEffect(few, known)).toMatchObject({ share: expect.closeTo(0.08, 2) })
  const value = (few && smallestEffect(few, known))?.value ?? 0
  expect(value).toBeGreaterThan(95e6)
  expect(value).toBeLessThan(900e6)
})

test('a peer without spans is judged by the time that its caller waits', () => {
  const before = callsIn('- > shop GET /: 500 calls, 90 ms\nshop GET / ?> bank: 500 calls, 60 ms')
  const now = callsIn('- > shop GET /: 100 calls, 90 ms\nshop GET / ?> bank: 100 calls, 60 ms, 50 at 2000 ms')
  const found = findingsOf(now, before).find(({ caller }) => caller === 'shop')
  expect(found?.signal).toBe('latency')
  expect(found && smallestEffect(found, pictureOf(before))?.share).toBeLessThanOrEqual(0.3)
})
