// What reaches a collector is not what happened: spans come late, twice, with wrong clocks, or not at all. The right answer
// all the same, or none.
import { type SpanInsert, readOpenIncidents } from '@headwater/store'
import type { Incident } from '@headwater/vocabulary'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
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
function isOneOf(hundred: number, { TraceId }: SpanInsert): boolean {
  return Number.parseInt(TraceId.slice(0, 6), 16) % 100 < hundred
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
        const first = isOneOf(5, span) && span.ServiceName === 'orders' ? later(span, 40_000) : span
        return next() < 0.3 ? [first, later(first, Math.floor(next() * 20_000))] : [first]
      }),
  })
  const atHeight = await playFault()
  expect(atHeight.causes[0]).toMatchObject({ service: 'payments', operation: 'POST /charge', kind: 'errors' })
  const [flow] = atHeight.impact.flows
  const seen = runs.filter(
    (run) =>
      run.flow === 'POST /orders' && run.endMs >= Date.parse(atHeight.impact.since) && run.endMs < msAt(faultS.to),
  )
  expect(flow?.name).toBe('POST /orders')
  expect(flow?.runs).toBeLessThanOrEqual(seen.length)
  expect(flow?.share).toBeCloseTo(seen.filter(({ isHit }) => isHit).length / seen.length, 1)
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

test('half of the traces are enough', async () => {
  await stories.receive({
    faults: [during('bad-version')],
    spoil: (spans) => spans.filter((span) => isOneOf(50, span)),
  })
  const atHeight = await playFault()
  expect(atHeight.causes.map(({ service, kind }) => `${kind} ${service}`)).toEqual(['errors payments'])
  expect(atHeight.impact.flows[0]?.share).toBeCloseTo(0.5, 0)
}, 240_000)

test('a service that keeps half of its spans only, whatever its traces do, is no more suspect than before', async () => {
  const next = chance(11)
  await stories.receive({
    faults: [during('bad-version')],
    spoil: (spans) => spans.filter(({ ServiceName }) => ServiceName !== 'orders' || next() < 0.5),
  })
  const atHeight = await playFault()
  expect(atHeight.causes[0]).toMatchObject({ service: 'payments', kind: 'errors' })
}, 240_000)

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
}, 240_000)
