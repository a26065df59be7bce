// What reaches a collector is not what happened: spans come late, twice, with wrong clocks, or not at all. The right answer
// all the same, or none.
import { collectorWasAlive, readOpenIncidents, type SpanInsert } from '@headwater/store'
import type { Incident } from '@headwater/vocabulary'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { explainRange } from './explain-range.ts'
import { LastingEffects } from './read-lasting.ts'
import type { ShopRun } from './test-shop.ts'
import { chance } from './test-table.ts'
import { during, endS, faultS, msAt, secondOf, Stories } from './test-story.ts'

let stories: Stories

beforeAll(async () => {
  stories = await Stories.start()
}, 120_000)

afterAll(() => stories.stop())

beforeEach(() => stories.forget())

function later(span: SpanInsert, ms: number): SpanInsert {
  return { ...span, ReceivedAt: (Number(span.ReceivedAt) + ms / 1_000).toFixed(3) }
}

/** The same traces each time, as many of a hundred. */
function isOneOf(hundred: number, traceId: string): boolean {
  return Number.parseInt(traceId.slice(0, 6), 16) % 100 < hundred
}

function isInFault({ Timestamp }: SpanInsert): boolean {
  return Number(Timestamp) * 1_000 >= msAt(faultS.from)
}

/** How many orders there truly were in the time of an impact, and how many of them were hit. */
function ordersOf(runs: ShopRun[], { impact }: Incident): { seen: number; hit: number } {
  const seen = runs.filter(
    ({ flow, endMs }) => flow === 'POST /orders' && endMs >= Date.parse(impact.since) && endMs < msAt(faultS.to),
  )
  return { seen: seen.length, hit: seen.filter(({ isHit }) => isHit).length }
}

/** As agents of ours have it: each call says who makes it. */
function withCallers(spans: SpanInsert[]): SpanInsert[] {
  const services = new Map(spans.map(({ SpanId, ServiceName }) => [SpanId, ServiceName]))
  return spans.map((span) => {
    const caller = span.SpanKind === 'Server' ? services.get(span.ParentSpanId ?? '') : undefined
    if (caller === undefined) return span
    return { ...span, SpanAttributes: { ...span.SpanAttributes, 'service.peer.name': caller } }
  })
}

/** Judges up to the end of the fault: nothing opens before, one incident in it. */
async function playFault(): Promise<Incident> {
  expect(await stories.judge(290)).toMatchObject({ findings: 0, open: 0 })
  for (const second of [310, 320, 330, 340, 360]) await stories.judge(second)
  const [told, ...others] = await readOpenIncidents(stories.store)
  expect(others).toEqual([])
  if (told === undefined) throw new Error('No incident is open')
  return told
}

test('spans that come twice or after their trace was settled count once, and do not hide the cause', async () => {
  const next = chance(7)
  const runs = await stories.receive({
    faults: [during('bad-version')],
    spoil: (spans) =>
      spans.flatMap((span) => {
        const first = isOneOf(5, span.TraceId) && span.ServiceName === 'orders' ? later(span, 40_000) : span
        return next() < 0.3 ? [first, later(first, Math.floor(next() * 20_000))] : [first]
      }),
  })
  const atHeight = await playFault()
  expect(atHeight.causes[0]).toMatchObject({ service: 'payments', operation: 'POST /charge', kind: 'errors' })
  const [flow] = atHeight.impact.flows
  const { seen, hit } = ordersOf(runs, atHeight)
  expect(flow?.name).toBe('POST /orders')
  expect(flow?.runs).toBeLessThanOrEqual(seen)
  expect(flow?.share).toBeCloseTo(hit / seen, 1)
}, 240_000)

test('a clock that is five seconds ahead makes nobody slow', async () => {
  const ahead = (spans: SpanInsert[]): SpanInsert[] =>
    spans.map((span) =>
      span.ServiceName === 'orders' ? { ...span, Timestamp: (Number(span.Timestamp) + 5).toFixed(9) } : span,
    )
  await stories.receive({ faults: [during('slow-catalog')], spoil: ahead })
  const atHeight = await playFault()
  expect(atHeight.causes.map(({ service, kind }) => `${kind} ${service}`)).toEqual(['latency catalog'])
}, 240_000)

