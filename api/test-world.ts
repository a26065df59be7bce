// What tests of the API ask about: real engines with the schema, and rows as collector and analyzer write them.
import { connectStore, migrateClickHouse, migratePostgres, type SpanInsert, type Store } from '@headwater/store'
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import type { AlertChange, Incident } from '@headwater/vocabulary'
import { createApi, type ApiParts } from './app.ts'
import type { Api } from './routes/parts.ts'

/** When it is, in these tests. Spans lie within the retention. */
export const nowMs = Math.floor(Date.now() / 60_000) * 60_000 - 60_000
export const secondsAgo = (seconds: number) => nowMs - seconds * 1000
export const iso = (ms: number) => new Date(ms).toISOString()
const unix = (ms: number) => `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}000000`
const clickhouseTime = (ms: number) => iso(ms).replace('T', ' ').replace('Z', '')

export interface World {
  store: Store
  engines: TestEngines
  api: Api
  serve(parts?: Partial<ApiParts>): Api
  get(path: string, init?: RequestInit): Promise<{ status: number; body: Body; headers: Headers }>
  insert(table: string, rows: Record<string, unknown>[]): Promise<void>
  stop(): Promise<void>
}

/** Answers are looked into freely; a test fails where something is not there. */
export type Body = { [name: string]: Body } & { items: Body; error: Body; spans: Body } & Body[]

export async function startWorld(): Promise<World> {
  const engines = await startTestEngines()
  await migrateClickHouse(engines.clickhouseUrl)
  const store = connectStore(engines)
  await migratePostgres(store.postgres)
  const logged: unknown[] = []
  const serve = (parts: Partial<ApiParts> = {}) =>
    createApi({
      store,
      settings: { host: '127.0.0.1' },
      metricsText: () => 'other_station_total 7\n',
      explainPast: () => Promise.reject(new Error('No test asks for the past here')),
      now: () => nowMs,
      log: (message, error) => logged.push(error ?? message),
      ...parts,
    })
  const api = serve()
  return {
    store,
    engines,
    api,
    serve,
    async get(path, init) {
      const response = await api.request(path, init)
      if (response.status === 500) throw logged.at(-1)
      return { status: response.status, body: (await response.json()) as Body, headers: response.headers }
    },
    async insert(table, rows) {
      await store.clickhouse.insert({ table, values: rows, format: 'JSONEachRow' })
    },
    async stop() {
      await store.close()
      await engines.stop()
    },
  }
}

/** A 32-digit ID that is told apart by its first digits. */
export const traceId = (name: string) => Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32)
export const spanId = (name: string) => Buffer.from(name).toString('hex').padEnd(16, '0').slice(0, 16)

/** Histogram of one duration, as settling writes it. */
export const histogramOf = (ms: number, calls: number) => ({
  [Math.floor(Math.log(ms * 1e6 + 1) / Math.log(1.05))]: calls,
})

/** A minute of calls to one operation. */
export function minute({
  at,
  service,
  operation,
  ms = 10,
  calls = 1,
  errors = 0,
  kind = 'entry',
  caller = '',
  callerOperation = '',
  flow = '',
  selfMs = ms,
}: {
  at: number
  service: string
  operation: string
  ms?: number
  calls?: number
  errors?: number
  kind?: string
  caller?: string
  callerOperation?: string
  flow?: string
  selfMs?: number
}) {
  return {
    Window: Math.floor(at / 60_000) * 60,
    Service: service,
    Operation: operation,
    Kind: kind,
    Caller: caller,
    CallerOperation: callerOperation,
    FlowName: flow,
    Version: '',
    Calls: calls,
    Errors: errors,
    OriginErrors: errors,
    ClientErrors: kind === 'entry' ? 0 : errors,
    DurationNs: ms * 1e6 * calls,
    SelfNs: selfMs * 1e6 * calls,
    WireNs: 1e6 * calls,
    Duration: histogramOf(ms, calls),
    Self: histogramOf(selfMs, calls),
    Wire: histogramOf(1, calls),
  }
}

/** A settled trace of a run. */
export function settledTrace({
  trace,
  flow = trace,
  name = 'POST /report',
  at,
  ms = 10,
  services,
  failed = false,
  user = '',
  tick = 1,
}: {
  trace: string
  flow?: string
  name?: string
  at: number
  ms?: number
  services: string[]
  failed?: boolean
  user?: string
  tick?: number
}) {
  return {
    Tick: tick,
    FlowId: traceId(flow),
    TraceId: traceId(trace),
    FlowName: name,
    StartedAt: unix(at),
    EndedAt: unix(at + ms),
    DurationNs: ms * 1e6,
    EntryService: services[0] ?? '',
    EntryOperation: name,
    Services: services,
    Spans: services.length,
    Errors: failed ? 1 : 0,
    Failed: failed ? 1 : 0,
    UserId: user,
    Weight: 1,
  }
}

/** A settled call. */
export function call({
  trace,
  span = trace,
  flow = trace,
  name = 'POST /report',
  at,
  ms = 10,
  kind = 'entry',
  service,
  operation,
  caller = '',
  callerOperation = '',
  address = '',
  failed = false,
  user = '',
  tick = 1,
}: {
  trace: string
  span?: string
  flow?: string
  name?: string
  at: number
  ms?: number
  kind?: string
  service: string
  operation: string
  caller?: string
  callerOperation?: string
  address?: string
  failed?: boolean
  user?: string
  tick?: number
}) {
  const error = failed ? 1 : 0
  return {
    Tick: tick,
    Deleted: 0,
    Time: unix(at + ms),
    TraceId: traceId(trace),
    SpanId: spanId(span),
    FlowId: traceId(flow),
    FlowName: name,
    Kind: kind,
    Service: service,
    Operation: operation,
    Version: '',
    Instance: '',
    Caller: caller,
    CallerOperation: callerOperation,
    ClientSpanId: '',
    PeerAddress: address,
    Counted: 1,
    Failed: error,
    OriginError: error,
    ClientFailed: kind === 'entry' ? 0 : error,
    DurationNs: ms * 1e6,
    SelfNs: ms * 1e6,
    WireNs: 0,
    QueueNs: 0,
    UserId: user,
    ErrorType: failed ? 'Error' : '',
    Message: '',
    Weight: 1,
  }
}

