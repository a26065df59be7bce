import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { connectStore, migrateClickHouse, migratePostgres, readOpenIncidents, type Store } from '@headwater/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Analyzer, nextStepMs, startAnalyzer, untilNextStepMs } from './start.ts'
import { shopTime } from './test-shop.ts'

let engines: TestEngines
let store: Store
const running: Analyzer[] = []

beforeEach(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
}, 120_000)

afterEach(async () => {
  await Promise.all(running.splice(0).map((analyzer) => analyzer.stop()))
  await store.close()
  await engines.stop()
})

function start(log?: (line: string) => void): Analyzer {
  const analyzer = startAnalyzer({ store, everyMs: 100, ...(log === undefined ? {} : { log }) })
  running.push(analyzer)
  return analyzer
}

/** What the shop sent in some time, given in seconds before now. */
async function receive({ sinceS, untilS, deadSinceS }: { sinceS: number; untilS: number; deadSinceS?: number }) {
  const nowMs = Math.floor(Date.now() / 1_000) * 1_000
  const ago = (seconds: number) => nowMs - seconds * 1_000
  const { spans } = shopTime({
    fromMs: ago(sinceS),
    toMs: ago(untilS),
    faults: deadSinceS === undefined ? [] : [{ fault: 'dead-payments', fromMs: ago(deadSinceS), toMs: ago(untilS) }],
  })
  await store.clickhouse.insert({ table: 'otel_traces', format: 'JSONEachRow', values: spans })
}

const patient = { timeout: 90_000, interval: 200 }

/** Until the analyzer has settled what had arrived by some time. */
async function settledUpTo(analyzer: Analyzer, ms: number): Promise<void> {
  await expect
    .poll(() => analyzer.metrics.get('headwater_settle_watermark_seconds') * 1_000, patient)
    .toBeGreaterThan(ms)
}

test('the loop settles what arrives, judges it, and opens an incident; stopping lets go of the lease', async () => {
  await receive({ sinceS: 420, untilS: 20, deadSinceS: 80 })
  const analyzer = start()
  await expect.poll(async () => (await readOpenIncidents(store)).length, patient).toBe(1)
  expect((await readOpenIncidents(store))[0]?.causes[0]).toMatchObject({ service: 'payments', kind: 'unavailable' })
  expect(analyzer.metrics.get('headwater_analyzer_leader')).toBe(1)
  expect(analyzer.metrics.get('headwater_settle_spans_total')).toBeGreaterThan(5_000)
  await expect.poll(() => analyzer.metrics.get('headwater_incidents_opened_total'), patient).toBe(1)
  await analyzer.stop()
  expect(analyzer.metrics.get('headwater_analyzer_leader')).toBe(0)
  const lease = await store.postgres.selectFrom('leases').selectAll().executeTakeFirstOrThrow()
  expect(lease.expires_at.getTime()).toBeLessThanOrEqual(Date.now() + 1_000)
  const ticks = analyzer.metrics.get('headwater_settle_ticks_total')
  await analyzer.stop()
  expect(analyzer.metrics.get('headwater_settle_ticks_total')).toBe(ticks)
}, 180_000)

test('a killed engine is logged and counted, and the loop goes on once it is back, without counting twice', async ({
  skip,
}) => {
  const pid = engines.embedded?.pid()
  if (pid === undefined) return skip('the engines are on servers')
  await receive({ sinceS: 120, untilS: 60 })
  const lines: string[] = []
  const analyzer = start((line) => lines.push(line))
  await settledUpTo(analyzer, Date.now() - 60_000)
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => analyzer.metrics.get('headwater_analyzer_failures_total'), patient).toBeGreaterThan(0)
  expect(lines[0]).toMatch(/^analyzer: /)
  await expect.poll(() => engines.embedded?.restarts(), patient).toBe(1)
  const killedMs = Date.now()
  await expect.poll(() => receive({ sinceS: 60, untilS: 10 }).then(() => 'received', String), patient).toBe('received')
  await settledUpTo(analyzer, Math.max(killedMs, Date.now()))
  const answer = await store.clickhouse.query({
    query: `SELECT
      (SELECT uniqExact(TraceId, SpanId) FROM otel_traces) = (SELECT countIf(Fresh) FROM settled_spans) AS once,
      (SELECT sum(Calls) FROM chain_health_metrics) = (SELECT count() FROM chain_dependency_events FINAL) AS counted`,
    format: 'JSONEachRow',
  })
  expect(await answer.json()).toEqual([{ once: 1, counted: 1 }])
}, 240_000)

