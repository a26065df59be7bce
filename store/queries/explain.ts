// What explaining a run asks of the store: its spans without the ballast, what is usual, and who else was hit.
import { type Histogram, normalKey, quantileNs, type RunSpan } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import { readLoggedMessages, spanKey } from './logged-exceptions.ts'
import { spansMax, withinTraces } from './spans.ts'
import type { Window } from './window.ts'

type RunSpanRow = Omit<RunSpan, 'links' | 'failed'> & {
  failed: number
  linkTraceIds: string[]
  linkSpanIds: string[]
  /** When the first span of the run began. */
  firstMs: number
  hasException: number
}

/** The spans of a run as the origin is found from. Failed, peers and messages are read as settling reads them. */
export async function readRunSpans(store: Store, traceIds: readonly string[]): Promise<RunSpan[]> {
  const rows = await askClickHouse<RunSpanRow>(store, {
    deed: 'read the spans of an execution',
    query: `
      WITH
        if(SpanAttributes['http.response.status_code'] != '', SpanAttributes['http.response.status_code'], SpanAttributes['http.status_code']) AS StatusText,
        if(SpanAttributes['db.system.name'] != '', SpanAttributes['db.system.name'], SpanAttributes['db.system']) AS DbSystem,
        if(SpanAttributes['db.namespace'] != '', SpanAttributes['db.namespace'], SpanAttributes['db.name']) AS DbName,
        Events.Attributes[indexOf(Events.Name, 'exception')]['exception.message'] AS Exception,
        toUnixTimestamp64Nano(Timestamp) AS Ns,
        min(Ns) OVER () AS FirstNs
      SELECT TraceId AS traceId, SpanId AS spanId, ParentSpanId AS parentSpanId, Service AS service, SpanName AS operation,
        SpanKind AS kind, Ns - FirstNs AS startNs, Ns - FirstNs + toInt64(Duration) AS endNs,
        StatusCode = 'Error' OR (SpanKind = 'Server' AND toUInt16OrZero(StatusText) >= 500)
          OR (SpanKind = 'Client' AND toUInt16OrZero(StatusText) >= 400) AS failed,
        substringUTF8(if(Exception != '', Exception, StatusMessage), 1, 500) AS message,
        if(PeerService = '', '', concat(
          extract(toString(Service), '^([^/]*/)'),
          replaceAll(replaceAll(replaceAll(toString(PeerService), '%', '%25'), '/', '%2F'), '@', '%40'),
          extract(toString(Service), '(@[^@]*)$'))) AS peerService,
        PeerAddress AS peerAddress,
        multiIf(
          SpanAttributes['messaging.destination.name'] != '', SpanAttributes['messaging.destination.name'],
          DbSystem != '', concat(DbSystem, if(DbName != '', concat(':', DbName), '')),
          SpanAttributes['messaging.system']) AS destination,
        Links.TraceId AS linkTraceIds, Links.SpanId AS linkSpanIds,
        intDiv(FirstNs, 1000000) AS firstMs, has(Events.Name, 'exception') AS hasException
      FROM otel_traces
      WHERE ${withinTraces}
      ORDER BY Timestamp, TraceId, SpanId
      LIMIT 1 BY TraceId, SpanId
      LIMIT {take:UInt32}`,
    params: { traceIds, take: spansMax },
  })
  const sinceMs = rows[0]?.firstMs
  if (sinceMs === undefined) return []
  const endNs = rows.reduce((latest, span) => Math.max(latest, span.endNs), 0)
  const logged = await readLoggedMessages(store, { traceIds, sinceMs, untilMs: sinceMs + Math.ceil(endNs / 1e6) })
  return rows.map((row) => toRunSpan(row, logged.get(spanKey(row)) ?? ''))
}

function toRunSpan(row: RunSpanRow, loggedMessage: string): RunSpan {
  const { linkTraceIds, linkSpanIds, failed, firstMs: _, hasException, ...span } = row
  const links = linkTraceIds.map((traceId, i) => ({ traceId, spanId: linkSpanIds[i] ?? '' }))
  // An exception that came with the span is the one that counts.
  const message = hasException === 1 || loggedMessage === '' ? span.message : loggedMessage
  return { ...span, message, failed: failed === 1, links }
}

/** How long the calls into one operation usually take. */
export interface UsualDuration {
  calls: number
  medianNs: number
  q99Ns: number
}

export interface Usual {
  /** By `normalKey(service, operation)`. */
  durations: Map<string, UsualDuration>
  selfNs: Map<string, number>
  wireNs: Map<string, number>
  /** By `normalKey(caller, callerOperation, peer)`. */
  waitNs: Map<string, number>
}

/** Kinds of calls that are read at most when it is asked what is usual. */
const usualRowsMax = 5_000

