import {
  acknowledgeIncident,
  closeIncident,
  commentOnIncident,
  LeaseLost,
  readBusiestEntries,
  readIncident,
  readIncidentRanges,
  readOpenIncidents,
  readResolvedIncidents,
  recordChange,
  saveIncident,
} from '@headwater/store'
import type { Incident } from '@headwater/vocabulary'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LastingEffects } from './read-lasting.ts'
import { daysBefore } from './read-same-time.ts'
import { Seasons } from './seasons.ts'
import { step, type StepReport } from './step.ts'
import type { ShopRun } from './test-shop.ts'
import { writeStates } from './test-states.ts'
import { during, endS, faultS, msAt, secondOf, Stories } from './test-story.ts'
import { callsIn, chance, shop } from './test-table.ts'

let stories: Stories

beforeAll(async () => {
  stories = await Stories.start()
}, 120_000)

afterAll(() => stories.stop())

beforeEach(() => stories.forget())

interface Played {
  openedS: number
  /** As it was told at the end of the fault. */
  atHeight: Incident
  resolvedS: number
}

/** Judges a story step by step: nothing may open before the fault, one incident has to in it, and close after it. */
async function play(): Promise<Played> {
  for (const second of [150, 290, 300]) expect(await stories.judge(second)).toMatchObject({ findings: 0, open: 0 })
  const openedAtS: number[] = []
  for (let second = faultS.from + 10; second <= faultS.to; second += 10) {
    const { opened } = await stories.judge(second)
    for (let i = 0; i < opened; i += 1) openedAtS.push(second)
  }
  expect(openedAtS).toHaveLength(1)
  const [openedS = 0] = openedAtS
  const [atHeight] = await readOpenIncidents(stories.store)
  if (atHeight === undefined) throw new Error('No incident is open')
  let resolvedS: number | undefined
  for (let second = faultS.to + 10; second <= endS - 10; second += 10) {
    const { opened, resolved } = await stories.judge(second)
    expect(opened).toBe(0)
    if (resolved > 0) resolvedS = second
  }
  if (resolvedS === undefined) throw new Error('The incident did not close')
  return { openedS, atHeight, resolvedS }
}

/** What an impact should say of the runs that ended since the onset. */
function truthOf(runs: ShopRun[], flow: ShopRun['flow'], since: string) {
  const seen = runs.filter((run) => run.flow === flow && run.endMs >= Date.parse(since) && run.endMs < msAt(faultS.to))
  const hit = seen.filter(({ isHit }) => isHit)
  return {
    runs: seen.length,
    runsAffected: hit.length,
    users: new Set(seen.map(({ user }) => user)).size,
    usersAffected: new Set(hit.map(({ user }) => user)).size,
  }
}

function expectImpact({ impact }: Incident, runs: ShopRun[], flow: ShopRun['flow']): void {
  const truth = truthOf(runs, flow, impact.since)
  expect(impact.flows).toMatchObject([{ name: flow, runsAffected: truth.runsAffected }])
  expect(impact.flows[0]?.share).toBeCloseTo(truth.runsAffected / truth.runs, 1)
  expect(impact.users).toMatchObject({ affected: truth.usersAffected, seen: truth.users })
  expect(impact.users.share).toBeCloseTo(truth.usersAffected / truth.users, 2)
}

/** Played again without the first cause, each run that it hit would have gone well. */
function expectMended({ causes: [first], since }: Incident, runs: ShopRun[], flow: ShopRun['flow']): void {
  const { runsAffected } = truthOf(runs, flow, since)
  const looked = Math.min(50, runsAffected)
  expect(first?.replay).toMatchObject({ runs: looked, mended: looked, share: 1, high: 1 })
}

test('eight healthy minutes open nothing', async () => {
  await stories.receive()
  for (let second = 60; second <= endS - 10; second += 50)
    expect(await stories.judge(second)).toMatchObject({ findings: 0, open: 0 })
}, 240_000)

