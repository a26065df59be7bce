import { expect, test } from 'vitest'
import { FlowHash } from './flow-hash.ts'
import { randomFlowId, seededRandom } from './test-traffic.ts'

function fractions(hash: FlowHash, ids: readonly string[]): number[] {
  return ids.map((id) => {
    hash.of(Buffer.from(id), 0)
    return hash.fraction
  })
}

const counted = Array.from({ length: 20_000 }, (_, number) => number.toString(16).padStart(32, '0'))
const lucky = Array.from({ length: 20_000 }, (_, number) => number.toString(16).padStart(18, '0') + 'f'.repeat(14))
const random = seededRandom(1)
const ordinary = Array.from({ length: 20_000 }, () => Buffer.from(randomFlowId(random)).toString())

test.each([
  ['random', ordinary],
  ['counted up', counted],
  ['all ending in f', lucky],
])('flow IDs that are %s spread evenly', (_, ids) => {
  for (const hash of [new FlowHash(), new FlowHash('a secret of sixteen')]) {
    const tenths = Array.from({ length: 10 }, () => 0)
    for (const fraction of fractions(hash, ids))
      tenths[Math.floor(fraction * 10)] = (tenths[Math.floor(fraction * 10)] ?? 0) + 1
    const chiSquare = tenths.reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0)
    // Nine degrees of freedom: above this by chance once in ten thousand.
    expect(chiSquare).toBeLessThan(33.7)
  }
})

test('the smallest fractions are even too, where large weights come from', () => {
  const small = fractions(new FlowHash(), [...ordinary, ...counted, ...lucky]).filter((fraction) => fraction < 0.01)
  expect(small.length).toBeGreaterThan(500)
  expect(small.length).toBeLessThan(700)
})

test('no two flow IDs of many share a hash', () => {
  const hash = new FlowHash()
  const seen = new Set(
    [...counted, ...lucky, ...ordinary].map((id) => {
      hash.of(Buffer.from(id), 0)
      return `${hash.high} ${hash.low}`
    }),
  )
  expect(seen.size).toBe(60_000)
})

test('collectors agree when they have the same key or none, and a key tells nothing of another', () => {
  const ids = ordinary.slice(0, 100)
  expect(fractions(new FlowHash(), ids)).toEqual(fractions(new FlowHash(), ids))
  expect(fractions(new FlowHash('key of the one'), ids)).toEqual(fractions(new FlowHash('key of the one'), ids))
  expect(fractions(new FlowHash('key of the one'), ids)).not.toEqual(fractions(new FlowHash('key of another'), ids))
})

test('a flow ID is read where it begins', () => {
  const hash = new FlowHash()
  const id = ordinary[0] as string
  hash.of(Buffer.from(`\u{20}${id}`), 1)
  expect([hash.fraction]).toEqual(fractions(new FlowHash(), [id]))
})
