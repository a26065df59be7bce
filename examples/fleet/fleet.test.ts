import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Fleet, startFleet } from './fleet.ts'
import { startLoad } from './load.ts'
import { type ReceivedSpan, type SpanReceiver, startSpanReceiver } from './testing.ts'

let receiver: SpanReceiver
let fleet: Fleet

beforeAll(async () => {
  receiver = await startSpanReceiver()
  fleet = await startFleet({ otlpUrl: receiver.url, seed: 7, exportDelayMs: 100 })
})
afterEach(() => fleet.clear())
afterAll(async () => {
  await fleet?.stop()
  await receiver?.stop()
})

const csv = 'sku,amount\na,10\nb,20\nc,60'
const flows: [name: string, body?: object][] = [
  ['POST /report', { title: 'Week 1', csv, column: 'amount' }],
  ['POST /convert', { from: 'csv', text: csv }],
  ['POST /convert', { from: 'yaml', text: 'base: &x [1, 2]\nx: *x' }],
  ['POST /calculate', { formula: 'amount * rate', scope: { amount: 3 } }],
  ['POST /sign', { text: 'agreement' }],
  ['POST /forecast', { yaml: 'x: [0, 1, 2]\ny: [1, 3, 5]', until: 10 }],
  ['GET /invoice/1234'],
  ['GET /report/none'],
]