test('a bad version on one of two instances is the cause, with its error, its version and the deploy as evidence', async () => {
  const runs = await stories.receive({ faults: [during('bad-version')], deployedS: 290 })
  const change = { kind: 'deploy', service: 'payments', version: '2.0.0', description: null } as const
  await recordChange(stories.store, { ...change, id: 'now', at: new Date(msAt(290)).toISOString() })
  await recordChange(stories.store, {
    ...change,
    id: 'old',
    version: '0.9.0',
    at: new Date(msAt(-7_200)).toISOString(),
  })
  await recordChange(stories.store, {
    ...change,
    id: 'other',
    service: 'catalog',
    at: new Date(msAt(295)).toISOString(),
  })
  const { openedS, atHeight, resolvedS } = await play()
  expect(openedS).toBeLessThanOrEqual(330)
  expect(atHeight.title).toBe('payments POST /charge fails')
  expect(atHeight.causes).toMatchObject([
    {
      service: 'payments',
      operation: 'POST /charge',
      kind: 'errors',
      score: 1,
      attribute: { name: 'service.version', value: '2.0.0', badShare: 1, goodShare: 0 },
      path: [
        { service: 'payments', operation: 'POST /charge' },
        { service: 'orders', operation: 'POST /orders' },
        { service: 'gateway', operation: 'POST /orders' },
      ],
    },
  ])
  const evidence = atHeight.causes[0]?.evidence ?? []
  expect(evidence.map(({ signal }) => signal)).toEqual([
    'origin-errors',
    'exception',
    'attribute',
    'replay',
    'change',
    'change',
  ])
  expect(evidence[1]?.sentence).toContain('TypeError: amount is not a number')
  expectMended(atHeight, runs, 'POST /orders')
  expect(evidence[3]?.sentence).toMatch(
    /^Without it, 50 of 50 looked-at runs that went wrong would have gone well \(93 to 100 %\)\.$/,
  )
  expect(evidence.slice(4).map(({ sentence }) => sentence.replaceAll(/ \(20.*?Z\)/g, ''))).toEqual([
    'A deploy of payments (2.0.0) was reported 10 s before it began.',
    'Version 2.0.0 of payments took its first call 10 s before it began; before, there was 1.0.0.',
  ])
  expect(atHeight.changes.map(({ kind, service }) => `${kind} ${service}`)).toEqual([
    'deploy payments',
    'version payments',
  ])
  expect(atHeight.confidence).toBeGreaterThan(0.9)
  const errors = atHeight.anomalies.find(({ signal }) => signal === 'origin-errors')
  expect(errors?.minimumDetectable?.value).toBeGreaterThan(0.05)
  expect(errors?.minimumDetectable?.value).toBeLessThanOrEqual(errors?.seen ?? 0)
  expect(secondOf(atHeight.since)).toBe(faultS.from)
  expect(atHeight.impact.services).toEqual(['gateway', 'orders', 'payments'])
  expectImpact(atHeight, runs, 'POST /orders')
  expect(resolvedS).toBeLessThanOrEqual(faultS.to + 60)
  const after = await readIncident(stories.store, atHeight.id)
  expect(after).toMatchObject({ state: 'resolved', causes: [{ service: 'payments', kind: 'errors' }] })
}, 240_000)

test('a service that grows slow by itself is the cause, and whoever waits for it is not', async () => {
  const runs = await stories.receive({ faults: [during('slow-catalog')] })
  const { openedS, atHeight } = await play()
  expect(openedS).toBeLessThanOrEqual(340)
  expect(atHeight.causes).toMatchObject([{ service: 'catalog', operation: 'GET /products', kind: 'latency', score: 1 }])
  expect(secondOf(atHeight.since)).toBe(faultS.from)
  expectImpact(atHeight, runs, 'GET /products')
  expectMended(atHeight, runs, 'GET /products')
}, 240_000)

