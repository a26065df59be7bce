import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CollectorProcess, type Headwater, startHeadwater } from './test-headwater.ts'
import { goThrough, report, startBoth, targetsOf } from './test-rounds.ts'

let headwater: Headwater
let collectors: CollectorProcess[]
const endsWithinMs = 5_000

beforeAll(async () => {
  headwater = await startHeadwater()
  collectors = await startBoth(headwater)
})

afterAll(() => headwater?.stop())

/** SIGTERM to all at once; the longest time that one took. */
async function endCollectors(): Promise<number> {
  const ends = await Promise.all(collectors.map(({ program }) => program.terminate()))
  for (const { code, tookMs } of ends) {
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(endsWithinMs)
  }
  return Math.max(...ends.map(({ tookMs }) => tookMs))
}

async function restartCollectors(): Promise<void> {
  for (const collector of collectors) await collector.restart()
}

test('a collector that is asked to end under load does so within 5 s, and loses nothing', async () => {
  let longestMs = 0
  const { lost, twice } = await goThrough({
    name: 'SIGTERM of the collector',
    headwater,
    targets: targetsOf(collectors),
    async happens() {
      longestMs = Math.max(longestMs, await endCollectors())
      await restartCollectors()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
  report(`SIGTERM of the collector · ended within ${Math.round(longestMs)} ms`)
})

test('a collector that is asked to end while ClickHouse stands still does so within 5 s, and loses nothing', async () => {
  let longestMs = 0
  const { lost, twice } = await goThrough({
    name: 'SIGTERM while ClickHouse stalls',
    headwater,
    targets: targetsOf(collectors),
    async happens() {
      const pid = headwater.enginesPid()
      process.kill(pid, 'SIGSTOP')
      try {
        longestMs = Math.max(longestMs, await endCollectors())
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await restartCollectors()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
  report(`SIGTERM while ClickHouse stalls · ended within ${Math.round(longestMs)} ms`)
})