/** A raw span as the collector stores it. */
export function rawSpan({
  trace,
  span,
  parent = '',
  at,
  ms = 10,
  kind = 'Server',
  service,
  name,
  failed = false,
  message = '',
  attributes = {},
  links = [],
  receivedAt = at,
}: {
  trace: string
  span: string
  parent?: string
  at: number
  ms?: number
  kind?: string
  service: string
  name: string
  failed?: boolean
  message?: string
  attributes?: Record<string, string>
  links?: { trace: string; span: string }[]
  receivedAt?: number
}): SpanInsert {
  return {
    Timestamp: unix(at),
    TraceId: traceId(trace),
    SpanId: spanId(span),
    ParentSpanId: parent === '' ? '' : spanId(parent),
    TraceState: '',
    SpanName: name,
    SpanKind: kind,
    ServiceName: service,
    ResourceAttributes: { 'service.name': service },
    ScopeName: 'test',
    ScopeVersion: '1',
    SpanAttributes: attributes,
    Duration: ms * 1e6,
    StatusCode: failed ? 'Error' : 'Unset',
    StatusMessage: message,
    'Events.Timestamp': failed ? [unix(at + ms)] : [],
    'Events.Name': failed ? ['exception'] : [],
    'Events.Attributes': failed ? [{ 'exception.type': 'TypeError', 'exception.message': message }] : [],
    'Links.TraceId': links.map((link) => traceId(link.trace)),
    'Links.SpanId': links.map((link) => spanId(link.span)),
    'Links.TraceState': links.map(() => ''),
    'Links.Attributes': links.map(() => ({})),
    ReceivedAt: clickhouseTime(receivedAt),
  }
}

/** An open incident that began 10 minutes ago. */
export function incident(id: string, over: Partial<Incident> = {}): Incident {
  const since = iso(secondsAgo(600))
  return {
    id,
    state: 'open',
    title: 'math fails',
    since,
    openedAt: iso(secondsAgo(590)),
    updatedAt: iso(secondsAgo(60)),
    resolvedAt: null,
    resolvedBy: null,
    mergedInto: null,
    reopenings: 0,
    reopened: [],
    causes: [
      {
        service: 'math',
        operation: 'POST /evaluate',
        kind: 'errors',
        score: 0.9,
        evidence: [
          {
            signal: 'origin-errors',
            sentence: '52 % of calls fail, 0 % before',
            expected: 0,
            seen: 0.52,
            unit: 'share',
            query: null,
          },
        ],
        path: [
          { service: 'math', operation: 'POST /evaluate' },
          { service: 'gateway', operation: 'POST /report' },
        ],
      },
    ],
    impact: {
      services: ['gateway', 'math'],
      flows: [
        { name: 'POST /report', runsAffected: 5, runs: 10, share: 0.5, low: 0.237, high: 0.763 },
        { name: 'GET /sum', runsAffected: 2, runs: 4, share: 0.5, low: 0.15, high: 0.85 },
      ],
      users: { affected: 4, seen: 8, share: 0.5, low: 0.215, high: 0.785 },
      atRisk: [],
      since,
    },
    confidence: 0.9,
    noCauseReason: null,
    anomalies: [],
    changes: [],
    acknowledged: null,
    comments: [],
    verdict: null,
    ...over,
  }
}

export async function keepIncident({ store }: World, given: Incident): Promise<void> {
  await store.postgres
    .insertInto('incidents')
    .values({
      id: given.id,
      state: given.state,
      title: given.title,
      since: new Date(given.since),
      opened_at: new Date(given.openedAt),
      updated_at: new Date(given.updatedAt),
      resolved_at: given.resolvedAt === null ? null : new Date(given.resolvedAt),
      merged_into: given.mergedInto,
      quiet_steps: 0,
      scope: JSON.stringify(given.impact.services),
      anomalies: JSON.stringify(given.anomalies),
      causes: JSON.stringify(given.causes),
      impact: JSON.stringify(given.impact),
      confidence: given.confidence,
      changes: JSON.stringify(given.changes),
      epoch: 1,
    })
    .execute()
}

/** A message about one incident, as the responder writes it down; `number` counts those to its destination. */
export async function keepAlert(
  { store: { postgres } }: World,
  {
    incident: id,
    destination,
    number = 1,
    at,
    change = 'opened',
    state = 'delivered',
    reason = '',
    attempts = 1,
  }: {
    incident: string
    destination: string
    number?: number
    at: number
    change?: AlertChange
    state?: 'waiting' | 'delivered' | 'dead'
    reason?: string
    attempts?: number
  },
): Promise<void> {
  const when = new Date(at)
  await postgres
    .insertInto('alert_members')
    .values({ destination, incident_id: id, thread: id, told: null, is_open: true, updated_at: when })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await postgres
    .insertInto('alert_deliveries')
    .values({
      id: `${destination}-${id}-${number}`,
      destination,
      thread: id,
      number,
      change,
      message: JSON.stringify({ incidents: [{ id }] }),
      state,
      reason,
      created_at: when,
      waiting_since: when,
      due_at: when,
      ended_at: null,
      attempts,
      tries: attempts,
    })
    .execute()
}