test('a dead service is the cause, known by the client spans of its callers; its story is kept for dashboards', async () => {
  const runs = await stories.receive({ faults: [during('dead-payments')] })
  const { openedS, atHeight } = await play()
  expect(openedS).toBeLessThanOrEqual(330)
  expect(atHeight.title).toBe('payments gives no answer')
  expect(atHeight.causes).toMatchObject([
    {
      service: 'payments',
      operation: 'POST /charge',
      kind: 'unavailable',
      score: 1,
      path: [{}, {}, { service: 'gateway' }],
    },
  ])
  expect(secondOf(atHeight.since)).toBe(faultS.from)
  expectImpact(atHeight, runs, 'POST /orders')
  expectMended(atHeight, runs, 'POST /orders')
  expect(
    await stories.rows('SELECT DISTINCT State, IncidentId, CauseService FROM incident_events ORDER BY State'),
  ).toEqual([
    { State: 'open', IncidentId: atHeight.id, CauseService: 'payments' },
    { State: 'resolved', IncidentId: atHeight.id, CauseService: 'payments' },
  ])
  expect(await stories.rows(`SELECT DISTINCT Service FROM chain_anomalies WHERE Signal = 'unanswered'`)).toEqual([
    { Service: 'payments' },
  ])
}, 240_000)

test('for a slow peer outside, the service that waits for it is the cause, naming the peer', async () => {
  const runs = await stories.receive({ faults: [during('slow-bank')] })
  const { openedS, atHeight } = await play()
  expect(openedS).toBeLessThanOrEqual(340)
  expect(atHeight.causes).toMatchObject([
    { service: 'payments', operation: 'POST /charge', kind: 'dependency', peer: 'bank.example:443', score: 1 },
  ])
  expectImpact(atHeight, runs, 'POST /orders')
  expectMended(atHeight, runs, 'POST /orders')
}, 240_000)

test('a worker that falls silent while messages are sent is the cause', async () => {
  const runs = await stories.receive({ faults: [during('silent-mailer')] })
  const { openedS, atHeight } = await play()
  expect(openedS).toBeLessThanOrEqual(340)
  expect(atHeight.causes).toMatchObject([
    { service: 'mailer', operation: 'process mails', kind: 'unavailable', path: [{}, {}, { service: 'gateway' }] },
  ])
  expect(secondOf(atHeight.since)).toBe(faultS.from)
  expectImpact(atHeight, runs, 'POST /orders')
  // What was not called cannot be taken off a run.
  expect(atHeight.causes[0]?.replay).toBeUndefined()
}, 240_000)

test('while no collector lives, silence of a worker opens nothing', async () => {
  await stories.receive({ faults: [during('silent-mailer')], collectorIsAlive: false })
  for (const second of [300, 320, 340, 360]) expect(await stories.judge(second)).toMatchObject({ open: 0 })
}, 240_000)

test('a service that fails before it calls anybody is the cause itself', async () => {
  await stories.receive({ faults: [during('failing-gateway')] })
  const { atHeight } = await play()
  expect(atHeight.causes.map(({ service, kind }) => `${kind} ${service}`)).toEqual(['errors gateway'])
  expect(atHeight.impact.flows.map(({ name }) => name).toSorted()).toEqual(['GET /products', 'POST /orders'])
}, 240_000)

test('an incident does not close because the collector died, and closes once there is a quiet system to see', async () => {
  await stories.receive({ faults: [during('dead-payments')] })
  for (const second of [300, 320, 330]) await stories.judge(second)
  expect(await readOpenIncidents(stories.store)).toHaveLength(1)
  await stories.keepOnly({ untilS: 330 })
  for (const second of [370, 380, 390, 400, 410])
    expect(await stories.judge(second)).toMatchObject({ open: 1, resolved: 0 })
  await stories.receive({ seed: 2 })
  for (const second of [440, 450, 460, 470]) await stories.judge(second)
  expect(await readOpenIncidents(stories.store)).toEqual([])
}, 240_000)

