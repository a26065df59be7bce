// Against a real collector over HTTP; only the clock is the test's own, so that nobody waits.

import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import * as fc from 'fast-check'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { agentCounters, counters } from '../counters.ts'
import { readSettings } from '../settings/settings.ts'
import { encodePartialSuccess, readProtobuf } from '../test-otlp.ts'
import { listen } from '../testing.ts'
import { makeSampler } from '../trace/sampler.ts'
import { FlowTracerProvider } from '../trace/tracer.ts'
import { poster } from './post.ts'
import { requestBodies } from './request-body.ts'
import { SpanRing } from './span-ring.ts'
import { type SenderOptions, spanSender } from './span-sender.ts'

beforeEach(() => {
  counters.spansEnded = counters.spansExported = counters.spansDropped = counters.spansLost = 0
})

type Headers = Record<string, string>
type Answer = { status: number; headers?: Headers; body?: Buffer } | 'hang' | 'hang up'
const [taken, busy]: [Answer, Answer] = [{ status: 200 }, { status: 503 }]

interface Request {
  encoding: string
  headers: IncomingMessage['headers']
  /** Names of the spans in it. */
  spans: string[]
  answer: () => void
}

/** A collector that answers in turn as it is told, and in the end takes all. */
async function startCollector(answers: Answer[]) {
  const requests: Request[] = []
  let [open, openMax] = [0, 0]
  const server = createServer((request, response) => void serve(request, response))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    open += 1
    openMax = Math.max(open, openMax)
    response.on('close', () => (open -= 1))
    const body = await bodyOf(request)
    const answer = answers.shift() ?? { status: 200 }
    const encoding = request.headers['content-encoding'] ?? 'identity'
    const send = () => {
      if (answer === 'hang') return
      if (answer === 'hang up') request.socket.destroy()
      else response.writeHead(answer.status, answer.headers).end(answer.body)
    }
    const spans = readProtobuf(inflaters[encoding]?.(body) ?? body).map(({ name }) => name)
    requests.push({ encoding, headers: request.headers, spans, answer: () => response.writeHead(200).end() })
    send()
  }

  return {
    url: (await listen(server)).url,
    requests,
    openMax: () => openMax,
    hangUp: () => server.closeAllConnections(),
  }
}

const inflaters: Record<string, (body: Buffer) => Buffer> = { gzip: gunzipSync, zstd: zstdDecompressSync }

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(request, 'end')
  return Buffer.concat(chunks)
}

/** Spans on their way to a collector that gives such answers, by the test's clock. */
async function startSending(answers: Answer[], env: Headers = {}, more: Partial<SenderOptions> = {}) {
  const collector = await startCollector(answers)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_700_000_000_000 })
  const settings = readSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env })
  const { queueSpansMax = 1_000 } = settings.batch
  const ring = new SpanRing({ bytesMax: 1_000_000, spansMax: queueSpansMax })
  const lines: string[] = []
  const post = poster(settings.endpoint)
  let [answered, isOver] = [0, false]
  const sender = spanSender({
    ...settings.batch,
    ring,
    toBody: requestBodies(settings.resource),
    post: async (body, encoding) => {
      if (isOver) return { kind: 'refused', reason: 'the test is over', status: 0 }
      const answer = await post(body, encoding)
      answered += 1
      return answer
    },
    compression: settings.compression,
    say: (line) => lines.push(line),
    nowMs: () => Date.now(),
    random: () => 1,
    ...more,
  })
  onTestFinished(async () => {
    isOver = true
    collector.hangUp()
    await sender.drain()
    vi.useRealTimers()
  })
  const provider = new FlowTracerProvider({
    sampler: makeSampler('always_on', 1),
    limits: settings.limits,
    ended: (span) => sender.add(span),
  })
  const tracer = provider.getTracer('test')
  const end = (...names: string[]) => {
    for (const name of names) tracer.startSpan(name).end()
  }
  /** Goes on when the sender has had `count` answers, and has done what is to be done at once. */
  const hasAnswers = async (count: number) => {
    await until(() => answered >= count)
    await turns(3)
  }
  return { ...collector, ring, sender, lines, tracer, end, hasAnswers }
}

