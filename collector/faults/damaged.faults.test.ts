import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { booksOf, readMetrics, sumOf } from './test-books.ts'
import { cutWaiting, flipBit, type Part, tearEnd } from './test-damage.ts'
import { type CollectorProcess, type Headwater, startHeadwater } from './test-headwater.ts'
import { goThrough, report, startBoth, targetsOf, times } from './test-rounds.ts'

let headwater: Headwater
let collectors: CollectorProcess[]
/** Long enough that blocks gather in the log; so many have to, or there is nothing to damage. */
const stall = { atLeastMs: 1_500, blocks: 15, atMostMs: 20_000 }

beforeAll(async () => {
  headwater = await startHeadwater()
  collectors = await startBoth(headwater)
})

afterAll(() => headwater?.stop())

/** While ClickHouse stands still, kills the collectors and does something to what they leave. */
async function damage(killed: readonly CollectorProcess[], change: () => Promise<void>): Promise<void> {
  const pid = headwater.enginesPid()
  process.kill(pid, 'SIGSTOP')
  try {
    await sleep(stall.atLeastMs)
    const endsAtMs = performance.now() + stall.atMostMs
    for (const { url } of killed.filter(({ mode }) => mode === 'logged')) {
      while ((await blocksIn(url)) < stall.blocks && performance.now() < endsAtMs) await sleep(100)
    }
    await Promise.all(killed.map(({ program }) => program.kill()))
    await change()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  for (const collector of killed) await collector.restart()
}

async function blocksIn(url: string): Promise<number> {
  return Number(/^headwater_log_blocks (\d+)$/m.exec(await readMetrics(url))?.[1] ?? 0)
}

test('the last segment is torn beyond what was acknowledged: nothing is lost or counted twice', async () => {
  const { lost, twice } = await goThrough({
    name: 'log segment torn',
    headwater,
    targets: targetsOf(collectors),
    happens: (round) =>
      damage(collectors, async () => {
        for (const { mode, slot } of collectors) {
          // What only waits for ClickHouse is not acknowledged when that is to be stored.
          if (mode === 'stored' && round % 2 === 0) await cutWaiting(slot)
          else await tearEnd(slot)
        }
      }),
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
})

test('a bit is flipped in an acknowledged record: it is found, kept apart and counted as lost, and nothing else is', async () => {
  const logged = collectors.find(({ mode }) => mode === 'logged')
  if (logged === undefined) throw new Error('No collector acknowledges what is logged')
  let flippedRows = 0
  const quarantine = join(logged.slot, 'quarantine')
  const parts: readonly Part[] = ['payload', 'payload', 'meta', 'header', 'payload', 'trailer']
  let flips = 0
  const { lost, twice } = await goThrough({
    name: 'bit flipped in an acknowledged record',
    headwater,
    targets: targetsOf([logged]),
    spansPerSecond: 3_000,
    lost: () => flippedRows,
    async happens(round) {
      const part = parts[round % parts.length] ?? 'payload'
      const keptBefore = readdirSync(quarantine).length
      // Both ends of a record say the same, so one of them may be damaged.
      const isLoss = part === 'payload' || part === 'meta'
      let rows = 0
      await damage([logged], async () => {
        const flipped = await flipBit(logged.slot, part)
        flips += flipped === undefined ? 0 : 1
        rows = isLoss ? (flipped?.rows ?? 0) : 0
      })
      flippedRows += rows
      const lostByMetrics = sumOf(booksOf(await readMetrics(logged.url))).lost
      const kept = readdirSync(quarantine).length - keptBefore
      const found = { round, part, lostByMetrics, kept, starts: logged.program.starts }
      expect(found).toEqual({ round, part, lostByMetrics: rows, kept: rows === 0 ? 0 : 1, starts: 1 })
    },
  })
  expect({ lost, twice }).toEqual({ lost: flippedRows, twice: 0 })
  expect(flips).toBe(times)
  report(`bit flipped in an acknowledged record · ${flips} bits flipped, ${lost} records counted as lost`)
})
