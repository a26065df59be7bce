import { exceptionsMax } from '@headwater/store'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { iso, rawSpan, secondsAgo, settledTrace, spanId, startWorld, traceId, type World } from '../test-world.ts'

let world: World
const at = secondsAgo(300)

beforeAll(async () => {
  world = await startWorld()
})

afterAll(async () => {
  await world.stop()
})

beforeEach(async () => {
  for (const table of ['otel_traces', 'otel_traces_trace_id_ts', 'otel_logs', 'chain_execution_traces']) {
    await world.store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
  }
})

const thrown = { 'exception.type': 'TypeError', 'exception.message': 'x is undefined' }
const withStack = { ...thrown, 'exception.stacktrace': 'at evaluate (math.ts:12)' }

/** A log record of the span m1. */
function logRecord({ ms, attributes, span = 'm1' }: { ms: number; attributes: Record<string, string>; span?: string }) {
  return {
    Timestamp: iso(ms).replace('T', ' ').replace('Z', ''),
    TraceId: traceId('m'),
    SpanId: spanId(span),
    ServiceName: 'math',
    Body: 'it failed',
    LogAttributes: attributes,
  }
}

/** A span of math that fails, and takes 30 ms. */
function failing(exception?: Record<string, string>) {
  const span = rawSpan({ trace: 'm', span: 'm1', at, ms: 30, service: 'math', name: 'POST /evaluate', failed: true })
  if (exception !== undefined) return { ...span, 'Events.Attributes': [exception] }
  return { ...span, 'Events.Name': [], 'Events.Timestamp': [], 'Events.Attributes': [], StatusMessage: '500' }
}

const nanoseconds = (ms: number) => iso(ms).replace('Z', '000000Z')

async function events(): Promise<unknown> {
  return (await world.get(`/api/v1/traces/${traceId('m')}`)).body.spans[0]?.events
}

test('an exception that was logged with a span is an event of it', async () => {
  await world.insert('otel_traces', [failing()])
  await world.insert('otel_logs', [
    logRecord({ ms: at + 10, attributes: withStack }),
    // Sent again, and of no exception, and of another span.
    logRecord({ ms: at + 10, attributes: withStack }),
    logRecord({ ms: at + 5, attributes: { 'code.line.number': '12' } }),
    logRecord({ ms: at + 5, attributes: thrown, span: 'm2' }),
  ])
  expect(await events()).toEqual([{ name: 'exception', timestamp: nanoseconds(at + 10), attributes: withStack }])
})

test('a span by itself has the exceptions that were logged with it, and not those of others', async () => {
  await world.insert('otel_traces', [failing()])
  await world.insert('otel_logs', [
    logRecord({ ms: at + 10, attributes: withStack }),
    logRecord({ ms: at + 5, attributes: thrown, span: 'm2' }),
  ])
  const { body } = await world.get(`/api/v1/traces/${traceId('m')}/spans/${spanId('m1')}`)
  expect(body['span']).toMatchObject({
    events: [{ name: 'exception', timestamp: nanoseconds(at + 10), attributes: withStack }],
  })
  expect(body['truncated']).toBe(false)
})

test('an exception that came as event and as log is there once, and another one is there, too', async () => {
  await world.insert('otel_traces', [failing(thrown)])
  const earlier = { 'exception.type': 'RangeError' }
  await world.insert('otel_logs', [
    logRecord({ ms: at + 30, attributes: withStack }),
    logRecord({ ms: at + 1, attributes: earlier }),
  ])
  expect(await events()).toEqual([
    { name: 'exception', timestamp: nanoseconds(at + 1), attributes: earlier },
    { name: 'exception', timestamp: nanoseconds(at + 30), attributes: thrown },
  ])
})

test('a log that came long before or after its span is not read', async () => {
  await world.insert('otel_traces', [failing()])
  await world.insert('otel_logs', [
    logRecord({ ms: at - 120_000, attributes: thrown }),
    logRecord({ ms: at + 120_000, attributes: thrown }),
  ])
  expect(await events()).toEqual([])
})

test('of very many logged exceptions the first are told, and that there are more', async () => {
  await world.insert('otel_traces', [failing()])
  const logs = Array.from({ length: exceptionsMax + 1 }, (_, number) =>
    logRecord({ ms: at + 1, attributes: { 'exception.type': `E${number}` } }),
  )
  await world.insert('otel_logs', logs)
  const { body } = await world.get(`/api/v1/traces/${traceId('m')}`)
  expect(body.spans[0]?.events).toHaveLength(exceptionsMax)
  expect(body.truncated).toBe(true)
  const alone = await world.get(`/api/v1/traces/${traceId('m')}/spans/${spanId('m1')}`)
  expect(alone.body).toEqual({ span: body.spans[0], truncated: true })
})

test.each([
  { came: 'as a log record', span: failing(), message: 'x is undefined' },
  {
    came: 'both ways, and differs',
    span: failing({ 'exception.message': 'from the event' }),
    message: 'from the event',
  },
])('the origin of a run says what its exception says that came $came', async ({ span, message }) => {
  await world.insert('otel_traces', [span])
  await world.insert('otel_logs', [
    logRecord({ ms: at + 10, attributes: thrown }),
    logRecord({ ms: at + 11, attributes: { 'exception.message': 'a later one' } }),
  ])
  await world.insert('chain_execution_traces', [
    settledTrace({ trace: 'm', at, ms: 30, services: ['math'], failed: true }),
  ])
  const { body } = await world.get(`/api/v1/executions/${traceId('m')}/explain`)
  expect(body.origin).toMatchObject({ service: 'math', operation: 'POST /evaluate', kind: 'errors', message })
})