test('a clock that is set while all is well opens nothing', async () => {
  const set = (spans: SpanInsert[]): SpanInsert[] =>
    spans.map((span) =>
      span.ServiceName === 'catalog' && Number(span.Timestamp) * 1_000 >= msAt(faultS.from)
        ? { ...span, Timestamp: (Number(span.Timestamp) - 2).toFixed(9) }
        : span,
    )
  await stories.receive({ spoil: set })
  for (const second of [290, 320, 350, 400]) expect(await stories.judge(second)).toMatchObject({ open: 0 })
}, 240_000)

test('half of the traces are enough, and the impact is told of these', async () => {
  const runs = await stories.receive({
    faults: [during('bad-version')],
    spoil: (spans) => spans.filter(({ TraceId }) => isOneOf(50, TraceId)),
  })
  const atHeight = await playFault()
  expect(atHeight.causes.map(({ service, kind }) => `${kind} ${service}`)).toEqual(['errors payments'])
  const kept = runs.filter(({ traceId }) => isOneOf(50, traceId))
  const { seen, hit } = ordersOf(kept, atHeight)
  expect(atHeight.impact.flows).toMatchObject([{ name: 'POST /orders', runsAffected: hit }])
  expect(atHeight.impact.flows[0]?.share).toBeCloseTo(hit / seen, 1)
}, 240_000)

test('a service that keeps half of its spans only, whatever its traces do, is no more suspect than before, and most who are hit are told', async () => {
  const next = chance(11)
  const runs = await stories.receive({
    faults: [during('bad-version')],
    spoil: (spans) => spans.filter(({ ServiceName }) => ServiceName !== 'orders' || next() < 0.5),
  })
  const atHeight = await playFault()
  expect(atHeight.causes[0]).toMatchObject({ service: 'payments', kind: 'errors' })
  // Where its spans are missing, not every run that failed is known to have reached the cause.
  const { hit } = ordersOf(runs, atHeight)
  const [flow, ...others] = atHeight.impact.flows
  expect([flow?.name, others]).toEqual(['POST /orders', []])
  expect(flow?.runsAffected).toBeLessThanOrEqual(hit)
  expect(flow?.runsAffected).toBeGreaterThan(hit / 2)
}, 240_000)

test('two faults at once behind a gateway that everything passes are one incident with both causes, and the gateway is none', async () => {
  await stories.receive({ faults: [during('bad-version'), during('slow-catalog')] })
  for (const second of [290, 320, 340]) await stories.judge(second)
  const [told, ...others] = await readOpenIncidents(stories.store)
  expect(others).toEqual([])
  expect(told?.causes.map(({ service, kind }) => `${kind} ${service}`).toSorted()).toEqual([
    'errors payments',
    'latency catalog',
  ])
  expect(told?.impact.flows.map(({ name }) => name).toSorted()).toEqual(['GET /products', 'POST /orders'])
}, 240_000)

test.each(['orders', 'gateway'])(
  'where the exporter of the %s stops while it lives, nobody is accused of anything',
  async (service) => {
    await stories.receive({
      spoil: (spans) => withCallers(spans).filter((span) => span.ServiceName !== service || !isInFault(span)),
    })
    const lasting = new LastingEffects(stories.store)
    for (const second of [320, 340, 480]) expect(await stories.judge(second, lasting)).toMatchObject({ open: 0 })
    expect(await readOpenIncidents(stories.store)).toEqual([])
  },
  240_000,
)

/** Beats of a collector every five seconds. */
async function beat(collector: string, { fromS, toS }: { fromS: number; toS: number }): Promise<void> {
  const values = Array.from({ length: (toS - fromS) / 5 }, (_, i) => ({
    At: (msAt(fromS + i * 5) / 1_000).toFixed(3),
    Collector: collector,
    SpansReceived: 1,
  }))
  await stories.store.clickhouse.insert({ table: 'collector_heartbeats', format: 'JSONEachRow', values })
}

test('a worker that falls silent with one of two collectors may have sent to that one, and is accused only once another is in its place', async () => {
  await stories.receive({ faults: [during('silent-mailer')] })
  await beat('another', { fromS: 0, toS: faultS.from })
  expect(await stories.judge(330)).toMatchObject({ findings: 0, open: 0 })
  await beat('in its place', { fromS: 320, toS: endS })
  expect(await stories.judge(350)).toMatchObject({ open: 1 })
  const [told] = await readOpenIncidents(stories.store)
  expect(told?.causes).toMatchObject([{ service: 'mailer', kind: 'unavailable' }])
}, 240_000)

