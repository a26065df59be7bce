import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CollectorProcess, type Headwater, startHeadwater } from './test-headwater.ts'
import { goThrough, numberOf, startBoth, targetsOf } from './test-rounds.ts'

/** How long ClickHouse stands still. */
const stallMs = numberOf('HEADWATER_FAULT_STALL_S', 60) * 1_000

let headwater: Headwater
let collectors: CollectorProcess[]

beforeAll(async () => {
  headwater = await startHeadwater()
  collectors = await startBoth(headwater)
})

afterAll(() => headwater?.stop())

test('ClickHouse stands still: the log takes over or senders wait, and nothing is lost or counted twice', async () => {
  const { lost, twice } = await goThrough({
    name: `ClickHouse stalls for ${stallMs / 1_000} s`,
    headwater,
    targets: targetsOf(collectors),
    async happens() {
      const pid = headwater.enginesPid()
      process.kill(pid, 'SIGSTOP')
      try {
        await sleep(stallMs)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await headwater.enginesAnswer()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
})
