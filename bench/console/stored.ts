import type { Row } from '../bench.ts'
import type { Engine } from '../ingest/engine.ts'
import { shareOf } from '../latency.ts'
import { median } from '../median.ts'
import { judged, type Plan, told } from '../plan.ts'
import { threadsCpuUsOf } from '../usage.ts'
import { openBrowser, serveStore, type Served, skippedWithout } from './browse.ts'
import { type Question, questionsAbout } from './questions.ts'
import { watchTasks } from './tasks.ts'
import { repeatEarlier, spansATrace, writeTraffic } from './traffic/traffic.ts'

export interface StoredPlan extends Plan {
  /** That are stored, over a day. */
  spans: number
  /** A directory where they stay. */
  data?: string | undefined
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const hours = 24
const slices = 6
/** Merges may have other work beside them, and then give way to it. */
const mergedWithinMs = 1_800_000
const usableMsMax = 1_000
/** Of what is measured of a question, this part is not exceeded. */
const part = 0.95

/** With a day of spans stored: how soon the map can be used, and what the API's answers take. */
export async function stored({ spans, data, ...plan }: StoredPlan): Promise<Row[]> {
  await using cleanup = new AsyncDisposableStack()
  const served = await serveStore(cleanup, data)
  const { engine } = served
  let untilMs = await writtenUntilMs(engine, spans)
  if (untilMs === undefined) {
    untilMs = Math.floor(Date.now() / minuteMs) * minuteMs
    await writeDay(engine, { spans, untilMs, progress: plan.progress })
  }
  await engine.quiet(mergedWithinMs)
  return [...(await usable(served, plan)), ...(await answers(served, { ...plan, untilMs }))]
}

/** Until when a directory that was kept has spans; undefined where there are none. */
async function writtenUntilMs(engine: Engine, spans: number): Promise<number | undefined> {
  // The last settled run began so late.
  const [there = 0, lastMs = 0] = await engine.numbers(
    'SELECT (SELECT count() FROM otel_traces), toUnixTimestamp64Milli(max(StartedAt)) FROM chain_execution_traces',
  )
  if (there === 0) return undefined
  if (there < spans) throw new Error(`Only ${there} of ${spans} spans are there: give --data another directory`)
  return lastMs
}

/** Ten minutes settled as they would have been; these six times are an hour, and that 24 times is a day. */
export async function writeDay(
  engine: Engine,
  { spans, untilMs, progress }: { spans: number; untilMs: number; progress: (line: string) => void },
): Promise<void> {
  const sliceMs = hourMs / slices
  await writeTraffic(engine.store, { traces: Math.ceil(spans / spansATrace / hours / slices), untilMs, forMs: sliceMs })
  // Merges that are behind have no room beside an insert.
  const merged = (): Promise<void> => engine.quiet(mergedWithinMs)
  await repeatEarlier(engine.store, { untilMs, ofMs: sliceMs, times: slices, merged }, () => undefined)
  await repeatEarlier(engine.store, { untilMs, ofMs: hourMs, times: hours, merged }, async (done) => {
    await merged()
    progress(`${done} of ${hours} hours are stored`)
  })
}

/** From the click on a link until the map is there. */
export async function usable({ engine, api, url }: Served, plan: Plan): Promise<Row[]> {
  const skipped = skippedWithout('usable_ms')
  if (skipped !== undefined) return skipped
  await using cleanup = new AsyncDisposableStack()
  const visitAs = await openBrowser(cleanup)
  const rounds: { clockMs: number; pageMs: number; serverMs: number }[] = []
  // The first visit also pays for what an API and an engine do once in their lives.
  for (let round = 0; round <= plan.rounds; round += 1) {
    await visitAs(async (page) => {
      let clockMs = 0
      let serverMs = 0
      const { cpuMs: pageMs } = await watchTasks(page, async () => {
        const serverUs = async (): Promise<number> => threadsCpuUsOf(engine.pid) + (await api.ask('cpuUs', undefined))
        const beforeUs = await serverUs()
        await page.goto(url, { waitUntil: 'domcontentloaded' })
        const shown = await page.waitForFunction(
          `document.querySelector('.react-flow__node') !== null && performance.now()`,
          { polling: 'raf' },
        )
        clockMs = Number(await shown.jsonValue())
        serverMs = ((await serverUs()) - beforeUs) / 1e3
      })
      plan.progress(
        `${round === 0 ? 'first' : 'usable'}: ${clockMs.toFixed(0)} ms by the clock; ${pageMs.toFixed(0)} ms CPU in the page, ${serverMs.toFixed(0)} ms in API and engine`,
      )
      if (round > 0) rounds.push({ clockMs, pageMs, serverMs })
    })
  }
  const middle = (value: (round: (typeof rounds)[number]) => number): number => median(rounds.map(value))
  return [
    judged(
      'usable_ms',
      middle(({ pageMs, serverMs }) => pageMs + serverMs),
      'ms CPU of page, its worker, API and engine until the map is there',
      {
        atMost: usableMsMax,
      },
    ),
    told(
      'usable_page',
      middle(({ pageMs }) => pageMs),
      'ms CPU of it in the page',
    ),
    told(
      'usable_clock',
      middle(({ clockMs }) => clockMs),
      'ms by the clock',
    ),
  ]
}

/** What answers take of engine and API, and by the clock. */
export async function answers(served: Served, { untilMs, progress }: Plan & { untilMs: number }): Promise<Row[]> {
  const rows: Row[] = []
  for (const question of await questionsAbout(served.engine, untilMs))
    rows.push(...(await answer(served, question, progress)))
  return rows
}

async function answer(
  { engine, api, url }: Served,
  { id, words, msMax, paths }: Question,
  progress: (line: string) => void,
): Promise<Row[]> {
  const times: { path: string; cpuMs: number; clockMs: number; apiMs: number }[] = []
  const ask = async (path: string): Promise<void> => {
    const response = await fetch(`${url}${path}`)
    const body = await response.text()
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${body}`)
  }
  // Connections and code are warm, as they are in a process that has been asked before.
  for (const path of paths.slice(0, 5)) await ask(path)
  const before = await api.ask('queries', undefined)
  for (const path of paths) {
    const [engineUs, apiUs] = [threadsCpuUsOf(engine.pid), await api.ask('cpuUs', undefined)]
    const startedMs = performance.now()
    await ask(path)
    const clockMs = performance.now() - startedMs
    const apiMs = ((await api.ask('cpuUs', undefined)) - apiUs) / 1e3
    times.push({ path, clockMs, apiMs, cpuMs: apiMs + (threadsCpuUsOf(engine.pid) - engineUs) / 1e3 })
  }
  const after = await api.ask('queries', undefined)
  const [slowest] = times.toSorted((a, b) => b.cpuMs - a.cpuMs)
  progress(
    `${id}: ${((after - before) / paths.length).toFixed(1)} queries each; median ${median(times.map(({ cpuMs }) => cpuMs)).toFixed(0)} ms CPU, ` +
      `of it ${median(times.map(({ apiMs }) => apiMs)).toFixed(0)} ms in the API; most ${slowest?.cpuMs.toFixed(0)} ms for ${slowest?.path}`,
  )
  return [
    judged(
      `${id}_p95`,
      shareOf(
        times.map(({ cpuMs }) => cpuMs),
        part,
      ),
      `ms CPU of engine and API, ${words}`,
      { atMost: msMax },
    ),
    told(
      `${id}_p95_clock`,
      shareOf(
        times.map(({ clockMs }) => clockMs),
        part,
      ),
      'ms by the clock',
    ),
  ]
}