test('silence says something where as many collectors live as before', async () => {
  const isAlive = async (fromS: number) =>
    await collectorWasAlive(stories.store, { fromMs: msAt(fromS), toMs: msAt(fromS + 30) })
  expect(await isAlive(300)).toBe(false)
  await beat('a', { fromS: 0, toS: 480 })
  expect(await isAlive(300)).toBe(true)
  expect(await isAlive(460)).toBe(false)
  await beat('b', { fromS: 0, toS: 310 })
  expect([await isAlive(270), await isAlive(300), await isAlive(400)]).toEqual([true, false, false])
  // One that takes its place does so from then on.
  await beat('c', { fromS: 345, toS: 480 })
  expect([await isAlive(300), await isAlive(330), await isAlive(400)]).toEqual([false, false, true])
  // One that starts again within seconds is missed by nobody.
  await beat('b', { fromS: 310, toS: 320 })
  await beat('b again', { fromS: 320, toS: 345 })
  expect([await isAlive(300), await isAlive(330)]).toEqual([true, true])
})

test('beyond a service that sends no spans the cause is told as well, though nobody can tell that the two are one matter', async () => {
  await stories.receive({
    faults: [during('bad-version')],
    spoil: (spans) => spans.filter(({ ServiceName }) => ServiceName !== 'orders'),
  })
  for (const second of [290, 300, 310, 320, 330]) await stories.judge(second)
  const open = await readOpenIncidents(stories.store)
  const told = open.flatMap(({ causes }) => causes.slice(0, 1))
  expect(told.map(({ service, kind, peer }) => [kind, service, peer].join(' ').trim()).toSorted()).toEqual([
    'dependency gateway orders.internal:8080',
    'errors payments',
  ])
}, 240_000)

test('a culprit that sends no spans is told as the peer that it is', async () => {
  await stories.receive({
    faults: [during('slow-catalog')],
    spoil: (spans) => spans.filter(({ ServiceName }) => ServiceName !== 'catalog'),
  })
  const atHeight = await playFault()
  expect(atHeight.causes).toMatchObject([{ service: 'gateway', kind: 'dependency', peer: 'catalog.internal:8080' }])
}, 240_000)

test('where whoever fails says that all went well, users are hit by something, and nobody is accused', async () => {
  await stories.receive({
    faults: [during('bad-version')],
    spoil: (spans) =>
      spans.map((span) =>
        span.ServiceName === 'payments' && span.SpanKind === 'Server'
          ? {
              ...span,
              StatusCode: 'Unset',
              SpanAttributes: { ...span.SpanAttributes, 'http.response.status_code': '200' },
            }
          : span,
      ),
  })
  const atHeight = await playFault()
  expect(atHeight).toMatchObject({
    title: 'Something departs from normal, and no service stands out as the cause',
    causes: [],
    confidence: 0,
    impact: { flows: [{ name: 'POST /orders' }] },
  })
  expect(atHeight.noCauseReason).toMatch(/^Not enough data to name a cause: gateway POST \/orders/)
}, 240_000)

test('of an almost idle service nobody can tell whether it is ill', async () => {
  // Two calls a minute, all of which fail in the bad minute.
  const isReport = ({ Timestamp }: SpanInsert): boolean => Math.floor(Number(Timestamp) * 4) % 120 === 0
  await stories.receive({
    spoil: (spans) => [
      ...spans,
      ...spans
        .filter((span) => span.ServiceName === 'gateway' && span.SpanKind === 'Server' && isReport(span))
        .map((span) => ({
          ...span,
          TraceId: span.TraceId.split('').toReversed().join(''),
          ServiceName: 'reports',
          SpanName: 'GET /reports',
          ResourceAttributes: { 'service.name': 'reports' },
          StatusCode:
            secondOf(new Date(Number(span.Timestamp) * 1_000).toISOString()) >= faultS.from ? 'Error' : 'Unset',
        })),
    ],
  })
  for (let second = 290; second < endS - 60; second += 20)
    expect(await stories.judge(second)).toMatchObject({ open: 0 })
  expect(await readOpenIncidents(stories.store)).toEqual([])
  // Of a minute against three before, all others are compared, and that one is told not to be.
  const fromMs = Math.ceil(msAt(faultS.from - 60) / 60_000) * 60_000
  const told = await explainRange(stories.store, {
    recent: { fromMs, toMs: fromMs + 60_000 },
    baseline: { fromMs: fromMs - 180_000, toMs: fromMs },
  })
  expect(told).toMatchObject({ state: 'normal', operations: 7, comparable: 6 })
}, 240_000)

/** Long enough for the usual number of runs to be known. */
const earlierS = 240