/** What was usual in the window for the operations of these services, and for their waiting on peers without spans. */
export async function readUsual(
  store: Store,
  { since, until, services }: Window & { services: string[] },
): Promise<Usual> {
  const params = { since, until, services, usualRowsMax }
  const during = 'Window >= {since:DateTime64(3)} AND Window < toStartOfMinute({until:DateTime64(3)})'
  const [hops, waits] = await Promise.all([
    askClickHouse<{
      service: string
      operation: string
      calls: number
      duration: Histogram
      self: Histogram
      wire: Histogram
    }>(store, {
      deed: 'read what is usual',
      query: `
        SELECT Service AS service, Operation AS operation, sum(Calls) AS calls, sumMap(Duration) AS duration, sumMap(Self) AS self,
          sumMapIf(Wire, Kind = 'sync') AS wire
        FROM chain_health_metrics
        WHERE ${during} AND Service IN {services:Array(String)} AND Kind IN ('entry', 'sync', 'async')
        GROUP BY service, operation ORDER BY calls DESC LIMIT {usualRowsMax:UInt32}`,
      params,
    }),
    askClickHouse<{ caller: string; callerOperation: string; peer: string; duration: Histogram }>(store, {
      deed: 'read what waiting is usual',
      query: `
        SELECT Caller AS caller, CallerOperation AS callerOperation, Service AS peer, sumMap(Duration) AS duration
        FROM chain_health_metrics
        WHERE ${during} AND Caller IN {services:Array(String)} AND Kind = 'peer'
        GROUP BY caller, callerOperation, peer ORDER BY sum(Calls) DESC LIMIT {usualRowsMax:UInt32}`,
      params,
    }),
  ])
  const usual: Usual = { durations: new Map(), selfNs: new Map(), wireNs: new Map(), waitNs: new Map() }
  for (const { service, operation, calls, duration, self, wire } of hops) {
    const key = normalKey(service, operation)
    usual.durations.set(key, {
      calls,
      medianNs: quantileNs(duration, 0.5) ?? 0,
      q99Ns: quantileNs(duration, 0.99) ?? 0,
    })
    usual.selfNs.set(key, quantileNs(self, 0.5) ?? 0)
    usual.wireNs.set(key, quantileNs(wire, 0.5) ?? 0)
  }
  for (const { caller, callerOperation, peer, duration } of waits) {
    usual.waitNs.set(normalKey(caller, callerOperation, peer), quantileNs(duration, 0.5) ?? 0)
  }
  return usual
}

/** Which of these names are services that sent spans, and which services answered at these addresses, in the window. */
export async function readCallees(
  store: Store,
  { since, until, names, addresses }: Window & { names: string[]; addresses: string[] },
): Promise<{ services: Set<string>; serviceAt: Map<string, string> }> {
  const serviceAt = new Map<string, string>()
  if (addresses.length > 0) {
    const rows = await askClickHouse<{ address: string; service: string }>(store, {
      deed: 'read who answered at addresses',
      query: `
        SELECT PeerAddress AS address, argMax(Service, Time) AS service
        FROM chain_dependency_events
        WHERE Kind = 'sync' AND PeerAddress IN {addresses:Array(String)}
          AND Time >= {since:DateTime64(3)} AND Time < {until:DateTime64(3)}
        GROUP BY address`,
      params: { since, until, addresses },
    })
    for (const { address, service } of rows) serviceAt.set(address, service)
  }
  const asked = [...new Set([...names, ...serviceAt.values()])]
  if (asked.length === 0) return { services: new Set(), serviceAt }
  const services = await askClickHouse<{ service: string }>(store, {
    deed: 'read which services send spans',
    query: `
      SELECT DISTINCT Service AS service FROM chain_health_metrics
      WHERE Service IN {asked:Array(String)} AND Kind IN ('entry', 'sync', 'async')
        AND Window >= toStartOfMinute({since:DateTime64(3)}) AND Window < {until:DateTime64(3)}`,
    params: { since, until, asked },
  })
  return { services: new Set(services.map(({ service }) => service)), serviceAt }
}

/** What went wrong at the origin of a run. Services are keys. */
export type SameCause =
  | { kind: 'errors'; service: string; operation: string }
  | { kind: 'latency'; service: string; operation: string; slowNs: number }
  | { kind: 'unavailable'; peer: string }
  | { kind: 'dependency'; service: string; operation: string; peer: string; slowNs: number }

const sameCauseConditions: Record<SameCause['kind'], string> = {
  errors: "Kind != 'peer' AND OriginError AND Service = {service:String} AND Operation = {operation:String}",
  latency: 'Service = {service:String} AND Operation = {operation:String} AND DurationNs > {slowNs:UInt64}',
  unavailable: "Kind = 'peer' AND Failed AND Service = {peer:String}",
  dependency: `Kind = 'peer' AND Caller = {service:String} AND CallerOperation = {operation:String} AND Service = {peer:String}
    AND (Failed OR DurationNs > {slowNs:UInt64})`,
}

/** Flows of other runs in which the same went wrong, and how many other users they had; flows at most 100. */
export async function readAlsoHit(
  store: Store,
  { since, until, cause, flowId, userId }: Window & { cause: SameCause; flowId: string; userId: string | null },
): Promise<{ flows: string[]; users: number }> {
  const [row] = await askClickHouse<{ flows: string[]; users: number }>(store, {
    deed: 'read who else is hit',
    query: `
      SELECT arraySort(groupUniqArray(100)(Flow)) AS flows, uniqExactIf(User, User != '' AND User != {userId:String}) AS users
      FROM (
        SELECT argMin(FlowName, StartedAt) AS Flow, argMinIf(UserId, StartedAt, UserId != '') AS User
        FROM chain_execution_traces FINAL
        WHERE FlowId != {flowId:String} AND FlowId IN (
          SELECT FlowId FROM chain_dependency_events
          WHERE NOT Deleted AND Time >= {since:DateTime64(3)} AND Time < {until:DateTime64(3)} AND ${sameCauseConditions[cause.kind]})
        GROUP BY FlowId
      )`,
    params: {
      ...cause,
      since,
      until,
      flowId,
      userId: userId ?? '',
      ...('slowNs' in cause && { slowNs: Math.round(cause.slowNs) }),
    },
  })
  return row ?? { flows: [], users: 0 }
}