const oneByOne = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' }

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turns(1)
}

/** Turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Lets the time pass until something is due; tells how long that was. */
function passTime(): number {
  const before = Date.now()
  vi.advanceTimersToNextTimer()
  return Date.now() - before
}

test('spans go in batches as soon as there are enough, and what is left when its time has come', async () => {
  const env = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '3', OTEL_BSP_SCHEDULE_DELAY: '700' }
  const { requests, end, hasAnswers } = await startSending([], env)
  end('a', 'b', 'c', 'd', 'e', 'f', 'g')
  await hasAnswers(2)
  expect(requests.map(({ spans }) => spans)).toEqual([
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
  ])
  expect(passTime()).toBe(700)
  await hasAnswers(3)
  expect(requests[2]?.spans).toEqual(['g'])
  expect(agentCounters()).toMatchObject({ spansEnded: 7, spansExported: 7, spansDropped: 0, spansLost: 0 })
})

test('one request is under way at a time, on one connection', async () => {
  const { requests, openMax, end, ring, sender } = await startSending(['hang', 'hang'], oneByOne)
  end('a')
  await until(() => requests.length === 1)
  end('b', 'c', 'd')
  await turns(20)
  expect([requests.length, ring.spans]).toEqual([1, 3])
  requests[0]?.answer()
  await until(() => requests.length === 2)
  expect(requests[1]?.spans).toEqual(['b'])
  // Of four spans one is there, one is on its way, two wait.
  expect(agentCounters()).toMatchObject({ spansEnded: 4, spansExported: 1, spansDropped: 0, spansLost: 0 })
  expect([ring.spans, sender.hasUnsent()]).toEqual([2, true])
  requests[1]?.answer()
  await until(() => !sender.hasUnsent())
  expect(openMax()).toBe(1)
})