/** Whether a span belongs to a trace that began in the bad minute. The trace of a message goes with the one that sent it. */
function isOfFault({ Timestamp }: SpanInsert): boolean {
  const ms = Number(Timestamp) * 1_000
  return ms >= msAt(faultS.from) && ms < msAt(faultS.to)
}

/** A gateway takes one request in so many: the others get no answer of ours, and no span. */
function refuse(spans: SpanInsert[], { keep }: { keep: number }): SpanInsert[] {
  return spans.filter((span) => !isOfFault(span) || isOneOf(keep, span.TraceId))
}

/** What is told of the bad minute, when it is nearly over. */
async function tellFault(): Promise<Incident> {
  for (const second of [320, 340, 360]) await stories.judge(second)
  const [told] = await readOpenIncidents(stories.store)
  if (told === undefined) throw new Error('No incident is open')
  return told
}

/** Runs of a flow of ours with one span, at the gateway or elsewhere. */
function runsOf(name: string, { everyMs, fromS, toS, user, service = 'gateway' }: OneSpanRuns): SpanInsert[] {
  const next = chance(Buffer.from(name).reduce((sum, letter) => (sum * 31 + letter) % 1e6, everyMs))
  const id = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('')
  return Array.from({ length: ((toS - fromS) * 1_000) / everyMs }, (_, i): SpanInsert => {
    const ms = msAt(fromS) + i * everyMs + Math.floor(next() * everyMs)
    return {
      Timestamp: (ms / 1_000).toFixed(9),
      TraceId: id(32),
      SpanId: id(16),
      ParentSpanId: '',
      TraceState: '',
      SpanName: name,
      SpanKind: 'Server',
      ServiceName: service,
      ResourceAttributes: { 'service.name': service },
      ScopeName: '',
      ScopeVersion: '',
      SpanAttributes: { 'http.route': name, ...(user === undefined ? {} : { 'user.id': user(i) }) },
      Duration: 5e6,
      StatusCode: 'Unset',
      StatusMessage: '',
      'Events.Timestamp': [],
      'Events.Name': [],
      'Events.Attributes': [],
      'Links.TraceId': [],
      'Links.SpanId': [],
      'Links.TraceState': [],
      'Links.Attributes': [],
      ReceivedAt: (ms / 1_000 + 1).toFixed(3),
    }
  })
}

interface OneSpanRuns {
  everyMs: number
  fromS: number
  toS: number
  user?: (i: number) => string
  service?: string
}

test('runs that a full gateway refuses are told to be missing, and whose they were is not made up', async () => {
  const came: SpanInsert[] = []
  const runs = await stories.receive({
    faults: [during('bad-version')],
    earlierS,
    spoil: (spans) => {
      came.push(...refuse(spans, { keep: 15 }))
      return came
    },
  })
  const { impact } = await tellFault()
  for (const { name, missing, share } of impact.flows) {
    const [fromMs = 0, toMs = 0] = [missing?.from ?? '', missing?.to ?? ''].map((at) => Date.parse(at))
    const isWithin = (ms: number): boolean => ms >= fromMs && ms < toMs
    const due = runs.filter(({ flow, endMs }) => flow === name && isWithin(endMs)).length
    const seen = came.filter(
      ({ ServiceName, SpanKind, SpanName, Timestamp, Duration }) =>
        `${ServiceName} ${SpanKind} ${SpanName}` === `gateway Server ${name}` &&
        isWithin(Number(Timestamp) * 1_000 + Duration / 1e6),
    ).length
    expect(missing?.seen).toBe(seen)
    // What would have come in the last five seconds is on its way, as far as anybody knows.
    expect(missing?.runs).toBeGreaterThan((due - seen) * 0.8)
    expect(missing?.low).toBeLessThan(due - seen)
    expect(missing?.high).toBeGreaterThanOrEqual(missing?.runs ?? 0)
    expect(missing?.runs).toBeLessThanOrEqual(due - seen)
    expect(share).toBeGreaterThan(0.7)
  }
  expect(impact.flows.map(({ name }) => name).toSorted()).toEqual(['GET /products', 'POST /orders'])
  expect(impact.missingUnknown).toBeUndefined()
  expect(impact.users.affected).toBeLessThan(15)
}, 240_000)