test('who resolves an incident that goes on is left alone; once it was quiet and comes back, it is the same one', async () => {
  const again = { fault: 'dead-payments', fromMs: msAt(430), toMs: msAt(480) } as const
  await stories.receive({ faults: [during('dead-payments'), again] })
  for (const second of [300, 320, 330]) await stories.judge(second)
  const [open] = await readOpenIncidents(stories.store)
  const id = open?.id ?? ''
  await acknowledgeIncident(stories.store, { id, by: 'ada', at: '2026-11-20T12:00:00.000Z' })
  await commentOnIncident(stories.store, { id, by: 'ada', at: '2026-11-20T12:00:10.000Z', text: 'known' })
  expect((await closeIncident(stories.store, { id, by: 'ada', at: '2026-11-20T12:00:20.000Z' })).outcome).toBe('done')
  // It goes on as it was: no second incident, and what was told stays.
  expect(await stories.judge(350)).toMatchObject({ opened: 0, reopened: 0, open: 0 })
  expect(await readIncident(stories.store, id)).toMatchObject({
    state: 'resolved',
    resolvedBy: 'ada',
    acknowledged: { by: 'ada' },
    comments: [{ text: 'known' }],
    updatedAt: expect.any(String),
  })
  for (const second of [400, 410, 420]) await stories.judge(second)
  expect(await readOpenIncidents(stories.store)).toEqual([])
  await stories.judge(450)
  expect(await stories.judge(460)).toMatchObject({ opened: 0 })
  const back = await readIncident(stories.store, id)
  expect(back).toMatchObject({
    state: 'open',
    resolvedAt: null,
    resolvedBy: null,
    reopenings: 1,
    openedAt: open?.openedAt,
  })
  // It began anew: what was before is not laid at its door.
  expect(secondOf(back?.since ?? '')).toBe(430)
  expect(back?.reopened.map(({ why }) => why)).toEqual([
    expect.stringMatching(/^It came back .* after it had been resolved, with the same cause\.$/),
  ])
  // Coming back asks for somebody again; what was said stays.
  expect(back).toMatchObject({ acknowledged: null, comments: [{ text: 'known' }] })
  expect((await stories.store.postgres.selectFrom('incidents').select('id').execute()).length).toBe(1)
}, 240_000)

test('a window that goes on opens an incident, and leaves what is open as it is', async () => {
  await stories.receive({ faults: [{ fault: 'dead-payments', fromMs: msAt(307), toMs: msAt(faultS.to) }] })
  const reports: Record<number, StepReport> = {}
  for (const second of [300, 310, 315, 325]) reports[second] = await stories.judge(second)
  expect(reports[300]).toMatchObject({ isUneasy: false, open: 0 })
  expect(reports[310]).toMatchObject({ isUneasy: true, opened: 0 })
  expect(reports[315]).toMatchObject({ isUneasy: false, opened: 1, open: 1 })
  const [told] = await readOpenIncidents(stories.store)
  expect(told?.causes[0]).toMatchObject({ service: 'payments', kind: 'unavailable' })
  expect(reports[325]).toMatchObject({ opened: 0, open: 1 })
  expect(await readOpenIncidents(stories.store)).toEqual([told])
}, 240_000)

test('two incidents that turn out to have one cause become one', async () => {
  await stories.receive({ faults: [during('dead-payments')] })
  for (const second of [300, 320]) await stories.judge(second)
  const [older] = await readOpenIncidents(stories.store)
  if (older === undefined) throw new Error('No incident is open')
  const openedAt = new Date(Date.parse(older.openedAt) + 1_000).toISOString()
  const since = new Date(msAt(290)).toISOString()
  await saveIncident(stories.store, stories.lease, { ...older, id: 'younger', openedAt, since, scope: ['search'] })

  expect(await stories.judge(330)).toMatchObject({ opened: 0, merged: 1, resolved: 0, open: 1 })
  expect(await readIncident(stories.store, 'younger')).toMatchObject({
    state: 'resolved',
    resolvedBy: null,
    mergedInto: older.id,
  })
  const [both, ...others] = await readOpenIncidents(stories.store)
  expect(others).toEqual([])
  expect(both).toMatchObject({ id: older.id, mergedInto: null })
  expect(both?.scope).toEqual(expect.arrayContaining(['search', ...older.scope]))
  // It does not come back by itself when the other one ends and begins anew.
  const ended = await readResolvedIncidents(stories.store, 0)
  expect(ended).toEqual([])
}, 240_000)

