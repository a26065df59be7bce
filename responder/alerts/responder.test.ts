// From incidents in the store to what receivers get, over real engines and real HTTP, with receivers that fail in all ways.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import {
  acknowledgeIncident,
  closeIncident,
  connectStore,
  enableAlertDestination,
  type Lease,
  migrateClickHouse,
  migratePostgres,
  readAlertAttempts,
  readAlertLog,
  redeliverAlerts,
  saveIncident,
  type Store,
  takeLease,
} from '@headwater/store'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createResponder, type Responder } from './responder.ts'
import { startAlerts } from './start.ts'
import { type IncidentChange, testConfiguration, testIncident, testSecret } from './test-incidents.ts'
import { type Received, startReceiver, type TestReceiver } from './test-receiver.ts'

let engines: TestEngines
let store: Store
let analyzer: Lease
let nowMs: number
const receivers: TestReceiver[] = []
const responders: Responder[] = []
let log: string[]

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
  const lease = await takeLease(store.postgres, { holder: 'test', ttlMs: 3_600_000 })
  if (lease === undefined) throw new Error('the lease is taken')
  analyzer = lease
}, 120_000)

afterAll(async () => {
  await store.close()
  await engines.stop()
})

beforeEach(async () => {
  for (const table of [
    'incidents',
    'alert_destinations',
    'alert_members',
    'alert_threads',
    'alert_attempts',
    'alert_deliveries',
  ] as const) {
    await store.postgres.deleteFrom(table).execute()
  }
  await expire('responder')
  nowMs = Date.now()
  log = []
})

afterEach(async () => {
  await Promise.all(responders.splice(0).map((each) => each.stop()))
  await Promise.all(receivers.splice(0).map((each) => each.close()))
})

/** As if its holder had been gone for long. */
async function expire(name: 'analyzer' | 'responder', at = new Date(0)): Promise<void> {
  await store.postgres.updateTable('leases').set({ expires_at: at }).where('name', '=', name).execute()
}

async function receiver(port?: number): Promise<TestReceiver> {
  const started = await startReceiver(port)
  receivers.push(started)
  return started
}

const webhook = ({ url }: { url: string }, more: object = {}) => ({
  type: 'webhook',
  url,
  secrets: [testSecret],
  rate: '1000/s',
  ...more,
})

function responder(file: object, timeoutMs = 2_000): Responder {
  const started = createResponder({
    store,
    settings: { configuration: testConfiguration(file), publicUrl: 'https://headwater.example.com' },
    clock: () => nowMs,
    chance: () => 0,
    timeoutMs,
    examplesMs: 60_000,
    log: (line) => log.push(line),
  })
  responders.push(started)
  return started
}

/** Destinations by name, and one route to all of them. */
function allTo(destinations: Record<string, object>, route: object = {}): object {
  return { destinations, routes: [{ name: 'all', to: Object.keys(destinations), ...route }] }
}

async function happens(change: IncidentChange & { agoMs?: number }): Promise<void> {
  const incident = testIncident({ openedMs: nowMs, ...change })
  await saveIncident(store, analyzer, { ...incident, scope: [], quietSteps: 0 })
}

async function goOn(one: Responder, ms = 0): Promise<void> {
  nowMs += ms
  await one.round()
  await one.settled()
}

interface Event {
  type: string
  data: { thread: string; severity: string; news: string[]; incidents: { id: string; title: string }[] }
}
const eventsOf = ({ received }: TestReceiver): string[] => received.map(({ json }) => (json as Event).type)
const idsOf = ({ received }: TestReceiver) => received.map(({ headers }) => String(headers['webhook-id']))

/** What a receiver of Standard Webhooks does. */
function verified({ body, headers }: Received): unknown {
  return new Webhook(testSecret).verify(body, headers as Record<string, string>)
}

