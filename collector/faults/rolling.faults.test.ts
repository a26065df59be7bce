import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBalancer } from './test-balancer.ts'
import { type Headwater, modes, startHeadwater } from './test-headwater.ts'
import { goThrough } from './test-rounds.ts'

let headwater: Headwater

beforeAll(async () => {
  headwater = await startHeadwater()
})

afterAll(() => headwater?.stop())

test.each(modes)(
  'two collectors behind a balancer are restarted in turn, and no request is refused (%s)',
  async (mode) => {
    const directory = `machine-of-${mode}`
    const collectors = [
      await headwater.startCollector(mode, directory),
      await headwater.startCollector(mode, directory),
    ]
    const urls = collectors.map(({ url }) => url)
    const balancer = await startBalancer(urls)
    try {
      const { lost, twice } = await goThrough({
        name: 'rolling restart of two',
        headwater,
        targets: [{ name: mode, url: balancer.url }],
        books: () => urls,
        async happens() {
          for (const { program, restart } of collectors) {
            const end = await program.terminate()
            expect(end.code).toBe(0)
            expect(end.tookMs).toBeLessThan(5_000)
            await restart()
            // As whoever rolls a deployment waits until the new one is asked.
            await sleep(500)
          }
        },
        checkSent(sent) {
          const refused = sent.filter(({ outcome, attempts }) => outcome.kind !== 'acknowledged' || attempts > 1)
          expect({ refused: refused.length, failures: balancer.failures }).toEqual({ refused: 0, failures: [] })
        },
      })
      expect({ lost, twice }).toEqual({ lost: 0, twice: 0 })
    } finally {
      await balancer.stop()
      await Promise.all(collectors.map(({ program }) => program.terminate()))
    }
  },
)