test('one failure in twenty is no alarm within half a minute, and one incident once it has lasted for three', async () => {
  const runs = await stories.receive({ faults: [{ fault: 'rare-refusals', fromMs: msAt(240), toMs: msAt(endS) }] })
  const lasting = new LastingEffects(stories.store)
  for (const second of [150, 240]) expect(await stories.judge(second, lasting)).toMatchObject({ findings: 0, open: 0 })
  let opened = 0
  for (let second = 420; second < endS; second += 10) opened += (await stories.judge(second, lasting)).opened
  expect(opened).toBe(1)
  const [told, ...others] = await readOpenIncidents(stories.store)
  expect(others).toEqual([])
  expect(told?.causes).toMatchObject([{ service: 'payments', operation: 'POST /charge', kind: 'errors' }])
  expect(told?.causes[0]?.evidence.map(({ sentence }) => sentence)).toContain(
    'Its errors say most often: TypeError: amount is not a number',
  )
  const errors = told?.anomalies.find(({ signal }) => signal === 'origin-errors')
  expect(errors?.seen).toBeGreaterThan(0.02)
  expect(errors?.minimumDetectable?.value).toBeLessThanOrEqual(errors?.seen ?? 0)
  // What is told of three minutes links to these, and to what was before them.
  const times = new URLSearchParams(errors?.query?.split('?')[1])
  expect(Date.parse(times.get('to') ?? '') - Date.parse(times.get('from') ?? '')).toBe(180_000)
  // Its onset is known to a minute.
  expect(Math.abs(secondOf(told?.since ?? '') - 240)).toBeLessThanOrEqual(60)
  const hit = runs.filter(({ isHit, endMs }) => isHit && endMs >= Date.parse(told?.since ?? ''))
  expect(told?.impact.flows).toMatchObject([{ name: 'POST /orders' }])
  expect(told?.impact.flows[0]?.runsAffected).toBeGreaterThan(hit.length / 2)
}, 240_000)

test('an analyzer that has lost the lease writes nothing', async () => {
  await stories.receive({ faults: [during('dead-payments')] })
  await stories.judge(300)
  const older = { ...stories.lease, epoch: stories.lease.epoch - 1 }
  await stories.settle(350)
  await expect(step(stories.store, older, msAt(340))).rejects.toThrow(LeaseLost)
  expect(await readOpenIncidents(stories.store)).toEqual([])
  expect(
    await stories.rows('SELECT (SELECT count() FROM incident_events) + (SELECT count() FROM chain_anomalies) AS n'),
  ).toEqual([{ n: 0 }])
  expect(await step(stories.store, stories.lease, msAt(340))).toMatchObject({ opened: 1 })
}, 240_000)

