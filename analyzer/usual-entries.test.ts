import { expect, test } from 'vitest'
import { pictureOf } from './picture.ts'
import { callsIn } from './test-table.ts'
import { usualEntriesOf } from './usual-entries.ts'

const entryOf = (facts: string, { isSlowness = true }: { isSlowness?: boolean } = {}) => {
  const [entry] = usualEntriesOf(pictureOf(callsIn(`- > gateway GET /: ${facts}`)), { isSlowness })
  return { slowMs: (entry?.slowNs ?? 0) / 1e6, badShare: entry?.badShare }
}

test('a run is slow a quarter above the 99th percentile of its entry', () => {
  const { slowMs, badShare } = entryOf('1000 calls, 100 ms, 30 at 160 ms')
  expect(slowMs).toBeGreaterThan(190)
  expect(slowMs).toBeLessThan(210)
  expect(badShare).toBe(0)
})

test('where a few calls are slow anyway, a run is slow beyond the bulk, and their share is what goes wrong anyway', () => {
  const { slowMs, badShare } = entryOf('1000 calls, 100 ms, 30 at 3000 ms')
  expect(slowMs).toBeGreaterThan(200)
  expect(slowMs).toBeLessThan(300)
  expect(badShare).toBeCloseTo(0.03, 9)
})

test('beside errors alone no run is slow', () => {
  expect(entryOf('1000 calls, 100 ms, 30 at 3000 ms, 20 failed', { isSlowness: false })).toEqual({
    slowMs: 0,
    badShare: 0.02,
  })
})

test('who calls is no entry', () => {
  const picture = pictureOf(callsIn('gateway GET / > orders GET /: 100 calls, 20 ms'))
  expect(usualEntriesOf(picture, { isSlowness: true })).toEqual([])
})
