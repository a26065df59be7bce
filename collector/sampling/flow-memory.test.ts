import { expect, test } from 'vitest'
import { FlowMemory } from './flow-memory.ts'
import { seededRandom } from './test-traffic.ts'

const minuteMs = 60_000

test('a run is known for two minutes, and forgotten after four', () => {
  const memory = new FlowMemory()
  memory.advance(0)
  memory.remember(1, 2)
  const known = [0, 1, 2, 3, 4, 5].map((minute) => {
    memory.advance(minute * minuteMs)
    return memory.knows(1, 2)
  })
  expect(known).toEqual([true, true, true, true, false, false])
})

test('a run that shows trouble again is known for longer', () => {
  const memory = new FlowMemory()
  for (let minute = 0; minute < 20; minute += 1) {
    memory.advance(minute * minuteMs)
    if (minute % 3 === 0) memory.remember(1, 2)
    expect(memory.knows(1, 2)).toBe(true)
  }
})

test('a long silence forgets everything, and a clock that is set back forgets nothing early', () => {
  const memory = new FlowMemory()
  memory.advance(10 * minuteMs)
  memory.remember(1, 2)
  memory.advance(minuteMs)
  expect(memory.knows(1, 2)).toBe(true)
  memory.advance(60 * minuteMs)
  expect(memory.knows(1, 2)).toBe(false)
  expect(memory.forgottenEarly).toBe(0)
})

test('it never knows more runs than its bound; the oldest are forgotten, and counted', () => {
  const memory = new FlowMemory(1_000)
  for (let run = 1; run <= 5_000; run += 1) {
    memory.remember(run, run * 7)
    expect(memory.size).toBeLessThanOrEqual(1_000)
  }
  expect(memory.knows(5_000, 35_000)).toBe(true)
  expect(memory.knows(4_501, 4_501 * 7)).toBe(true)
  expect(memory.knows(1, 7)).toBe(false)
  expect(memory.forgottenEarly + memory.size).toBe(5_000)
})

test('hashes that are the same in one half are told apart, and 0 is one like others', () => {
  const memory = new FlowMemory()
  memory.remember(0, 0)
  memory.remember(5, 9)
  expect([memory.knows(0, 0), memory.knows(5, 9), memory.knows(6, 9), memory.knows(5, 8)]).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('a hundred thousand random hashes: those of the last half are all known, strangers are not', () => {
  const random = seededRandom(3)
  const hash = (): number => (random() * 2 ** 32) | 0
  const hashes = Array.from({ length: 100_000 }, () => [hash(), hash()] as const)
  const memory = new FlowMemory()
  for (const [high, low] of hashes) memory.remember(high, low)
  expect(hashes.slice(-50_000).every(([high, low]) => memory.knows(high, low))).toBe(true)
  expect(Array.from({ length: 1_000 }, () => memory.knows(hash(), hash())).some(Boolean)).toBe(false)
})