describe('what is usual at this time of day', () => {
  type Place = Parameters<typeof shop>[1]
  const batch: Place = { catalog: '300 calls, 500 ms, self 500 ms, flow GET /products' }

  /** A Wednesday to come, since windows of ten seconds go when they are an hour old. */
  const atMs = wednesdayAfter(Date.now())

  /** Half an hour of the usual, and half a minute of what is told, after some weekdays on which this time was as told. */
  async function judgeAfter({
    now,
    days,
    windowsOfNow = 3,
  }: {
    now: Place
    days: Place[]
    windowsOfNow?: number
  }): Promise<StepReport> {
    const windows = Array.from({ length: 180 }, (_, index) => {
      const windowMs = atMs - (index + 1) * 10_000
      return shop(300, index < windowsOfNow ? now : {}).map((state) => ({ state, windowMs }))
    })
    await writeStates(stories.store, windows.flat())
    const minutes = daysBefore(atMs)
      .days.filter(({ isLike }) => isLike)
      .slice(0, days.length)
      .flatMap(({ range }, index) =>
        Array.from({ length: 11 }, (_, minute) => range.fromMs + minute * 60_000).flatMap((windowMs, minute) =>
          shop(300, minute < 4 || minute > 6 ? {} : days[index]).map((state) => ({ state, windowMs })),
        ),
      )
    await writeStates(stories.store, minutes, ['chain_health_metrics'])
    const beats = Array.from({ length: 12 }, (_, index) => ({
      At: (atMs / 1_000 - index * 5).toFixed(3),
      Collector: 'test',
      SpansReceived: 1,
    }))
    await stories.store.clickhouse.insert({ table: 'collector_heartbeats', format: 'JSONEachRow', values: beats })
    return await step(stories.store, stories.lease, atMs, { nowMs: atMs + 10_000 })
  }

  test('two nights of a batch are too few; after three it opens nothing', async () => {
    expect(await judgeAfter({ now: batch, days: [batch, batch] })).toMatchObject({ opened: 1, usual: 0 })
    const [told] = await readOpenIncidents(stories.store)
    expect(told?.causes).toMatchObject([{ service: 'catalog', kind: 'latency' }])
    await stories.forget()
    const report = await judgeAfter({ now: batch, days: [batch, batch, batch] })
    expect(report).toMatchObject({ opened: 0, open: 0, isUneasy: false })
    expect(report.usual).toBe(report.findings)
  }, 240_000)

  test('a batch that takes three times as long as on other nights is an incident, which says so', async () => {
    const now = { catalog: '300 calls, 1500 ms, self 1500 ms, flow GET /products' }
    expect(await judgeAfter({ now, days: [batch, batch, batch, batch] })).toMatchObject({ opened: 1 })
    const [told] = await readOpenIncidents(stories.store)
    expect(told?.causes).toMatchObject([{ service: 'catalog', kind: 'latency' }])
    expect(told?.causes[0]?.evidence.map(({ sentence }) => sentence)).toContain(
      'At this time of day it departed from normal on 4 of the last 4 weekdays that are known, each time clearly less.',
    )
    const slow = told?.anomalies.find(({ signal }) => signal === 'self-time')
    expect(slow?.sameTime).toEqual({ of: 'weekdays', known: 4, departed: 4, asMuch: 0 })
  }, 240_000)

  test('failures within a batch are told, and the batch is not blamed for them', async () => {
    const failing = { payments: '300 calls, 40 ms, self 10 ms, 120 failed, 120 by itself, flow POST /orders' }
    const days = [batch, batch, batch, batch, batch]
    expect(await judgeAfter({ now: { ...batch, ...failing }, days })).toMatchObject({ opened: 1 })
    const [told, ...others] = await readOpenIncidents(stories.store)
    expect(others).toEqual([])
    expect(told?.causes).toMatchObject([{ service: 'payments', kind: 'errors' }])
    expect(told?.anomalies.map(({ service }) => service)).not.toContain('catalog')
  }, 240_000)

  test('as many failures as each night, and a worker that rests each night, are usual; at another time they are not', async () => {
    const night = { bank: '300 calls, 25 ms, 90 failed', mailer: 'none' }
    const report = await judgeAfter({ now: night, days: [night, night, night, night] })
    expect(report.findings).toBeGreaterThan(1)
    expect(report).toMatchObject({ opened: 0, usual: report.findings })
    await stories.forget()
    expect((await judgeAfter({ now: night, days: [{}, {}, {}, {}] })).opened).toBeGreaterThan(0)
  }, 240_000)

  test('calls that are left out each night are usual', async () => {
    const night = { now: { catalog: 'none' }, windowsOfNow: 30 }
    const without = { catalog: 'none' }
    const report = await judgeAfter({ ...night, days: [without, without, without] })
    expect(report).toMatchObject({ opened: 0, usual: 1, findings: 1 })
    await stories.forget()
    expect(await judgeAfter({ ...night, days: [without, without, {}, {}] })).toMatchObject({ opened: 1, usual: 0 })
    const [told] = await readOpenIncidents(stories.store)
    expect(told?.anomalies).toMatchObject([
      { signal: 'fan-out', sameTime: { of: 'weekdays', known: 4, departed: 2, asMuch: 2 } },
    ])
  }, 240_000)
})