test('what a collector took along when it died is not missing, as far as anybody can tell', async () => {
  await stories.receive({
    faults: [during('bad-version')],
    earlierS,
    spoil: (spans) => refuse(spans, { keep: 15 }),
  })
  const beats = Array.from({ length: 60 }, (_, i) => ({
    At: (msAt(i * 5 + 10) / 1_000).toFixed(3),
    Collector: 'another',
    SpansReceived: i,
  }))
  await stories.store.clickhouse.insert({ table: 'collector_heartbeats', format: 'JSONEachRow', values: beats })
  const { impact } = await tellFault()
  expect(impact.flows.filter(({ missing }) => missing !== undefined)).toEqual([])
  expect(impact.missingUnknown?.map(({ flow, why }) => `${flow} ${why}`).toSorted()).toEqual([
    'GET /products not-received',
    'POST /orders not-received',
  ])
}, 240_000)

test('runs that are sampled from the onset on are not missing, whether their spans say so or not', async () => {
  // The last eight bytes are those that samplers compare with the ratio.
  const isSampled = ({ TraceId }: SpanInsert): boolean => Number.parseInt(TraceId.slice(16, 18), 16) < 256 / 4
  const ofOrders = new Set<string>()
  await stories.receive({
    faults: [during('bad-version')],
    earlierS,
    spoil: (spans) => {
      for (const { TraceId, SpanName, ServiceName } of spans)
        if (ServiceName === 'gateway' && SpanName === 'POST /orders') ofOrders.add(TraceId)
      return [
        ...spans,
        ...runsOf('GET /news', { everyMs: 200, fromS: -earlierS, toS: endS, user: (i) => `user-${i % 31}` }),
      ]
        .filter((span) => !isOfFault(span) || isSampled(span))
        .map((span) => (isOfFault(span) && ofOrders.has(span.TraceId) ? { ...span, TraceState: 'ot=th:c' } : span))
    },
  })
  const { impact } = await tellFault()
  expect(impact.flows.filter(({ missing }) => missing !== undefined)).toEqual([])
  const told = impact.missingUnknown?.map(({ flow, why }) => `${flow} ${why}`)
  expect(told).toContain('GET /news sampled')
  expect(told).not.toContain(expect.stringContaining('POST /orders'))
}, 240_000)

test('a user who leaves, an almost idle flow and a load spike that ends are not missing', async () => {
  const until = { fromS: -earlierS, toS: faultS.from }
  await stories.receive({
    faults: [during('bad-version')],
    earlierS,
    spoil: (spans) => [
      ...spans,
      ...runsOf('GET /export', { everyMs: 250, ...until, user: () => 'batch' }),
      ...runsOf('GET /anonymous-export', { everyMs: 250, ...until }),
      ...runsOf('GET /reports', { everyMs: 20_000, ...until, user: (i) => `user-${i}` }),
      ...runsOf('GET /sale', { everyMs: 1_000, ...until, toS: endS, user: (i) => `user-${i % 29}` }),
      ...runsOf('GET /sale', { everyMs: 120, fromS: 200, toS: faultS.from, user: (i) => `user-${i % 37}` }),
    ],
  })
  const { impact } = await tellFault()
  expect(impact.flows.map(({ name, missing }) => [name, missing])).toEqual([['POST /orders', undefined]])
  const told = new Map(impact.missingUnknown?.map(({ flow, why }) => [flow, why]))
  expect(told.get('GET /export')).toBe('few-users')
  expect(told.get('GET /reports')).toBeUndefined()
  expect(told.get('GET /sale')).toBe('uneven-past')
}, 240_000)

test('what flows at other entries lack as well is the evening, and a route with a new name is not missing', async () => {
  const isEvening = (span: SpanInsert): boolean => isOfFault(span) && !isOneOf(40, span.TraceId)
  await stories.receive({
    faults: [during('bad-version')],
    earlierS,
    spoil: (spans) => {
      const user = (i: number): string => `user-${i % 31}`
      return [
        ...spans.filter((span) => !isEvening(span)),
        ...runsOf('GET /intranet', { everyMs: 100, fromS: -earlierS, toS: endS, user, service: 'intranet' }).filter(
          (span) => !isEvening(span),
        ),
        ...runsOf('GET /v1/prices', { everyMs: 200, fromS: -earlierS, toS: faultS.from, user }),
        ...runsOf('GET /v2/prices', { everyMs: 200, fromS: faultS.from, toS: endS, user }),
      ]
    },
  })
  const { impact } = await tellFault()
  expect(impact.flows.filter(({ missing }) => missing !== undefined)).toEqual([])
  expect(impact.missingUnknown?.map(({ flow, why }) => `${flow} ${why}`)).toEqual(['GET /v1/prices other-names'])
}, 240_000)