test('an incident is told once, again when it becomes worse, and when it is over; a receiver can prove who says so', async () => {
  const hook = await receiver()
  // Receivers refuse signatures of another time than theirs, so no long time may pass here.
  const one = responder(allTo({ hook: webhook(hook) }, { update_every: '1m' }))
  await goOn(one)
  await happens({})
  await goOn(one)
  await goOn(one, 10_000)
  const openedMs = nowMs - 10_000
  // Ten runs more are no news.
  await happens({ openedMs, runs: [210, 1_010] })
  await goOn(one, 120_000)
  expect(eventsOf(hook)).toEqual(['incident.opened'])
  await happens({ openedMs, runs: [700, 1_100] })
  await goOn(one, 10_000)
  await happens({ openedMs, runs: [700, 1_100], resolvedMs: nowMs })
  await goOn(one, 10_000)
  await goOn(one, 10_000)
  expect(eventsOf(hook)).toEqual(['incident.opened', 'incident.updated', 'incident.resolved'])
  expect(new Set(idsOf(hook)).size).toBe(3)
  const [opened, updated] = hook.received.map(verified) as Event[]
  expect(opened).toMatchObject({
    type: 'incident.opened',
    data: {
      thread: 'one',
      change: 'opened',
      severity: 'error',
      incidents: [
        {
          title: 'payments POST /charge fails',
          link: 'https://headwater.example.com/incidents/one',
          cause: { service: 'payments', operation: 'POST /charge', kind: 'errors', score: 0.9 },
          impact: { flows: [{ name: 'POST /checkout', runsAffected: 200, runs: 1_000, share: 0.2 }] },
        },
      ],
    },
  })
  expect(updated?.data).toMatchObject({ severity: 'critical', news: ['It is worse: critical, after error.'] })
  expect(one.metrics.get('headwater_alerts_messages_total', { destination: 'hook', change: 'opened' })).toBe(1)
  expect(one.metrics.get('headwater_alerts_waiting', { destination: 'hook' })).toBe(0)
})

test('who takes an incident on, and who says that it is over, is told', async () => {
  const hook = await receiver()
  const pager = await receiver()
  const key = 'e93facc04764012d7bfb002500d5d1a6'
  const one = responder(allTo({ hook: webhook(hook), pager: { type: 'pagerduty', routing_key: key, url: pager.url } }))
  await happens({})
  await goOn(one)
  await acknowledgeIncident(store, { id: 'one', by: 'ada', at: new Date(nowMs).toISOString() })
  await goOn(one, 1_000)
  await closeIncident(store, { id: 'one', by: 'grace', at: new Date(nowMs).toISOString() })
  await goOn(one, 1_000)
  await goOn(one, 1_000)
  expect(eventsOf(hook)).toEqual(['incident.opened', 'incident.acknowledged', 'incident.resolved'])
  expect(hook.received[2]?.json).toMatchObject({
    data: { incidents: [{ acknowledgedBy: 'ada', resolvedBy: 'grace' }] },
  })
  expect(pager.received.map(({ json }) => json)).toMatchObject([
    { event_action: 'trigger', dedup_key: 'one', routing_key: key },
    { event_action: 'acknowledge', dedup_key: 'one' },
    { event_action: 'resolve', dedup_key: 'one' },
  ])
})

test('an alert names a run that was hit', async () => {
  const flowId = 'ab'.repeat(16)
  const at = new Date(nowMs - 5_000).toISOString().slice(0, -1)
  await store.clickhouse.insert({
    table: 'chain_execution_traces',
    format: 'JSONEachRow',
    values: [
      {
        TraceId: flowId,
        FlowId: flowId,
        FlowName: 'POST /checkout',
        StartedAt: at,
        Failed: 1,
        Services: ['payments', 'shop'],
      },
    ],
  })
  const hook = await receiver()
  const one = responder(allTo({ hook: webhook(hook) }))
  await happens({})
  await goOn(one)
  expect(hook.received[0]?.json).toMatchObject({
    data: {
      incidents: [
        { example: { flowId, flow: 'POST /checkout', link: `https://headwater.example.com/runs/${flowId}` } },
      ],
    },
  })
})