describe('what departs from its season', () => {
  const atMs = wednesdayAfter(Date.now())
  const slotMs = 5 * 60_000

  /** A time of the shop's browsing: more by day than by night. The last hour is known to ten seconds. */
  async function live({
    days,
    traffic = () => 1,
    slower = () => 1,
  }: {
    days: number
    traffic?: (agoMs: number) => number
    slower?: (agoMs: number) => number
  }): Promise<void> {
    const next = chance(1)
    const browsing = (windowMs: number, windowS: number) => {
      const season = (1 - Math.cos((2 * Math.PI * (windowMs - atMs)) / 86_400_000 + Math.PI)) / 2
      const due = (150 + 450 * season) * (windowS / 300) * traffic(atMs - windowMs)
      const calls = Math.round(due * (0.95 + 0.1 * next()))
      const ms = Math.round(200 * slower(atMs - windowMs) * (0.97 + 0.06 * next()))
      const states = callsIn(`
        - > gateway GET /products: ${calls} calls, ${ms + 20} ms, self 20 ms, flow GET /products
        gateway GET /products > catalog GET /products: ${calls} calls, ${ms} ms, self ${ms} ms, flow GET /products`)
      return states.map((state) => ({ state, windowMs }))
    }
    const slots = Array.from({ length: days * 288 - 12 }, (_, index) => atMs - (index + 13) * slotMs)
    await writeStates(
      stories.store,
      slots.flatMap((ms) => browsing(ms, 300)),
      ['chain_health_metrics'],
    )
    const lastHour = Array.from({ length: 360 }, (_, index) => atMs - (index + 1) * 10_000)
    await writeStates(
      stories.store,
      lastHour.flatMap((ms) => browsing(ms, 10)),
    )
    const beats = Array.from({ length: 120 }, (_, index) => ({
      At: (atMs / 1_000 - index * 5).toFixed(3),
      Collector: 'test',
      SpansReceived: 1,
    }))
    await stories.store.clickhouse.insert({ table: 'collector_heartbeats', format: 'JSONEachRow', values: beats })
  }

  /** What a step says whose analyzer was started some minutes before, and has read all of the past at once. */
  async function judge(seasons = new Seasons(stories.store, { pieceMs: 15 * 86_400_000 })): Promise<StepReport> {
    for (let minute = 6; minute > 0; minute -= 1) await seasons.at(atMs - minute * 60_000)
    return await step(stories.store, stories.lease, atMs, { nowMs: atMs + 10_000, seasons })
  }

  const hourMs = 3_600_000
  const fallen = (agoMs: number): number => (agoMs < 2 * hourMs ? 0.3 : 1)

  test('traffic that has been missing for longer than the last hour is told, and that the spans do not show why', async () => {
    await live({ days: 9, traffic: fallen })
    expect(await step(stories.store, stories.lease, atMs, { nowMs: atMs + 10_000 })).toMatchObject({ findings: 0 })
    expect(await judge()).toMatchObject({ findings: 1, opened: 1, seasons: { watched: 1, leftOut: 0 } })
    const [told] = await readOpenIncidents(stories.store)
    expect(told).toMatchObject({
      title: 'gateway GET /products gets far fewer calls than usual at this time',
      causes: [],
      confidence: 0,
      anomalies: [{ service: 'gateway', operation: 'GET /products', signal: 'traffic', unit: 'calls', query: null }],
    })
    expect(told?.noCauseReason).toMatch(
      /^Not enough data to name a cause: gateway GET \/products took 1\d\d calls where [56]\d\d are usual at this time/,
    )
    const sinceMs = Date.parse(told?.since ?? '')
    expect(atMs - sinceMs).toBeGreaterThan(1.5 * hourMs)
    expect(atMs - sinceMs).toBeLessThan(2.5 * hourMs)
    // It may go on for days, which are as normal as any for all other calls.
    expect(await readIncidentRanges(stories.store, 0, atMs)).toEqual([])

    // An analyzer that has just been started cannot tell whether it goes on.
    const started = new Seasons(stories.store, { pieceMs: 86_400_000 })
    const later = [1, 2, 3, 4].map((steps) => atMs + steps * 10_000)
    for (const ms of later) {
      await stories.store.clickhouse.insert({
        table: 'collector_heartbeats',
        format: 'JSONEachRow',
        values: [{ At: (ms / 1_000).toFixed(3), Collector: 'test', SpansReceived: 1 }],
      })
      const report = await step(stories.store, stories.lease, ms, { nowMs: ms + 10_000, seasons: started })
      expect(report).toMatchObject({ open: 1, resolved: 0 })
    }
  }, 240_000)

  test('what has grown slower for hours is told, and blamed on the service whose own time has grown', async () => {
    await live({ days: 9, slower: (agoMs) => (agoMs < 8 * hourMs ? 1.08 ** (8 - agoMs / hourMs) : 1) })
    const report = await judge()
    expect(report).toMatchObject({ opened: 1 })
    const [told] = await readOpenIncidents(stories.store)
    expect(told?.causes).toMatchObject([{ service: 'catalog', operation: 'GET /products', kind: 'latency' }])
    expect(told?.anomalies).toMatchObject([{ service: 'gateway', signal: 'latency', unit: 'ns' }])
  }, 240_000)

  test('with two days of past nothing is said, and traffic that goes by its season never is', async () => {
    await live({ days: 2, traffic: fallen })
    expect(await judge()).toMatchObject({ findings: 0, open: 0 })
    await stories.forget()
    await live({ days: 9 })
    expect(await judge()).toMatchObject({ findings: 0, open: 0, seasons: { watched: 1 } })
  }, 240_000)

  test('the busiest fifty flows are watched, and the others are counted', async () => {
    const calledAt = async (ms: number, calls: (flow: number) => number): Promise<void> => {
      const flows = Array.from({ length: 60 }, (_, flow) => `- > service-${flow} GET /: ${calls(flow)} calls, 10 ms`)
      const states = callsIn(flows.join('\n')).map((state) => ({ state, windowMs: ms - 60_000 }))
      await writeStates(stories.store, states, ['chain_health_metrics'])
    }
    await calledAt(atMs, (flow) => 200 - flow)
    const seasons = new Seasons(stories.store)
    expect(await seasons.at(atMs)).toMatchObject({ watched: 50, leftOut: 10, findings: [] })
    const { entries, all } = await readBusiestEntries(stories.store, {
      minutesMs: [atMs - 60_000],
      most: 2,
      pastFromMs: 0,
    })
    expect(entries.map(({ service }) => service)).toEqual(['service-0', 'service-1'])
    expect(all).toBe(60)
  }, 240_000)

  test('the past is read piece by piece, and nothing is said before all of it is known', async () => {
    await live({ days: 9, traffic: fallen })
    const seasons = new Seasons(stories.store, { pieceMs: 4 * 86_400_000 })
    const said: { isJudged: boolean; findings: number }[] = []
    for (let minute = 10; minute >= 0; minute -= 1) {
      const { findings, isJudged } = await seasons.at(atMs - minute * 60_000)
      said.push({ isJudged, findings: findings.length })
    }
    const [first, second, ...later] = said
    expect([first, second]).toEqual([first, second].map(() => ({ isJudged: false, findings: 0 })))
    expect(later.every(({ isJudged }) => isJudged)).toBe(true)
    expect(said.at(-1)).toEqual({ isJudged: true, findings: 1 })
    // Who asks again within the minute is told the same, and that it is not new.
    expect(await seasons.at(atMs + 10_000)).toMatchObject({ isNew: false, findings: [{ signal: 'traffic' }] })
    // What no collector receives is not missing.
    expect(await seasons.at(atMs + 60_000, { collectorWasAlive: false })).toMatchObject({ findings: [] })
  }, 240_000)
})

function wednesdayAfter(ms: number): number {
  const noon = new Date(ms)
  noon.setHours(12, 0, 0, 0)
  noon.setDate(noon.getDate() + ((3 - noon.getDay() + 7) % 7 || 7))
  return noon.getTime()
}
