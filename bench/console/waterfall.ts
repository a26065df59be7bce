import { setTimeout as wait } from 'node:timers/promises'
import type { Page } from '@headwater/console/testing'
import { spansMax } from '@headwater/store'
import type { Row } from '../bench.ts'
import type { Engine } from '../ingest/engine.ts'
import type { Plan } from '../plan.ts'
import { longestTask, type Served, type Step } from './browse.ts'
import { spansATrace, writeTraffic } from './traffic/traffic.ts'

const hourMs = 3_600_000

/** A flow run of as many spans as the console shows, opened, scrolled from end to end, and looked into. */
export async function waterfall(plan: Plan): Promise<Row[]> {
  const prepare = async ({ engine, url }: Served): Promise<Step[]> =>
    stepsOn(`${url}/runs/${await writeLargeRun(engine)}`)
  return await longestTask('waterfall_10k', `the longest task on a run of ${spansMax} spans`, prepare, plan)
}

/** The spans of a thousand traces of a shop, as one trace below one span. */
export async function writeLargeRun(engine: Engine): Promise<string> {
  const untilMs = Date.now() - hourMs
  await writeTraffic(engine.store, { traces: spansMax / spansATrace, untilMs, forMs: 60_000 })
  const trace = 'ab'.repeat(16)
  const root = 'cd'.repeat(8)
  // One span is left out for the root.
  await engine.run(`
    INSERT INTO otel_traces
    SELECT * REPLACE ('${trace}' AS TraceId, if(small.ParentSpanId = '', '${root}', small.ParentSpanId) AS ParentSpanId)
    FROM otel_traces AS small ORDER BY Timestamp LIMIT ${spansMax - 1}`)
  await engine.run(`
    INSERT INTO otel_traces
    SELECT * REPLACE ('${root}' AS SpanId, '' AS ParentSpanId, toUInt64(60e9) AS Duration)
    FROM otel_traces AS large WHERE TraceId = '${trace}' ORDER BY Timestamp LIMIT 1`)
  await engine.run(`
    INSERT INTO chain_execution_traces
    SELECT * REPLACE ('${trace}' AS TraceId, '${trace}' AS FlowId, toUInt64(60e9) AS DurationNs, 200 AS Spans)
    FROM chain_execution_traces ORDER BY StartedAt LIMIT 1`)
  return trace
}

export function stepsOn(url: string): Step[] {
  const scroll = (page: Page, toShare: number): Promise<unknown> =>
    page.evaluate(
      `{ const lines = document.querySelector('.lines'); lines.scrollTop = lines.scrollHeight * ${toShare} }`,
    )
  return [
    {
      name: 'opened',
      async take(page) {
        await page.goto(url)
        await page.waitForSelector('.line')
        await wait(2_000)
      },
    },
    {
      name: 'scrolled from end to end',
      async take(page) {
        for (let part = 0; part <= 100; part += 1) await scroll(page, part / 100)
        await wait(300)
        for (let part = 100; part >= 0; part -= 20) await scroll(page, part / 100)
      },
    },
    {
      name: 'a span looked into',
      async take(page) {
        await page.click('.line')
        await page.waitForSelector('.details')
        for (let line = 0; line < 10; line += 1) await page.keyboard.press('ArrowDown')
        await wait(500)
      },
    },
    {
      name: 'folded and unfolded',
      async take(page) {
        await page.keyboard.press('Home')
        await page.keyboard.press('ArrowLeft')
        await wait(300)
        await page.keyboard.press('ArrowRight')
        await wait(500)
      },
    },
    {
      name: 'critical path alone',
      async take(page) {
        await page.evaluate(
          `[...document.querySelectorAll('.waterfall button')].find((each) => each.innerText === 'Critical path').click()`,
        )
        await wait(500)
      },
    },
  ]
}
