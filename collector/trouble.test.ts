import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Collector } from './index.ts'
import { startTestCollectors, type TestCollectors } from './test-collector.ts'

let world: TestCollectors
let collector: Collector
const lines: string[] = []

beforeAll(async () => {
  world = await startTestCollectors()
  collector = await world.start({}, { log: (line) => lines.push(line) })
})

afterAll(() => world?.stop())

let spans = 0
function send(url = collector.url, attributes: unknown[] = []): Promise<Response> {
  const times = { startTimeUnixNano: `${Date.now()}000000`, endTimeUnixNano: `${Date.now()}000001` }
  const span = { traceId: 'ab'.repeat(16), spanId: (++spans).toString(16).padStart(16, 'c'), attributes, ...times }
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
  return fetch(`${url}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

async function stored(): Promise<number> {
  const answer = await world.store.clickhouse.query({
    query: 'SELECT count() AS rows FROM otel_traces',
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ rows: number }>()
  return row?.rows ?? 0
}

function killEngines(): boolean {
  const pid = world.engines.embedded?.pid()
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
  return pid !== undefined
}

const balanceOf = ({ metrics }: Collector) => {
  const fate = (outcome: string) => metrics.sum('headwater_ingest_records_total', { outcome })
  const pending = metrics.sum('headwater_ingest_pending_records')
  return { received: fate('received'), stored: fate('stored'), pending }
}

test('who waits for ClickHouse is asked to come again while it is gone, and once it is back all is there', async (context) => {
  expect((await send()).status).toBe(200)
  if (!killEngines()) context.skip('a server that is not ours cannot be killed')
  // Killed again whenever it is back, or a request may be in time for the restart.
  const killing = setInterval(killEngines, 20)
  let refused = await send()
  for (let more = 0; more < 20 && refused.status === 200; more += 1) refused = await send()
  clearInterval(killing)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
  expect(await refused.json()).toEqual({
    code: 14,
    message: expect.stringMatching(/come again|send (them|these).* again/),
  })
  await expect.poll(async () => (await send()).status, { timeout: 30_000, interval: 100 }).toBe(200)
  await collector.idle()
  expect(lines).toContainEqual(expect.stringContaining('ClickHouse does not take traces, the log keeps them'))
  expect(lines).toContain('ClickHouse takes records again')
  const { received, stored: booked, pending } = balanceOf(collector)
  expect([booked, pending]).toEqual([received, 0])
  expect(await stored()).toBe(received)
})

test('who trusts the log is taken while ClickHouse is gone, and ClickHouse has it later', async (context) => {
  const before = await stored()
  const logged = await world.start({ acknowledgement: 'logged' })
  if (!killEngines()) context.skip('a server that is not ours cannot be killed')
  for (let request = 0; request < 20; request += 1) expect((await send(logged.url)).status).toBe(200)
  await logged.idle()
  expect(await stored()).toBe(before + 20)
  expect(balanceOf(logged)).toEqual({ received: 20, stored: 20, pending: 0 })
})

/** Takes what memory ClickHouse has left, to within a piece; returns how to give it back. */
async function takeMemory(pieceBytes: number): Promise<() => Promise<void>> {
  const { clickhouse } = world.store
  await clickhouse.command({ query: 'CREATE TABLE held (Bytes String) ENGINE = Memory' })
  const hold = () =>
    clickhouse.command({ query: `INSERT INTO held SELECT repeat('x', 1000000) FROM numbers(${pieceBytes / 1e6})` })
  await expect
    .poll(() => hold().catch(({ code }: { code?: string }) => code), { timeout: 60_000, interval: 1 })
    .toBe('241')
  return async () => {
    await clickhouse.command({ query: 'DROP TABLE held SYNC' })
  }
}

test('while ClickHouse has no memory for an insert the log keeps what came, and ClickHouse has it later', async (context) => {
  if (world.engines.embedded === undefined) context.skip('the memory of a server that is not ours is left alone')
  const before = await stored()
  const logged = await world.start({ acknowledgement: 'logged' }, { log: (line) => lines.push(line) })
  lines.length = 0
  const giveBack = await takeMemory(20e6)
  const large = [{ key: 'body', value: { stringValue: 'y'.repeat(3e6) } }]
  for (let request = 0; request < 10; request += 1) expect((await send(logged.url, large)).status).toBe(200)
  await expect
    .poll(() => lines, { timeout: 30_000 })
    .toContainEqual(
      expect.stringMatching(/ClickHouse does not take traces, the log keeps them.*memory limit exceeded/i),
    )
  await giveBack()
  await logged.idle()
  expect(await stored()).toBe(before + 10)
  expect(balanceOf(logged)).toEqual({ received: 10, stored: 10, pending: 0 })
}, 120_000)

test('a full log is a 503 with the time to wait', async (context) => {
  const full = await world.start({ acknowledgement: 'logged', logBytesMax: 30_000 })
  if (!killEngines()) context.skip('a server that is not ours cannot be killed')
  const statuses = new Set<number>()
  let last = await send(full.url)
  for (let request = 0; request < 200 && last.status === 200; request += 1) {
    statuses.add(last.status)
    last = await send(full.url)
  }
  expect([last.status, last.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await last.json()).toEqual({ code: 14, message: expect.stringContaining('The log is full') })
  await full.idle()
  await expect.poll(async () => (await send(full.url)).status, { timeout: 10_000 }).toBe(200)
  await full.idle()
  const { received, stored: booked, pending } = balanceOf(full)
  expect([booked, pending]).toEqual([received, 0])
})
