import type { CallState } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Charges } from './charges.ts'
import { ownTime } from './finer-findings.ts'
import { pictureOf } from './picture.ts'
import { chargeStalls } from './stalls.ts'
import { callsIn, multiplied, otherName, renamed } from './test-table.ts'

interface Ill {
  /** How many of 1,000 calls of the catalog stand still, and for how long. */
  stalls?: number
  stallMs?: number
  /** How many of 1,000 calls of the gateway are slow by themselves, and how long these take. */
  slow?: number
  slowMs?: number
  search?: string
}

function shop({ stalls = 0, stallMs = 2_000, slow = 0, slowMs = 700, search = '' }: Ill = {}): CallState[] {
  return callsIn(`
    - > gateway GET /products: 1000 calls, 30 ms, self 10 ms, ${slow} self at ${slowMs} ms
    gateway GET /products > catalog GET /products: 1000 calls, 15 ms, self 15 ms, ${stalls} self at ${stallMs} ms
    gateway GET /products > search GET /: 1000 calls, 15 ms, self 15 ms${search}`)
}

const usual = shop()

/** What speaks against each, once the own time of the gateway and of whom it calls has been looked at: as `blame` does. */
function charged(now: CallState[], { before = usual, slowdown = 1, isSlowness = true } = {}): Charges {
  const charges = new Charges()
  const [recent, known] = [pictureOf(now), pictureOf(before)]
  for (const [key, series] of recent.operations) {
    const seriesBefore = known.operations.get(key)
    const finding = seriesBefore && ownTime(series, seriesBefore, slowdown)
    if (finding === undefined) continue
    charges.of(series.service).slow += finding.excessCalls
    charges.of(series.service).findings.push(finding)
  }
  chargeStalls(charges, { recent, known, slowdown, isSlowness })
  return charges
}

function tell(charges: Charges): Record<string, { slow: number; direct: number }> {
  return Object.fromEntries(
    charges
      .accused()
      .map(({ service, slow, direct }) => [service, { slow: Math.round(slow), direct: Math.round(direct) }]),
  )
}

test('a worked example: for four fifths of the 200 calls that the gateway loses, the catalog answers, of which 30 stood still', () => {
  const charges = charged(shop({ stalls: 30, slow: 200 }))
  expect(tell(charges)).toEqual({ catalog: { slow: 0, direct: 160 }, gateway: { slow: 40, direct: 0 } })
  const [finding] = charges.against('catalog')
  expect(finding).toMatchObject({ signal: 'self-time', operation: 'GET /products', calls: 1_000, baselineCalls: 1_000 })
  expect(finding?.excessCalls).toBeCloseTo(30, 9)
  expect((finding?.expected ?? 0) / 15e6).toBeCloseTo(1, 1)
  expect((finding?.seen ?? 0) / 2_000e6).toBeCloseTo(1, 1)
})

test('who stalls alone, and nobody waits for it in vain, is not accused', () => {
  expect(tell(charged(shop({ stalls: 30 })))).toEqual({})
})

test('shorter stalls than what a call of the caller loses do not explain it', () => {
  expect(Object.keys(tell(charged(shop({ stalls: 30, stallMs: 300, slow: 200 }))))).toEqual(['gateway'])
})

test('where something speaks against another whom the caller calls, that explains it better', () => {
  const told = tell(charged(shop({ stalls: 30, slow: 200, search: ', 300 self at 900 ms' })))
  expect(told['gateway']).toEqual({ slow: 200, direct: 0 })
  expect(Object.keys(told).toSorted()).toEqual(['gateway', 'search'])
})

test('three calls, or fewer than one in a hundred, are no stall', () => {
  expect(Object.keys(tell(charged(shop({ stalls: 9, slow: 200 }))))).toEqual(['gateway'])
  const few = (stalls: number) =>
    callsIn(`
      - > gateway GET /products: 100 calls, 30 ms, self 10 ms, 40 self at 700 ms
      gateway GET /products > catalog GET /products: 100 calls, 15 ms, self 15 ms, ${stalls} self at 2000 ms`)
  expect(Object.keys(tell(charged(few(3))))).toEqual(['gateway'])
  expect(Object.keys(tell(charged(few(4)))).toSorted()).toEqual(['catalog', 'gateway'])
})

test('who stood still as often before is as always, and where nothing is slow enough to tell, nobody stalls', () => {
  expect(Object.keys(tell(charged(shop({ stalls: 30, slow: 200 }), { before: shop({ stalls: 30 }) })))).toEqual([
    'gateway',
  ])
  expect(tell(charged(shop({ stalls: 30, slow: 200 }), { isSlowness: false }))['gateway']?.slow).toBe(200)
})

test('a call stands still beyond ten times the median, and where everything takes longer, beyond so much more', () => {
  const at = (stallMs: number, slowdown = 1): boolean =>
    'catalog' in tell(charged(shop({ stalls: 30, stallMs, slow: 200, slowMs: 120 }), { slowdown }))
  expect([at(130), at(180)]).toEqual([false, true])
  expect([at(180, 2), at(360, 2)]).toEqual([false, true])
})

const ill = fc.record({ stalls: fc.nat(60), slow: fc.nat(400) })

test('neither the order of what is seen nor the names of services change who bears how much', () => {
  fc.assert(
    fc.property(ill, (is) => {
      const told = tell(charged(shop(is)))
      expect(tell(charged(shop(is).toReversed(), { before: usual.toReversed() }))).toEqual(told)
      expect(tell(charged(renamed(shop(is), otherName), { before: renamed(usual, otherName) }))).toEqual(
        Object.fromEntries(Object.entries(told).map(([service, of]) => [otherName(service), of])),
      )
    }),
    { numRuns: 40 },
  )
})

test('nothing is lost on the way from one to the other: both bear together what the caller bore alone', () => {
  fc.assert(
    fc.property(ill, fc.integer({ min: 1, max: 9 }), (is, factor) => {
      const before = multiplied(usual, factor)
      const sumOf = (now: CallState[]): number => {
        const charges = charged(multiplied(now, factor), { before })
        return charges.accused().reduce((sum, { slow, direct }) => sum + slow + direct, 0)
      }
      expect(sumOf(shop(is))).toBeCloseTo(sumOf(shop({ ...is, stalls: 0 })), 6)
    }),
    { numRuns: 40 },
  )
})

test('who stands still more often bears no less, up to a tenth of its calls, from which on it is slow as others are', () => {
  const stalls = fc.integer({ min: 0, max: 99 })
  fc.assert(
    fc.property(stalls, stalls, fc.nat(400), (one, other, slow) => {
      const of = (often: number): number => tell(charged(shop({ stalls: often, slow })))['catalog']?.direct ?? 0
      expect(of(Math.max(one, other))).toBeGreaterThanOrEqual(of(Math.min(one, other)))
    }),
    { numRuns: 40 },
  )
  expect(tell(charged(shop({ stalls: 110, slow: 400 })))).toMatchObject({ catalog: { slow: 110, direct: 0 } })
})