test('a receiver that is down for an hour gets everything once, in order, when it is back', async () => {
  const first = await receiver()
  const { port } = new URL(first.url)
  await first.close()
  const one = responder(allTo({ hook: webhook(first) }))
  await happens({})
  await happens({ id: 'two', service: 'search' })
  const openedMs = nowMs
  for (let minute = 0; minute < 60; minute += 3) {
    if (minute === 30) await happens({ id: 'two', service: 'search', openedMs, resolvedMs: nowMs })
    await goOn(one, 180_000)
  }
  const waiting = await readAlertLog(store, { state: 'waiting', limit: 10 })
  expect(waiting.map(({ incidentIds, change }) => [incidentIds[0], change])).toEqual(
    expect.arrayContaining([
      ['one', 'opened'],
      ['two', 'opened'],
      ['two', 'resolved'],
    ]),
  )
  const opened = waiting.find(({ incidentIds, change }) => incidentIds[0] === 'one' && change === 'opened')
  const attempts = await readAlertAttempts(store, opened?.id ?? '')
  // At once, then after 5 s, 15 s, 1 and 5 and 10 min, then every 15 min.
  expect(attempts.length).toBeGreaterThan(5)
  expect(attempts.length).toBeLessThan(12)
  expect(attempts[0]?.detail).toContain('ECONNREFUSED')
  expect(one.metrics.get('headwater_alerts_oldest_waiting_seconds', { destination: 'hook' })).toBeGreaterThan(3_000)

  const back = await receiver(Number(port))
  for (let minute = 0; minute < 20; minute += 5) await goOn(one, 300_000)
  const told = back.received.map(({ json }) => `${(json as Event).type} ${(json as Event).data.incidents[0]?.id}`)
  expect(told.toSorted()).toEqual(['incident.opened one', 'incident.opened two', 'incident.resolved two'])
  expect(told.indexOf('incident.opened two')).toBeLessThan(told.indexOf('incident.resolved two'))
  expect(new Set(idsOf(back)).size).toBe(3)
  expect(await readAlertLog(store, { state: 'waiting', limit: 10 })).toEqual([])
})

test('429 with Retry-After is obeyed, and the same message comes again under the same ID', async () => {
  const hook = await receiver()
  hook.answer((_, response) => response.writeHead(429, { 'retry-after': '120' }).end('slower'))
  const one = responder(allTo({ hook: webhook(hook) }))
  await happens({})
  await goOn(one)
  await goOn(one, 119_000)
  expect(hook.received).toHaveLength(1)
  hook.answer(undefined)
  await goOn(one, 1_000)
  await goOn(one, 3_600_000)
  expect(eventsOf(hook)).toEqual(['incident.opened', 'incident.opened'])
  expect(new Set(idsOf(hook)).size).toBe(1)
  expect(hook.received[1]?.body).toBe(hook.received[0]?.body)
  expect(hook.received[1]?.headers['webhook-timestamp']).not.toBe(hook.received[0]?.headers['webhook-timestamp'])
})

test('410 ends it for that destination, and the others are told; enabled again, it gets what it missed', async () => {
  const gone = await receiver()
  const other = await receiver()
  gone.answer((_, response) => response.writeHead(410).end())
  const one = responder(allTo({ gone: webhook(gone), other: webhook(other) }))
  await happens({})
  await goOn(one)
  await goOn(one, 10_000)
  await happens({ id: 'two', service: 'search' })
  await goOn(one, 10_000)
  expect(eventsOf(gone)).toEqual(['incident.opened'])
  const told = other.received.map(({ json }) => (json as Event).data.incidents[0]?.title)
  expect(told).toEqual([
    'payments POST /charge fails',
    'Alerts no longer go to "gone": it answered 410',
    'search POST /charge fails',
  ])
  expect(one.metrics.get('headwater_alerts_disabled', { destination: 'gone' })).toBe(1)
  expect((await redeliverAlerts(store, 'all')).disabled).toHaveLength(1)

  gone.answer(undefined)
  expect(await enableAlertDestination(store, 'gone')).toBe(true)
  expect((await redeliverAlerts(store, 'all')).again).toHaveLength(1)
  await goOn(one, 10_000)
  await goOn(one, 10_000)
  expect(gone.received.map(({ json }) => (json as Event).data.incidents[0]?.id)).toEqual(['one', 'one', 'two'])
  expect(other.received.at(-1)?.json).toMatchObject({ type: 'incident.resolved' })
  expect(one.metrics.get('headwater_alerts_disabled', { destination: 'gone' })).toBe(0)
})