async function ask(
  name: string,
  body?: object,
  userId = 'user-1',
): Promise<{ status: number; text: string; ms: number }> {
  const [method = 'GET', path = '/'] = name.split(' ')
  const startedAtMs = performance.now()
  const response = await fetch(`${fleet.gatewayUrl}${path}`, {
    method,
    headers: { 'x-user-id': userId, connection: 'close', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text(), ms: performance.now() - startedAtMs }
}

/** Asks until an answer is as `isWanted` says; a fault meets only some of the calls. */
async function askUntil(isWanted: (answer: { status: number; ms: number }) => boolean, name: string, body?: object) {
  return expect
    .poll(() => ask(name, body).catch(() => ({ status: 0, text: '', ms: 0 })), { timeout: 10_000, interval: 50 })
    .toSatisfy(isWanted)
}

const calculate = ['POST /calculate', { formula: 'amount * rate', scope: { amount: 3 } }] as const

function spansOf(service: string): ReceivedSpan[] {
  return receiver.spans.filter((span) => span.service === service)
}

/** All spans of the flow run that one user began. */
function reportRun(): ReceivedSpan[] {
  const entry = receiver.spans.find(({ attributes }) => attributes['user.id'] === 'user-of-the-report')
  return entry ? receiver.spans.filter(({ attributes }) => attributes['flow.id'] === entry.traceId) : []
}

function versionsFailing(service: string): string[] {
  return [...new Set(spansOf(service).flatMap(({ isError, version }) => (isError ? [version] : [])))]
}

function peersCalled(): string[] {
  return receiver.spans.flatMap(({ attributes }) => attributes['server.address'] ?? [])
}

test.each(flows)('%s is served', async (name, body) => {
  const { status, text } = await ask(name, body)
  expect({ status, text }).toEqual({ status: name === 'POST /report' ? 202 : 200, text: expect.any(String) })
})

test("a user's mistake is the user's, and is answered 4xx", async () => {
  expect((await ask('POST /convert', { from: 'csv', text: 'a,b\n1' })).status).toBe(422)
  expect((await ask('POST /calculate', { formula: 'price * 2' })).status).toBe(422)
  expect((await ask('POST /calculate', { formula: '' })).status).toBe(400)
})

test('a report is one flow run over two traces, and its message is filed by the worker', async () => {
  const { text } = await ask('POST /report', { title: 'Week 2', csv, column: 'amount' }, 'user-of-the-report')
  const { id } = JSON.parse(text) as { id: string }
  await expect.poll(async () => (await ask(`GET /report/${id}`)).text, { timeout: 5_000 }).toContain('filed')

  await expect.poll(() => reportRun().some(({ kind, service }) => kind === 5 && service === 'worker')).toBe(true)
  await expect
    .poll(() => new Set(reportRun().map(({ service }) => service)))
    .toEqual(new Set(['gateway', 'data-transform', 'math', 'pdf', 'crypto', 'worker']))

  const entry = reportRun().find(({ kind, service }) => kind === 2 && service === 'gateway')
  const consumer = reportRun().find(({ kind }) => kind === 5)
  expect(entry?.name).toBe('POST /report')
  expect(consumer?.name).toBe('process reports')
  expect(consumer?.traceId).not.toBe(entry?.traceId)
  expect(consumer?.links).toEqual([entry?.traceId])
  expect(new Set(reportRun().map(({ traceId }) => traceId)).size).toBe(2)
})

test('spans bear the names of the plan, and calls the names of the peers', async () => {
  await Promise.all(flows.map(([name, body]) => ask(name, body)))
  for (const { name, operations } of fleet.services) {
    for (const operation of operations) {
      await expect.poll(() => spansOf(name).map((span) => span.name)).toContain(operation)
    }
  }
  await expect.poll(peersCalled).toEqual(expect.arrayContaining(['fonts.internal', 'keys.internal', 'math']))
})

test('errors: the operation throws what its library throws, and its caller answers 502', async () => {
  await fleet.inject({ kind: 'errors', service: 'math', operation: 'POST /evaluate' })
  await askUntil(({ status }) => status === 502, ...calculate)
  await expect.poll(() => spansOf('math').flatMap(({ exceptions }) => exceptions)).toContain('Undefined symbol amount')
  await fleet.clear()
  for (let round = 0; round < 5; round += 1) expect((await ask(...calculate)).status).toBe(200)
})

test('latency: the operation takes longer, and does not fail', async () => {
  await fleet.inject({ kind: 'latency', service: 'crypto', operation: 'POST /sign' })
  const { status, ms } = await ask('POST /sign', { text: 'agreement' })
  expect(status).toBe(200)
  expect(ms).toBeGreaterThan(400)
  await fleet.clear()
  await askUntil((answer) => answer.status === 200 && answer.ms < 300, 'POST /sign', { text: 'agreement' })
})

test('slow-dependency: the peer outside takes longer, for that operation alone', async () => {
  await fleet.inject({ kind: 'slow-dependency', service: 'data-transform', operation: 'POST /json-to-yaml' })
  expect((await ask(...calculate)).ms).toBeGreaterThan(500)
  await askUntil(({ ms }) => ms < 300, 'POST /convert', { from: 'csv', text: csv })
  await fleet.clear()
  await askUntil(({ ms }) => ms < 300, ...calculate)
})

test('crash: the process dies at each call, comes back, and what the queue held meanwhile is filed', async () => {
  await fleet.inject({ kind: 'crash', service: 'worker', operation: 'process reports' })
  const { text } = await ask('POST /report', { title: 'Week 3', csv, column: 'amount' })
  const { id } = JSON.parse(text) as { id: string }
  await askUntil(({ status }) => status === 502, `GET /report/${id}`)
  await fleet.clear()
  await expect.poll(async () => (await ask(`GET /report/${id}`)).text, { timeout: 10_000 }).toContain('filed')
})

test('bad-version: half of the calls meet a second instance, which fails', async () => {
  await fleet.inject({ kind: 'bad-version', service: 'pdf', operation: 'POST /invoice' })
  await askUntil(({ status }) => status === 502, 'GET /invoice/77')
  await askUntil(({ status }) => status === 200, 'GET /invoice/77')
  await expect.poll(() => versionsFailing('pdf')).toEqual(['2.0.0'])
  await fleet.clear()
  for (let round = 0; round < 5; round += 1) expect((await ask('GET /invoice/77')).status).toBe(200)
})

test('healthy load meets no failure, and nothing in the telemetry tells of faults', async () => {
  const load = startLoad({ gatewayUrl: fleet.gatewayUrl, seed: 3, requestsPerSecond: 40 })
  await expect.poll(() => load.counts().ok, { timeout: 15_000 }).toBeGreaterThan(80)
  await load.stop()
  const { failed, unanswered, shed } = load.counts()
  expect({ failed, unanswered, shed }).toEqual({ failed: 0, unanswered: 0, shed: 0 })
  const telling = receiver.spans.filter(({ raw }) => /\b(fault|inject|inOrder|bad-version|chaos)/i.test(raw))
  expect(telling.map(({ raw }) => raw)).toEqual([])
})

test('deploy: another version takes over, and no call is failed meanwhile', async () => {
  const deploying = fleet.deploy('math', '1.1.0').then(() => 'done')
  const seen = new Set<number>()
  do seen.add((await ask(...calculate)).status)
  while ((await Promise.race([deploying, wait(10)])) !== 'done')
  expect(seen).toEqual(new Set([200]))
  await expect.poll(() => spansOf('math').at(-1)?.version).toBe('1.1.0')
})

test('a deploy waits until a fault is cleared', async () => {
  await fleet.inject({ kind: 'latency', service: 'crypto', operation: 'POST /sign' })
  await expect(fleet.deploy('math', '1.2.0')).rejects.toThrow('latency of crypto is on; clear it')
})
