import { bucketOf } from '@headwater/vocabulary'
import { expect, test } from 'vitest'
import { DurationTails, operationsMax } from './duration-tails.ts'
import { seededRandom } from './test-traffic.ts'

const server = 2

/** How many of so many spans were unusual; a duration is made from a random number. */
function unusual(tails: DurationTails, spans: number, durationMs: () => number, operation = 1): number {
  let count = 0
  for (let span = 0; span < spans; span += 1) {
    if (tails.isUnusual(0, operation, server, bucketOf(durationMs() * 1e6))) count += 1
  }
  return count
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

const random = seededRandom(5)
const shapes: [string, () => number][] = [
  ['constant', () => 20],
  ['even', () => 1 + 99 * random()],
  ['log-normal', () => 10 * Math.exp(normal(random))],
  ['widely log-normal', () => 10 * Math.exp(3 * normal(random))],
  ['of two speeds, one in a hundred slow', () => (random() < 0.01 ? 2_000 : 10) * (1 + random())],
  ['of two speeds, half and half', () => (random() < 0.5 ? 2_000 : 10) * (1 + random())],
  ['Pareto', () => 5 * (1 - random()) ** -1.2],
  ['below a microsecond', () => 1e-4 * random()],
]

test.each(shapes)('of durations that are %s at most two in a hundred are unusual', (_, durationMs) => {
  const tails = new DurationTails()
  unusual(tails, 1_000, durationMs)
  expect(unusual(tails, 50_000, durationMs) / 50_000).toBeLessThan(0.02)
})

test('an operation is not judged before a hundred spans of it are known', () => {
  const tails = new DurationTails()
  const usual = (): number => 10 + random()
  unusual(tails, 98, usual)
  expect(tails.isUnusual(0, 1, server, bucketOf(5e9))).toBe(false)
  unusual(tails, 10, usual)
  expect(tails.isUnusual(0, 1, server, bucketOf(20e9))).toBe(true)
})

test('a rare slow span is found, each time', () => {
  const tails = new DurationTails()
  for (let round = 0; round < 100; round += 1) {
    unusual(tails, 500, () => 10 + 5 * random())
    expect(tails.isUnusual(0, 1, server, bucketOf(200e6))).toBe(true)
  }
})

test('what stays slow is unusual for some dozens of spans and then usual; what was usual comes back without notice', () => {
  const tails = new DurationTails()
  unusual(tails, 20_000, () => 10 + random())
  const slow = unusual(tails, 20_000, () => 500 + random())
  expect(slow).toBeGreaterThan(50)
  expect(slow).toBeLessThan(300)
  expect(unusual(tails, 20_000, () => 10 + random())).toBe(0)
})

test('operations, services and kinds are judged apart', () => {
  const tails = new DurationTails()
  unusual(tails, 1_000, () => 10, 1)
  unusual(tails, 1_000, () => 1_000, 2)
  expect(tails.isUnusual(0, 1, server, bucketOf(1e9))).toBe(true)
  expect(tails.isUnusual(0, 2, server, bucketOf(1e9))).toBe(false)
  expect(tails.isUnusual(1, 1, server, bucketOf(1e9))).toBe(false)
  expect(tails.isUnusual(0, 1, 3, bucketOf(1e9))).toBe(false)
})

test('operations beyond the bound are not judged until the table is cleared, ten minutes later at most', () => {
  const tails = new DurationTails()
  tails.advance(0)
  for (let operation = 0; operation < operationsMax; operation += 1) unusual(tails, 1, () => 10, operation)
  const late = operationsMax + 5
  unusual(tails, 200, () => 10, late)
  expect(tails.size).toBe(operationsMax)
  expect(unusual(tails, 1, () => 1_000, late)).toBe(0)
  tails.advance(599_000)
  expect(tails.size).toBe(operationsMax)
  tails.advance(600_000)
  expect(tails.size).toBe(0)
  unusual(tails, 200, () => 10, late)
  expect(unusual(tails, 1, () => 1_000, late)).toBe(1)
})