test('a request says what it is, and bears the headers that the environment names', async () => {
  const env = { ...oneByOne, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc' }
  const { requests, end, hasAnswers } = await startSending([], env)
  end('a')
  await hasAnswers(1)
  expect(requests[0]?.headers).toMatchObject({
    'content-type': 'application/x-protobuf',
    'content-encoding': 'gzip',
    authorization: 'Bearer abc',
  })
})

test('gzip first, and zstd as soon as the collector says that it understands it', async () => {
  const zstd: Answer = { status: 200, headers: { 'accept-encoding': 'gzip, zstd;q=0.5' } }
  const { requests, end, hasAnswers } = await startSending([taken, zstd, zstd, taken], oneByOne)
  end('a', 'b', 'c', 'd', 'e')
  await hasAnswers(5)
  expect(requests.map(({ encoding }) => encoding)).toEqual(['gzip', 'gzip', 'zstd', 'zstd', 'gzip'])
})

test('whoever does not understand gzip gets the same batch plain, and all others', async () => {
  const { requests, end, hasAnswers } = await startSending([{ status: 415 }], oneByOne)
  end('a', 'b')
  await hasAnswers(3)
  expect(requests.map(({ encoding, spans }) => [encoding, ...spans])).toEqual([
    ['gzip', 'a'],
    ['identity', 'a'],
    ['identity', 'b'],
  ])
  expect(agentCounters()).toMatchObject({ spansExported: 2, spansLost: 0 })
})

test('whoever says to understand zstd and does not gets gzip', async () => {
  const zstd: Answer = { status: 200, headers: { 'accept-encoding': 'zstd' } }
  const { requests, end, hasAnswers } = await startSending([zstd, { status: 415 }, zstd], oneByOne)
  end('a', 'b', 'c')
  await hasAnswers(4)
  expect(requests.map(({ encoding, spans }) => [encoding, ...spans])).toEqual([
    ['gzip', 'a'],
    ['zstd', 'b'],
    ['gzip', 'b'],
    ['gzip', 'c'],
  ])
  expect(agentCounters()).toMatchObject({ spansExported: 3, spansLost: 0 })
})

test.each([
  ['gzip', 'gzip'],
  ['zstd', 'zstd'],
  ['none', 'identity'],
])('OTEL_EXPORTER_OTLP_COMPRESSION=%s is what is done, whatever the collector says', async (name, encoding) => {
  const zstd: Answer = { status: 200, headers: { 'accept-encoding': 'zstd' } }
  const env = { ...oneByOne, OTEL_EXPORTER_OTLP_COMPRESSION: name }
  const { requests, end, hasAnswers } = await startSending([zstd, { status: 415 }], env)
  end('a', 'b', 'c')
  await hasAnswers(3)
  expect(requests.map((request) => request.encoding)).toEqual([encoding, encoding, encoding])
  expect(agentCounters()).toMatchObject({ spansExported: 2, spansLost: 1 })
})

test('a collector that is away is asked again, ever less often, and soon again once it has taken something', async () => {
  const { requests, end, hasAnswers } = await startSending(
    [busy, { status: 502 }, { status: 504 }, { status: 408 }, { status: 429 }, 'hang up', busy, taken, busy],
    oneByOne,
  )
  end('a')
  const waits: number[] = []
  for (let offer = 1; offer < 8; offer += 1) {
    await hasAnswers(offer)
    waits.push(passTime())
  }
  await hasAnswers(8)
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  expect(requests.every(({ spans }) => spans.join() === 'a')).toBe(true)
  expect(agentCounters()).toMatchObject({ spansExported: 1, spansLost: 0 })
  end('b')
  await hasAnswers(9)
  expect(passTime()).toBe(1_000)
})

test('waits are spread, down to a half, so that not all come back at once', async () => {
  const { end, hasAnswers } = await startSending([busy, busy], oneByOne, { random: () => 0 })
  end('a')
  await hasAnswers(1)
  expect(passTime()).toBe(500)
  await hasAnswers(2)
  expect(passTime()).toBe(1_000)
})

test.each<[string, () => string, number]>([
  ['seconds', () => '7', 7_000],
  ['a date', () => new Date(Date.now() + 9_000).toUTCString(), 9_000],
  ['no time at all, which would be a loop', () => '0', 500],
  ['a date that is over', () => new Date(Date.now() - 9_000).toUTCString(), 500],
  ['a year', () => '31536000', 300_000],
  ['nonsense', () => 'soon', 1_000],
  ['nothing', () => '', 1_000],
])('a collector is asked again when it wants to be: after %s', async (_what, header, waitMs) => {
  const answers: Answer[] = []
  const { end, hasAnswers } = await startSending(answers, oneByOne)
  for (const [index, status] of [429, 503].entries()) {
    answers.push({ status, headers: { 'retry-after': header() } }, taken)
    end('a')
    await hasAnswers(2 * index + 1)
    expect(passTime()).toBe(waitMs)
    await hasAnswers(2 * index + 2)
  }
})

test.each([400, 401, 403, 404, 413, 500, 301])(
  'a batch that is refused with %s is lost, counted and told',
  async (status) => {
    const { requests, end, hasAnswers, lines } = await startSending([{ status }], oneByOne)
    end('a', 'b')
    await hasAnswers(2)
    expect(requests.map(({ spans }) => spans)).toEqual([['a'], ['b']])
    expect(agentCounters()).toMatchObject({ spansEnded: 2, spansExported: 1, spansLost: 1 })
    expect(lines).toEqual([expect.stringContaining(`(${status} `)])
    expect(lines[0]).toContain('1 span lost')
  },
)

test('spans that a collector rejects are lost, with its reason', async () => {
  const body = encodePartialSuccess({ rejectedSpans: 2, errorMessage: 'too old' })
  const much = encodePartialSuccess({ rejectedSpans: 1_000_000 })
  const env = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '3' }
  const answers: Answer[] = [
    { status: 200, body },
    { status: 200, body: much },
  ]
  const { end, hasAnswers, lines } = await startSending(answers, env)
  end('a', 'b', 'c')
  await hasAnswers(1)
  expect(agentCounters()).toMatchObject({ spansEnded: 3, spansExported: 1, spansLost: 2 })
  expect(lines).toEqual([expect.stringContaining('too old')])
  end('d', 'e', 'f')
  await hasAnswers(2)
  expect(agentCounters()).toMatchObject({ spansEnded: 6, spansExported: 1, spansLost: 5 })
})

