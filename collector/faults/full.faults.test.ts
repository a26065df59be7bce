import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readMetrics } from './test-books.ts'
import { type CollectorProcess, type Headwater, startHeadwater } from './test-headwater.ts'
import { goThrough, startBoth, targetsOf } from './test-rounds.ts'

// The logs are on a small file system of their own, which only root may mount.
const mayMount = process.platform === 'linux' && process.getuid?.() === 0
const diskMiB = 80

let headwater: Headwater
let disk: string
let collectors: CollectorProcess[]

beforeAll(async () => {
  if (!mayMount) return
  headwater = await startHeadwater()
  disk = join(headwater.dataDir, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}M,mode=0700`, 'tmpfs', disk])
  collectors = await startBoth(headwater, 'disk')
})

afterAll(async () => {
  if (headwater === undefined) return
  await headwater.end()
  execFileSync('umount', [disk])
  headwater.remove()
})

/** Takes all room that is left on the disk, but for some. */
function fill(path: string, { leaveBytes }: { leaveBytes: number }): void {
  const file = openSync(path, 'w')
  const piece = Buffer.alloc(64 * 1_024)
  let written = 0
  try {
    for (;;) written += writeSync(file, piece)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    closeSync(file)
  }
  execFileSync('truncate', ['-s', String(Math.max(0, written - leaveBytes)), path])
}

async function refusals(): Promise<number> {
  const texts = await Promise.all(collectors.map(({ url }) => readMetrics(url)))
  return texts
    .flatMap((text) => [...text.matchAll(/^headwater_log_refusals_total\{.*\} (\d+)$/gm)])
    .reduce((sum, [, value]) => sum + Number(value), 0)
}

test('the disk of the log is full: senders are asked to come again, and nothing is lost or counted twice', async (context) => {
  context.skip(!mayMount, 'only root may mount the small disk that is to be filled')
  const before = await refusals()
  const { lost, twice } = await goThrough({
    name: 'disk full',
    headwater,
    targets: targetsOf(collectors),
    async happens(round) {
      const ballast = join(disk, 'ballast')
      // Every other time ClickHouse stands still meanwhile, so that the log's own blocks fill what is left.
      const pid = round % 2 === 0 ? headwater.enginesPid() : undefined
      if (pid !== undefined) process.kill(pid, 'SIGSTOP')
      try {
        const isRestarted = round % 4 === 1
        fill(ballast, { leaveBytes: isRestarted ? 0 : Math.floor(Math.random() * 300_000) })
        await sleep(2_000)
        // A collector that starts on a full disk has to find what it had.
        if (isRestarted) {
          await Promise.all(collectors.map(({ program }) => program.kill()))
          for (const collector of collectors) await collector.restart()
          await sleep(500)
        }
      } finally {
        if (pid !== undefined) process.kill(pid, 'SIGCONT')
        rmSync(ballast)
      }
      await headwater.enginesAnswer()
    },
  })
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
  expect(await refusals()).toBeGreaterThan(before)
})