test('a second analyzer waits, and takes over when the first one stops', async () => {
  await receive({ sinceS: 60, untilS: 10 })
  const first = start()
  await expect.poll(() => first.metrics.get('headwater_analyzer_leader'), patient).toBe(1)
  const second = start()
  const now = Date.now()
  await settledUpTo(first, now)
  expect(second.metrics.get('headwater_analyzer_leader')).toBe(0)
  expect(second.metrics.get('headwater_settle_ticks_total')).toBe(0)
  await first.stop()
  await settledUpTo(second, now + 1)
  expect(second.metrics.get('headwater_analyzer_leader')).toBe(1)
  expect(second.metrics.get('headwater_analyzer_failures_total')).toBe(0)
}, 180_000)

test('a tick that ClickHouse refuses again and again is given up, told and counted, and the loop goes on', async () => {
  await receive({ sinceS: 60, untilS: 10 })
  const clickhouse = new Proxy(store.clickhouse, {
    get(target, name) {
      if (name !== 'command') return Reflect.get(target, name)
      return async (parameters: Parameters<typeof target.command>[0]) => {
        if (parameters.query_params?.['tick'] === 1) throw Object.assign(new Error('too large'), { code: '241' })
        return await target.command(parameters)
      }
    },
  })
  const lines: string[] = []
  const analyzer = startAnalyzer({ store: { ...store, clickhouse }, everyMs: 10, log: (line) => lines.push(line) })
  running.push(analyzer)
  await expect.poll(() => analyzer.metrics.get('headwater_settle_ticks_total'), patient).toBeGreaterThan(1)
  expect(analyzer.metrics.get('headwater_settle_ticks_given_up_total')).toBe(1)
  expect(analyzer.metrics.get('headwater_analyzer_failures_total')).toBe(19)
  expect(lines.at(-1)).toMatch(/gave up what arrived from .* not analyzed: too large/)
}, 180_000)

test('an analyzer stops while both engines are away', async () => {
  await engines.stop()
  const analyzer = start()
  await expect.poll(() => analyzer.metrics.get('headwater_analyzer_failures_total'), patient).toBeGreaterThan(0)
  const before = Date.now()
  await analyzer.stop()
  expect(Date.now() - before).toBeLessThan(10_000)
}, 180_000)

const calm = (judgedMs?: number) => ({ judgedMs, isUneasy: false })
const uneasy = (judgedMs?: number) => ({ judgedMs, isUneasy: true })

test('a step is judged seven seconds after it ended, once, and steps missed in a pause are skipped', () => {
  expect(nextStepMs(116_999, calm())).toBe(100_000)
  expect(nextStepMs(117_000, calm(100_000))).toBe(110_000)
  expect(nextStepMs(126_999, calm(110_000))).toBeUndefined()
  expect(nextStepMs(600_000, calm(110_000))).toBe(590_000)
  expect(nextStepMs(100_000, calm(110_000))).toBeUndefined()
})

test('while something could be beginning there is a step in between, and the regular ones stay where they are', () => {
  expect(nextStepMs(121_999, uneasy(110_000))).toBeUndefined()
  expect(nextStepMs(122_000, uneasy(110_000))).toBe(115_000)
  expect(nextStepMs(126_999, calm(115_000))).toBeUndefined()
  expect(nextStepMs(127_000, calm(115_000))).toBe(120_000)
  expect(nextStepMs(127_000, uneasy(115_000))).toBe(120_000)
  // One that is late comes before the one in between.
  expect(nextStepMs(132_000, uneasy(110_000))).toBe(120_000)
  expect(nextStepMs(132_000, uneasy(120_000))).toBe(125_000)
})

test('the next round waits no longer than for the next step', () => {
  expect(untilNextStepMs(126_000, calm(110_000))).toBe(1_000)
  expect(untilNextStepMs(126_000, calm(115_000))).toBe(1_000)
  expect(untilNextStepMs(121_000, uneasy(110_000))).toBe(1_000)
  expect(untilNextStepMs(128_000, calm(110_000))).toBe(0)
  expect(untilNextStepMs(128_000, calm())).toBe(Infinity)
  expect(nextStepMs(126_000 + untilNextStepMs(126_000, calm(110_000)), calm(110_000))).toBe(120_000)
})