test.each([
  ['noise', { status: 200, body: Buffer.from('ff0a80ff12ffffff', 'hex') }],
  ['a page', { status: 200, body: Buffer.from('<html>hello</html>') }],
  ['a megabyte', { status: 200, body: Buffer.alloc(1_048_576, 0x0a) }],
  ['no content', { status: 204 }],
])('an answer of %s is taken for a yes', async (_what, answer) => {
  const { end, hasAnswers } = await startSending([answer], oneByOne)
  end('a', 'b')
  await hasAnswers(2)
  expect(agentCounters()).toMatchObject({ spansExported: 2, spansLost: 0 })
})

test('a collector that never answers has OTEL_EXPORTER_OTLP_TIMEOUT for it, and is then asked again', async () => {
  const env = { ...oneByOne, OTEL_EXPORTER_OTLP_TIMEOUT: '3000' }
  const { requests, end, hasAnswers, lines } = await startSending(['hang'], env)
  end('a')
  await until(() => requests.length === 1)
  expect(passTime()).toBe(3_000)
  await hasAnswers(1)
  expect(lines).toEqual([expect.stringContaining('no answer in 3000 ms')])
  expect(passTime()).toBe(1_000)
  await hasAnswers(2)
  expect(agentCounters()).toMatchObject({ spansEnded: 1, spansExported: 1 })
})

test('what finds no room is dropped, the oldest first, and counted', async () => {
  const env = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1', OTEL_BSP_MAX_QUEUE_SIZE: '2' }
  const { requests, end, hasAnswers } = await startSending(['hang'], env)
  end('on its way')
  await until(() => requests.length === 1)
  end('a', 'b', 'c', 'd')
  expect(agentCounters()).toMatchObject({ spansEnded: 5, spansExported: 0, spansDropped: 2, spansLost: 0 })
  requests[0]?.answer()
  await hasAnswers(3)
  expect(requests.map(({ spans }) => spans)).toEqual([['on its way'], ['c'], ['d']])
})

test('what found no room is told once a minute, also where the collector takes all that comes', async () => {
  const env = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1', OTEL_BSP_MAX_QUEUE_SIZE: '2' }
  const { requests, end, hasAnswers, lines } = await startSending(['hang', taken, taken, 'hang', taken, taken], env)
  const overflow = async (answers: number, names: string[]) => {
    end('on its way')
    await until(() => requests.length === answers + 1)
    end(...names)
    requests[answers]?.answer()
    await hasAnswers(answers + 3)
  }
  await overflow(0, ['a', 'b', 'c', 'd'])
  expect(lines).toEqual([expect.stringMatching(/^2 spans lost: .*, the service is not affected$/)])
  vi.setSystemTime(Date.now() + 59_999)
  await overflow(3, ['a', 'b', 'c'])
  expect(lines).toHaveLength(1)
  vi.setSystemTime(Date.now() + 1)
  end('a', 'b')
  await hasAnswers(8)
  expect(lines).toEqual([lines[0], expect.stringMatching(/^1 span lost since the last line: /)])
})

test('a span that cannot be written is dropped and counted, and no other', async () => {
  const { requests, end, hasAnswers, tracer } = await startSending([], oneByOne)
  const span = tracer.startSpan('too large')
  const full = Object.fromEntries(Array.from({ length: 128 }, (_, index) => [`key ${index}`, 'x'.repeat(256)]))
  for (let event = 0; event < 128; event += 1) span.addEvent('event', full)
  span.end()
  end('a')
  await hasAnswers(1)
  expect(requests.map(({ spans }) => spans)).toEqual([['a']])
  expect(agentCounters()).toMatchObject({ spansEnded: 2, spansExported: 1, spansDropped: 1 })
})