test('a redirect is not followed, whatever it promises', async () => {
  const trap = await receiver()
  const hook = await receiver()
  hook.answer((_, response) => response.writeHead(307, { location: `${trap.url}/admin` }).end())
  const one = responder(allTo({ hook: webhook(hook) }))
  await happens({})
  await goOn(one)
  const [waiting] = await readAlertLog(store, { state: 'waiting', limit: 10 })
  expect(waiting?.reason).toBe(`it answered 307: redirects to ${trap.url}/admin, which is not followed`)
  hook.answer(undefined)
  await goOn(one, 5_000)
  expect(trap.received).toEqual([])
  expect(eventsOf(hook)).toEqual(['incident.opened', 'incident.opened'])
  expect(new Set(idsOf(hook)).size).toBe(1)
})

test('a destination whose URL others chose does not lead to our own network', async () => {
  const hook = await receiver()
  const one = responder(allTo({ hook: webhook(hook, { private: false }) }))
  await happens({})
  await goOn(one)
  expect(await readAlertLog(store, { limit: 10 })).toMatchObject([
    { state: 'dead', reason: '127.0.0.1 is not an address on the Internet, and this URL may not lead elsewhere' },
  ])
  expect(hook.received).toEqual([])
})

test('a receiver that hangs holds up nobody else, and gets its message later', async () => {
  const slow = await receiver()
  const quick = await receiver()
  slow.answer(() => undefined)
  const one = responder(allTo({ slow: webhook(slow), quick: webhook(quick) }), 300)
  await happens({})
  await one.round()
  await expect.poll(() => quick.received.length).toBe(1)
  await one.settled()
  slow.answer(undefined)
  await goOn(one, 5_000)
  expect(idsOf(slow)).toEqual([idsOf(slow)[0], idsOf(slow)[0]])
  const [entry] = await readAlertLog(store, { destination: 'slow', limit: 1 })
  expect((await readAlertAttempts(store, entry?.id ?? '')).map(({ outcome, detail }) => [outcome, detail])).toEqual([
    ['again', 'no answer within 0.3 s'],
    ['delivered', 'it answered 204'],
  ])
})

test.each<
  [
    string,
    string,
    (
      response: Parameters<Parameters<TestReceiver['answer']>[0] & object>[1],
      socket: import('node:net').Socket,
    ) => void,
  ]
