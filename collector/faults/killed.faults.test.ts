import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CollectorProcess, type Headwater, startHeadwater } from './test-headwater.ts'
import { goThrough, startBoth, targetsOf } from './test-rounds.ts'

let headwater: Headwater
let collectors: CollectorProcess[]

beforeAll(async () => {
  headwater = await startHeadwater()
  collectors = await startBoth(headwater)
})

afterAll(() => headwater?.stop())

async function killCollectors(): Promise<void> {
  await Promise.all(collectors.map(({ program }) => program.kill()))
}

async function restartCollectors(): Promise<void> {
  for (const collector of collectors) await collector.restart()
}

test('collectors are killed: nothing that they acknowledged is lost, nothing is counted twice', async () => {
  const { lost, twice } = await goThrough({
    name: 'kill -9 of the collector',
    headwater,
    targets: targetsOf(collectors),
    async happens(round) {
      await killCollectors()
      await restartCollectors()
      if (round % 2 === 1) return
      // Once more while they bring in what they found.
      await sleep(Math.random() * 300)
      await killCollectors()
      await restartCollectors()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
})

test('the engines are killed: nothing that was acknowledged is lost, nothing is counted twice', async () => {
  const { lost, twice } = await goThrough({
    name: 'kill -9 of the engines',
    headwater,
    targets: targetsOf(collectors),
    async happens() {
      process.kill(headwater.enginesPid(), 'SIGKILL')
      await headwater.enginesAnswer()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
})

test('collectors and engines are killed at once: nothing that was acknowledged is lost, nothing is counted twice', async () => {
  const { lost, twice } = await goThrough({
    name: 'kill -9 of both',
    headwater,
    targets: targetsOf(collectors),
    async happens() {
      process.kill(headwater.enginesPid(), 'SIGKILL')
      await killCollectors()
      await restartCollectors()
      await headwater.enginesAnswer()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
})

test('a collector is killed and stays away: another one of its machine stores what it has left', async () => {
  const directory = 'machine'
  const dying = await headwater.startCollector('logged', directory)
  const heir = await headwater.startCollector('logged', directory)
  const { lost, twice } = await goThrough({
    name: 'collector away for good',
    headwater,
    targets: [
      { name: 'dying', url: dying.url },
      { name: 'heir', url: heir.url },
    ],
    async happens() {
      const isHeir = tellsMore(heir, 'was left with')
      // So that there is something to leave.
      const pid = headwater.enginesPid()
      process.kill(pid, 'SIGSTOP')
      await sleep(1_000)
      await dying.program.kill()
      process.kill(pid, 'SIGCONT')
      await expect.poll(isHeir, { timeout: 120_000, interval: 100 }).toBe(true)
      await dying.restart()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
})

/** Whether the collector has written a line with this text since now. */
function tellsMore({ program }: CollectorProcess, text: string): () => boolean {
  const count = (): number => program.told.split(text).length
  const before = count()
  return () => count() > before
}
