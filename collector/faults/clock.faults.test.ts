import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Collector, readCollectorSettings, startCollector } from '../index.ts'
import { type Headwater, modes, startHeadwater } from './test-headwater.ts'
import { readBooks, sumOf } from './test-books.ts'
import { goThrough } from './test-rounds.ts'

const hourMs = 3_600_000
/** By how much the collectors' clock is off, one after the other. */
const jumpsMs = [hourMs, -hourMs, 48 * hourMs, 0, -48 * hourMs, 48 * hourMs, -hourMs, 0]
const jumpEveryMs = 300

let headwater: Headwater
let collectors: { name: string; collector: Collector }[]
let offMs = 0

beforeAll(async () => {
  headwater = await startHeadwater()
  collectors = []
  for (const acknowledgement of modes) {
    const collector = await startCollector({
      store: headwater.store,
      settings: readCollectorSettings({ HEADWATER_ACK: acknowledgement, HEADWATER_OTLP_PORT: '0' }),
      logDirectory: join(headwater.dataDir, 'log-of-the-clock'),
      now: () => Date.now() + offMs,
    })
    collectors.push({ name: acknowledgement, collector })
  }
})

afterAll(async () => {
  await Promise.all(collectors?.map(({ collector }) => collector.stop()) ?? [])
  await headwater?.stop()
})

test('the clock jumps by hours and days, forth and back: nothing is lost or counted twice', async () => {
  const { rejected, lost, twice } = await goThrough({
    name: 'clock jumps',
    headwater,
    targets: collectors.map(({ name, collector }) => ({ name, url: collector.url })),
    async happens() {
      for (const jumpMs of jumpsMs) {
        offMs = jumpMs
        await sleep(jumpEveryMs)
      }
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
  // Spans that are of tomorrow's tomorrow by the collector's clock are not taken, and their senders are told.
  expect(rejected).toBeGreaterThan(0)
  expect(sumOf(await readBooks(headwater.store)).rejected).toBe(rejected)
})