test('draining sends what waits, at once, and is over when nothing does', async () => {
  const { requests, end, sender } = await startSending([], { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' })
  await sender.drain()
  end('a')
  await Promise.all([sender.drain(), sender.drain()])
  expect(requests.map(({ spans }) => spans)).toEqual([['a']])
  expect(sender.hasUnsent()).toBe(false)
  end('b')
  expect(sender.hasUnsent()).toBe(true)
})

test('draining waits for nobody: a batch that cannot be taken now is offered once, and lost', async () => {
  const answers: Answer[] = [busy, busy, { status: 429, headers: { 'retry-after': '60' } }, taken]
  const { requests, end, sender, hasAnswers } = await startSending(answers, oneByOne)
  end('a')
  await hasAnswers(1)
  // It waits to be offered again.
  end('b', 'c')
  await sender.drain()
  expect(requests.map(({ spans }) => spans)).toEqual([['a'], ['a'], ['b'], ['c']])
  expect(agentCounters()).toMatchObject({ spansEnded: 3, spansExported: 1, spansLost: 2 })
  end('d')
  await hasAnswers(5)
  expect(agentCounters()).toMatchObject({ spansEnded: 4, spansExported: 2 })
})

test('draining a collector that hangs takes as long as one request may', async () => {
  const { requests, end, sender } = await startSending(['hang'], { ...oneByOne, OTEL_EXPORTER_OTLP_TIMEOUT: '3000' })
  end('a')
  const drained = sender.drain()
  await until(() => requests.length === 1)
  expect(passTime()).toBe(3_000)
  await drained
  expect(agentCounters()).toMatchObject({ spansEnded: 1, spansLost: 1 })
})

test('an operator reads once a minute what goes wrong, with how much was lost since', async () => {
  const refusals = Array.from({ length: 6 }, (): Answer => ({ status: 400 }))
  const { end, hasAnswers, lines } = await startSending(refusals, oneByOne)
  for (const [index, afterMs] of [0, 30_000, 29_999, 1, 59_999, 1].entries()) {
    vi.setSystemTime(Date.now() + afterMs)
    end('a')
    await hasAnswers(index + 1)
  }
  expect(lines.map((line) => /\d+ spans? lost[^,]*/.exec(line)?.[0])).toEqual([
    '1 span lost',
    '3 spans lost since the last line',
    '2 spans lost since the last line',
  ])
})

test('every span is exported, dropped, lost or waits, whatever the collector answers', async () => {
  const answers = fc.constantFrom<Answer>(
    { status: 200 },
    { status: 200, headers: { 'accept-encoding': 'zstd' } },
    { status: 200, body: encodePartialSuccess({ rejectedSpans: 1 }) },
    { status: 503 },
    { status: 429, headers: { 'retry-after': '3' } },
    { status: 400 },
    { status: 415 },
    'hang up',
  )
  const stories = fc.array(fc.oneof(fc.nat(6), fc.constant('time')), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fc.array(answers, { maxLength: 12 }), stories, async (given, story) => {
      counters.spansEnded = counters.spansExported = counters.spansDropped = counters.spansLost = 0
      const env = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2', OTEL_BSP_MAX_QUEUE_SIZE: '5' }
      const { requests, end, sender, ring } = await startSending([...given], env)
      for (const step of story) {
        if (step === 'time') vi.advanceTimersByTime(5_000)
        else end(...Array.from({ length: step }, (_, index) => `span ${index}`))
        await turns(5)
        const { spansEnded, spansExported, spansDropped, spansLost } = agentCounters()
        const underWay = spansEnded - spansExported - spansDropped - spansLost - ring.spans
        expect(underWay).toBeGreaterThanOrEqual(0)
        expect(underWay).toBeLessThanOrEqual(2)
      }
      await sender.drain()
      const { spansEnded, spansExported, spansDropped, spansLost } = agentCounters()
      expect(spansExported + spansDropped + spansLost).toBe(spansEnded)
      expect([ring.spans, sender.hasUnsent()]).toEqual([0, false])
      expect(requests.every(({ spans }) => spans.length <= 2)).toBe(true)
    }),
    { numRuns: 40 },
  )
})
