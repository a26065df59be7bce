import { setTimeout as wait } from 'node:timers/promises'
import type { Page } from '@headwater/console/testing'
import type { Row } from '../bench.ts'
import type { Engine } from '../ingest/engine.ts'
import type { Plan } from '../plan.ts'
import { longestTask, type Served, type Step } from './browse.ts'
import { writeTraffic } from './traffic/traffic.ts'

const minuteMs = 60_000
/** Until so long after the start, there are calls in each ten seconds. */
const goesOnMs = 3_600_000

/** The map of 200 services while it is drawn, kept up to date, searched and focused. */
export async function map(plan: Plan): Promise<Row[]> {
  const prepare = async ({ engine, url }: Served): Promise<Step[]> => {
    await writeLiveTraffic(engine)
    return stepsOn(url)
  }
  return await longestTask('map_200', 'the longest task on a map of 200 services', prepare, plan)
}

/** Calls among 200 services in the last ten minutes, and in each minute to come, so that there is something to tell each second. */
export async function writeLiveTraffic(engine: Engine): Promise<void> {
  await writeTraffic(engine.store, { traces: 6_000, untilMs: Date.now(), forMs: 10 * minuteMs })
  await engine.run(`
    INSERT INTO chain_health_metrics_10s
    SELECT * REPLACE (later.Window + 60 * arrayJoin(range(1, ${goesOnMs / minuteMs})) AS Window, Calls + rand() % 20 AS Calls)
    FROM chain_health_metrics_10s AS later
    WHERE later.Window >= now() - 80 AND later.Window < now() - 20`)
}

export function stepsOn(url: string): Step[] {
  const drawn = (page: Page, most = Infinity): Promise<unknown> =>
    page.waitForFunction(
      `(() => { const { length } = document.querySelectorAll('.react-flow__node'); return length > 1 && length < ${most} })()`,
    )
  const find = 'input[aria-label="Find a service on the map"]'
  const press = (page: Page, text: string): Promise<unknown> =>
    page.evaluate(
      `[...document.querySelectorAll('button')].find((each) => each.innerText === ${JSON.stringify(text)}).click()`,
    )
  return [
    {
      name: 'drawn',
      async take(page) {
        await page.goto(url)
        await drawn(page)
        await wait(2_000)
      },
    },
    { name: 'kept up to date', take: () => wait(6_000) },
    {
      name: 'pointed at',
      async take(page) {
        for (let x = 100; x <= 1_000; x += 60) await page.mouse.move(x, 200 + x / 2)
      },
    },
    {
      name: 'zoomed and moved',
      async take(page) {
        await page.mouse.move(500, 450)
        for (let turn = 0; turn < 10; turn += 1) await page.mouse.wheel({ deltaY: -150 })
        await page.mouse.move(900, 840)
        await page.mouse.down()
        for (let x = 900; x > 200; x -= 50) await page.mouse.move(x, 840 - (900 - x) / 3)
        await page.mouse.up()
        await page.mouse.move(500, 450)
        for (let turn = 0; turn < 16; turn += 1) await page.mouse.wheel({ deltaY: 150 })
      },
    },
    {
      name: 'a group opened',
      async take(page) {
        await page.evaluate(`document.querySelector('.react-flow__node:has(.group)')?.click()`)
        await wait(2_500)
        await press(page, 'Show all')
        await wait(1_000)
      },
    },
    {
      name: 'searched',
      async take(page) {
        await page.type(find, 'payments-api', { delay: 30 })
        await wait(500)
      },
    },
    {
      name: 'focused',
      async take(page) {
        await page.keyboard.press('Enter')
        await drawn(page, 60)
        await wait(1_500)
      },
    },
    {
      name: 'focused two calls wide',
      async take(page) {
        await press(page, 'two calls wide')
        await wait(2_500)
      },
    },
    {
      name: 'shown whole again',
      async take(page) {
        await press(page, 'Show all')
        await wait(3_000)
      },
    },
  ]
}