>([
  ['nonsense instead of HTTP', 'again', (_, socket) => socket.end('\u0000\u0001 220 mail.example.com ESMTP\r\n')],
  ['nothing', 'again', (_, socket) => socket.destroy()],
  ['endless headers', 'again', (_, socket) => socket.end(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}\r\n`)],
  ['a status that is none', 'again', (_, socket) => socket.end('HTTP/1.1 99999 OK\r\n\r\n')],
  [
    'an error with a body without end',
    'again',
    (response) => {
      response.writeHead(500)
      const more = () => {
        while (response.writable && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      response.on('error', () => undefined)
      more()
    },
  ],
  [
    'a success with a body of nonsense',
    'delivered',
    (response) => response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('}{'),
  ],
  [
    'an error that asks for a year',
    'again',
    (response) => response.writeHead(503, { 'retry-after': '31536000' }).end(),
  ],
  [
    'an error with control characters',
    'again',
    (response) => response.writeHead(502).end('\u001b[2J\u202eevil\n\nline'),
  ],
])('a reply of %s is %s', async (_, outcome, reply) => {
  const hook = await receiver()
  hook.answer((_request, response, socket) => reply(response, socket))
  const one = responder(allTo({ hook: webhook(hook) }))
  await happens({})
  await goOn(one)
  const [entry] = await readAlertLog(store, { limit: 1 })
  const [attempt] = await readAlertAttempts(store, entry?.id ?? '')
  expect(attempt?.outcome).toBe(outcome)
  expect(attempt?.detail).toMatch(/^[^\p{Cc}\u202e]{1,240}$/u)
  hook.answer(undefined)
  await goOn(one, 3_600_000)
  await goOn(one, 3_600_000)
  expect(hook.received).toHaveLength(outcome === 'again' ? 2 : 1)
  expect(new Set(idsOf(hook)).size).toBe(1)
})

test('a message that is refused for what it is becomes a dead letter, and can be sent again', async () => {
  const hook = await receiver()
  hook.answer((_, response) => response.writeHead(400).end('no such field'))
  const one = responder(allTo({ hook: webhook(hook) }))
  await happens({})
  await goOn(one)
  await goOn(one, 3_600_000)
  const [dead] = await readAlertLog(store, { state: 'dead', limit: 10 })
  expect(dead).toMatchObject({
    destination: 'hook',
    change: 'opened',
    reason: 'it answered 400: no such field',
    attempts: 1,
  })
  expect(one.metrics.get('headwater_alerts_dead', { destination: 'hook' })).toBe(1)
  expect(log).toEqual([
    `alerts: "hook" does not get ${dead?.id}, which is a dead letter now: it answered 400: no such field`,
  ])
  hook.answer(undefined)
  expect(await redeliverAlerts(store, [dead?.id ?? ''])).toEqual({ again: [dead?.id], outdated: [], disabled: [] })
  await goOn(one, 1_000)
  expect(hook.received).toHaveLength(2)
  expect(await readAlertLog(store, { state: 'dead', limit: 10 })).toEqual([])
})

test('a dead letter is not sent after what has been told since', async () => {
  const hook = await receiver()
  hook.answer((_, response) => response.writeHead(422).end())
  const one = responder(allTo({ hook: webhook(hook) }))
  const openedMs = nowMs
  await happens({})
  await goOn(one)
  hook.answer(undefined)
  await happens({ openedMs, resolvedMs: nowMs })
  await goOn(one, 10_000)
  expect(eventsOf(hook)).toEqual(['incident.opened', 'incident.resolved'])
  const redelivered = await redeliverAlerts(store, 'all')
  expect(redelivered).toMatchObject({ again: [], outdated: [expect.stringMatching(/^msg_/)] })
})

test('an incident that opened and ended while nobody looked is told as ended; one from before the destination is not', async () => {
  const hook = await receiver()
  await happens({ id: 'old', openedMs: nowMs - 600_000, resolvedMs: nowMs - 300_000 })
  const file = allTo({ hook: webhook(hook) })
  await goOn(responder(file))
  await responders.pop()?.stop()
  await happens({ id: 'unseen', openedMs: nowMs + 10_000, resolvedMs: nowMs + 300_000 })
  await goOn(responder(file), 600_000)
  expect(hook.received.map(({ json }) => [(json as Event).type, (json as Event).data.incidents[0]?.id])).toEqual([
    ['incident.resolved', 'unseen'],
  ])
})

test('a flood goes out as fast as the destination takes it, and whole', async () => {
  const hook = await receiver()
  const one = responder(allTo({ hook: webhook(hook, { rate: '2/m' }) }))
  for (let number = 0; number < 7; number++) await happens({ id: `flood-${number}`, service: `service-${number}` })
  const counts: number[] = []
  for (let minute = 0; minute < 5; minute++) {
    await goOn(one)
    await goOn(one)
    counts.push(hook.received.length)
    nowMs += 60_000
  }
  expect(counts).toEqual([2, 4, 6, 7, 7])
  expect(new Set(idsOf(hook)).size).toBe(7)
})

test('of two responders one sends, and the other goes on when it stops', async () => {
  const hook = await receiver()
  const file = allTo({ hook: webhook(hook) })
  const [first, second] = [responder(file), responder(file)]
  await happens({})
  await goOn(first)
  await goOn(second)
  expect(second.metrics.get('headwater_alerts_leader')).toBe(0)
  await responders.shift()?.stop()
  await happens({ id: 'two', service: 'search' })
  await goOn(second, 1_000)
  expect(hook.received.map(({ json }) => (json as Event).data.incidents[0]?.id)).toEqual(['one', 'two'])
})

test('a responder that lost the lease while it sent does not overwrite what its successor knows', async () => {
  const hook = await receiver()
  let answer: () => void = () => undefined
  hook.answer((_, response) => (answer = () => response.writeHead(500).end()))
  const file = allTo({ hook: webhook(hook) })
  const first = responder(file)
  await happens({})
  await first.round()
  await expect.poll(() => hook.received.length).toBe(1)
  await expire('responder')
  hook.answer(undefined)
  const second = responder(file)
  await goOn(second, 1_000)
  answer()
  await first.round()
  await expire('responder')
  await first.round()
  await first.settled()
  const [entry] = await readAlertLog(store, { limit: 1 })
  expect(entry).toMatchObject({ state: 'delivered', attempts: 1 })
})

test('killed again and again, it loses nothing, and says nothing new twice', async () => {
  const hook = await receiver()
  const file = allTo({ hook: webhook(hook) })
  const incidents = 16
  const program = fileURLToPath(new URL('test-responder-process.ts', import.meta.url))
  const argument = JSON.stringify({ clickhouseUrl: engines.clickhouseUrl, databaseUrl: engines.databaseUrl, file })
  let killed = 0
  let next = 0
  while (next < incidents || hook.received.length < incidents) {
    const child = spawn(process.execPath, [program, argument], { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(child, 'exit')
    const heard = hook.received.length
    for (let count = 0; count < 4 && next < incidents; count++, next++) {
      await happens({ id: `kill-${next}`, service: `service-${next}` })
    }
    // Killed in the middle of the work: as soon as something more was heard.
    await expect.poll(() => hook.received.length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(heard)
    child.kill('SIGKILL')
    await ended
    killed += 1
    await expire('responder')
    if (new Set(idsOf(hook)).size === incidents && next === incidents) break
  }
  // Whoever was killed between the answer and the note of it sends again: the same message under the same ID.
  nowMs = Date.now()
  const last = responder(file)
  await goOn(last)
  for (let rounds = 0; rounds < 30 && new Set(idsOf(hook)).size < incidents; rounds++) await goOn(last, 60_000)
  const bodies = new Map<string, Set<string>>()
  for (const { headers, body } of hook.received) {
    const id = String(headers['webhook-id'])
    bodies.set(id, (bodies.get(id) ?? new Set()).add(body))
  }
  expect(killed).toBeGreaterThan(3)
  expect(bodies.size).toBe(incidents)
  expect([...bodies.values()].map(({ size }) => size)).toEqual(Array.from({ length: incidents }, () => 1))
  const told = [...bodies.values()].map((each) => (JSON.parse([...each][0] ?? '') as Event).data.thread)
  expect(new Set(told).size).toBe(incidents)
  expect((await readAlertLog(store, { limit: 100 })).map(({ state }) => state)).toEqual(
    Array.from({ length: incidents }, () => 'delivered'),
  )
}, 120_000)

test('Alertmanager is told of what is open every minute, and of nothing that is over', async () => {
  const manager = await receiver()
  const one = responder(allTo({ am: { type: 'alertmanager', url: `${manager.url}/am/` } }))
  const openedMs = nowMs
  await happens({})
  await goOn(one)
  for (let seconds = 0; seconds < 180; seconds += 10) await goOn(one, 10_000)
  expect(manager.received.length).toBe(4)
  for (const { path, json } of manager.received) {
    expect(path).toBe('/am/api/v2/alerts')
    expect(json).toMatchObject([
      { labels: { alertname: 'HeadwaterIncident', incident: 'one', severity: 'error', service: 'payments' } },
    ])
  }
  await happens({ openedMs, resolvedMs: nowMs })
  for (let seconds = 0; seconds < 180; seconds += 10) await goOn(one, 10_000)
  expect(manager.received.length).toBe(5)
  const resolved = new Date(openedMs + 180_000).toISOString()
  expect(manager.received.at(-1)?.json).toMatchObject([{ labels: { incident: 'one' }, endsAt: resolved }])
})

test('the heartbeat comes while an analyzer leads, and its silence tells when none does', async () => {
  const pulse = await receiver()
  const heartbeat = { url: `${pulse.url}/beat`, every: '30s', secrets: [testSecret] }
  const one = responder({ heartbeat })
  for (let seconds = 0; seconds < 60; seconds += 10) await goOn(one, 10_000)
  expect(pulse.received.map(verified)).toEqual([
    expect.objectContaining({ type: 'headwater.heartbeat' }),
    expect.objectContaining({ type: 'headwater.heartbeat' }),
  ])
  await expire('analyzer')
  try {
    for (let minute = 0; minute < 3; minute++) await goOn(one, 60_000)
    expect(pulse.received).toHaveLength(2)
    expect(log).toEqual(['alerts: no heartbeat, since no analyzer leads'])
    expect(one.metrics.get('headwater_alerts_heartbeats_total', { outcome: 'withheld' })).toBe(3)
  } finally {
    await expire('analyzer', new Date(Date.now() + 3_600_000))
  }
  await store.postgres
    .insertInto('settle_ticks')
    .values({
      tick: 1,
      from_boundary: new Date(nowMs - 700_000),
      boundary: new Date(nowMs - 600_000),
      done: true,
      epoch: 1,
    })
    .execute()
  await goOn(one, 30_000)
  expect(pulse.received).toHaveLength(2)
  await store.postgres.deleteFrom('settle_ticks').execute()
  await goOn(one, 30_000)
  expect(pulse.received).toHaveLength(3)
})

test('what waits for a destination that is no longer in the file is a dead letter', async () => {
  const hook = await receiver()
  hook.answer((_, response) => response.writeHead(500).end())
  const before = responder(allTo({ hook: webhook(hook) }))
  await happens({})
  await goOn(before)
  await responders.pop()?.stop()
  await goOn(responder(allTo({ other: webhook(await receiver()) })), 1_000)
  expect(await readAlertLog(store, { destination: 'hook', limit: 10 })).toMatchObject([
    { state: 'dead', reason: 'the destination is no longer in the file' },
  ])
})

test('a message of a month ago is forgotten, one that waits is not', async () => {
  const hook = await receiver()
  const one = responder(allTo({ hook: webhook(hook) }))
  const openedMs = nowMs
  await happens({})
  await goOn(one)
  await happens({ openedMs, resolvedMs: nowMs })
  await goOn(one, 1_000)
  hook.answer((_, response) => response.writeHead(500).end())
  await happens({ id: 'two', service: 'search' })
  await goOn(one, 1_000)
  await goOn(one, 31 * 86_400_000)
  await goOn(one, 3_600_000)
  expect((await readAlertLog(store, { limit: 10 })).map(({ incidentIds }) => incidentIds)).toEqual([['two']])
})

test('the loop runs by itself, says what fails, and stops while a receiver hangs', async () => {
  const hook = await receiver()
  hook.answer(() => undefined)
  await happens({})
  const alerts = startAlerts({
    store,
    settings: { configuration: testConfiguration(allTo({ hook: webhook(hook) })), publicUrl: 'http://localhost:8012' },
    everyMs: 20,
    log: (line) => log.push(line),
  })
  await expect.poll(() => hook.received.length, { timeout: 10_000 }).toBe(1)
  await alerts.stop()
  expect(alerts.metrics.get('headwater_alerts_leader')).toBe(0)
  const [entry] = await readAlertLog(store, { limit: 1 })
  expect(entry).toMatchObject({ state: 'waiting' })
  hook.answer(undefined)
  await goOn(responder(allTo({ hook: webhook(hook) })), 10_000)
  expect(idsOf(hook)).toEqual([entry?.id, entry?.id])
})

// The last one, since the engines start anew.
test('engines that go away while a message is on its way do not make it go out twice', async (context) => {
  if (engines.embedded === undefined) context.skip('the engines are servers')
  const hook = await receiver()
  const one = responder(allTo({ hook: webhook(hook) }))
  await happens({})
  hook.answer((_, response) => {
    process.kill(engines.embedded?.pid() ?? 0, 'SIGKILL')
    response.writeHead(204).end()
  })
  await one.round()
  await one.settled()
  hook.answer(undefined)
  await expect
    .poll(
      () =>
        one.round().then(
          () => 'back',
          () => 'away',
        ),
      { timeout: 150_000, interval: 200 },
    )
    .toBe('back')
  await goOn(one, 3_600_000)
  expect(hook.received).toHaveLength(1)
  expect(await readAlertLog(store, { limit: 10 })).toMatchObject([{ state: 'delivered', attempts: 1 }])
}, 180_000)
