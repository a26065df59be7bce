// A flow run is a set of traces; it is put together here, on read.
import type { FlowId } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import { withinTraces } from './spans.ts'
import { type ServiceFilter, servicePattern } from './service-pattern.ts'
import { type Cursor, moreMinutes, newestMinutes, type Page, unixSeconds, type Window } from './window.ts'

export interface FlowRun {
  flowId: FlowId
  /** That of its first trace. */
  flowName: string
  /** `error` when a trace of it failed; `running` while none of its traces is settled. */
  status: 'ok' | 'error' | 'running'
  /** RFC 3339 with nanoseconds. */
  startedAt: string
  /** From its entry to its last effect. */
  durationNs: number
  /** How long its entry took: what the caller waited for. */
  entryNs: number
  /** Keys of all services that took part. */
  services: string[]
  userId: string | null
  /** In the order of their starts. */
  traceIds: string[]
}

export interface RunFilter extends Window {
  flow?: string
  service?: ServiceFilter
  user?: string
  status?: 'ok' | 'error'
}

/** Traces of one run that are listed at most. */
export const runTracesMax = 1_000

/** A run's traces that start later than this after its first are not asked when runs are filtered, only when they are shown. */
const filterAheadDays = 1

interface RunRow extends FlowRun {
  /** Empty when nobody is known. */
  userId: string
}

/**
 * Runs whose first trace started in the window, newest first. Tries the newest minutes first: most lists are short. A page
 * may be shorter than its limit though more follow.
 */
export async function readRuns(
  store: Store,
  { filter, cursor, limit }: { filter: RunFilter; cursor?: Cursor; limit: number },
): Promise<Page<FlowRun>> {
  const end = cursor === undefined ? filter.until : new Date(cursor.at)
  let found: Candidate[] = []
  for (let minutes = newestMinutes; ; minutes = moreMinutes(minutes, found.length / (limit + 1))) {
    const since = new Date(Math.max(filter.since.getTime(), end.getTime() - minutes * 60_000))
    found = await readCandidates(store, { ...filter, since }, { cursor, take: limit + 1 })
    if (found.length > limit || since.getTime() === filter.since.getTime()) break
  }
  const candidates = found.slice(0, limit)
  const last = candidates.at(-1)
  const runs = await assembleRuns(
    store,
    candidates.map(({ flowId }) => flowId),
  )
  const byId = new Map(runs.map((run) => [run.flowId, run]))
  const items = candidates.flatMap(({ flowId, startedAt }) => {
    const run = byId.get(flowId)
    // A run that began before the stretch that was read only showed a later trace in it; it is listed where it began.
    return run !== undefined && run.startedAt >= startedAt && matches(run, filter) ? [run] : []
  })
  return { items, next: found.length > limit && last !== undefined ? { at: last.startedAt, id: last.flowId } : null }
}

interface Candidate {
  flowId: FlowId
  startedAt: string
}

async function readCandidates(
  store: Store,
  { since, until, flow, service, user, status }: RunFilter,
  { cursor, take }: { cursor: Cursor | undefined; take: number },
): Promise<Candidate[]> {
  // Replaced rows are read too: what they say may be outdated, so `matches` judges the run as it is. To merge them away
  // first would cost ten times as much.
  const conditions = ['started < {until:DateTime64(9)}']
  if (cursor !== undefined) conditions.push('(started, FlowId) < ({at:DateTime64(9)}, {id:String})')
  // What a trace of the run must say; the rarest first, since it alone can narrow what is grouped.
  const ofTraces: string[] = []
  if (user !== undefined) ofTraces.push('UserId = {user:String}')
  if (status === 'error') ofTraces.push('Failed = 1')
  if (service !== undefined) ofTraces.push('arrayExists(s -> match(s, {service:String}), Services)')
  if (flow !== undefined) ofTraces.push('FlowName = {flow:String}')
  for (const condition of ofTraces) conditions.push(`countIf(${condition}) > 0`)
  if (status === 'ok') conditions.push('(max(Failed) = 0 OR count() > uniqExact(TraceId))')
  const during = 'StartedAt >= {since:DateTime64(9)} AND StartedAt < {ahead:DateTime64(9)}'
  const [rarest] = ofTraces
  return await askClickHouse<Candidate>(store, {
    deed: 'list executions',
    query: `
      SELECT FlowId AS flowId, min(StartedAt) AS started, started AS startedAt
      FROM chain_execution_traces
      WHERE ${during} ${rarest === undefined ? '' : `AND FlowId IN (SELECT FlowId FROM chain_execution_traces WHERE ${during} AND ${rarest})`}
      GROUP BY FlowId
      HAVING ${conditions.join(' AND ')}
      ORDER BY started DESC, FlowId DESC
      LIMIT {take:UInt32}`,
    params: {
      since,
      until,
      ahead: new Date((cursor === undefined ? until.getTime() : Date.parse(cursor.at)) + filterAheadDays * 86_400_000),
      take,
      ...(cursor && { at: unixSeconds(cursor.at), id: cursor.id }),
      ...(flow !== undefined && { flow }),
      ...(user !== undefined && { user }),
      ...(service !== undefined && { service: servicePattern(service) }),
    },
  })
}

/** Whether a run is what was asked for. A user may be of any of its traces, as the candidates were chosen. */
function matches(run: FlowRun, { status, flow, service }: RunFilter): boolean {
  if (status !== undefined && run.status !== status) return false
  if (flow !== undefined && run.flowName !== flow) return false
  if (service === undefined) return true
  const pattern = new RegExp(servicePattern(service))
  return run.services.some((key) => pattern.test(key))
}

async function assembleRuns(store: Store, flowIds: readonly FlowId[]): Promise<FlowRun[]> {
  if (flowIds.length === 0) return []
  const rows = await askClickHouse<RunRow>(store, {
    deed: `read ${flowIds.length} executions`,
    query: `
      SELECT FlowId AS flowId, argMin(FlowName, StartedAt) AS flowName, if(max(Failed) = 1, 'error', 'ok') AS status, min(StartedAt) AS startedAt,
        toUnixTimestamp64Nano(max(EndedAt)) - toUnixTimestamp64Nano(min(StartedAt)) AS durationNs,
        argMin(DurationNs, StartedAt) AS entryNs,
        arraySort(groupUniqArrayArray(1000)(Services)) AS services,
        argMinIf(UserId, StartedAt, UserId != '') AS userId,
        arrayMap(t -> t.2, arraySlice(arraySort(groupArray((StartedAt, TraceId))), 1, {tracesMax:UInt32})) AS traceIds
      FROM (
        -- As each trace settled last. FINAL says the same and takes half as much again.
        SELECT * FROM chain_execution_traces WHERE FlowId IN {flowIds:Array(String)} ORDER BY Tick DESC LIMIT 1 BY FlowId, TraceId
      )
      GROUP BY FlowId`,
    params: { flowIds, tracesMax: runTracesMax },
  })
  return rows.map(toRun)
}

function toRun(row: RunRow): FlowRun {
  return { ...row, userId: row.userId === '' ? null : row.userId }
}

/** The run with this flow ID, or with a trace of this ID; also one that is not settled yet. */
export async function readRun(store: Store, id: string): Promise<FlowRun | undefined> {
  const [byFlow] = await assembleRuns(store, [id])
  if (byFlow !== undefined) return byFlow
  const [settled] = await askClickHouse<{ flowId: FlowId }>(store, {
    deed: `find the execution of trace "${id}"`,
    query: 'SELECT FlowId AS flowId FROM chain_execution_traces WHERE TraceId = {id:String} ORDER BY Tick DESC LIMIT 1',
    params: { id },
  })
  if (settled !== undefined) return (await assembleRuns(store, [settled.flowId]))[0]
  return await readRunningRun(store, id)
}

/** A run of which there are only raw spans: those of the trace with this ID, and of traces that state its flow ID. */
async function readRunningRun(store: Store, id: string): Promise<FlowRun | undefined> {
  const [own] = await askClickHouse<{ flowId: FlowId }>(store, {
    deed: `find the spans of "${id}"`,
    query: `
      SELECT argMin(FlowId, (FlowId = TraceId, Timestamp)) AS flowId
      FROM otel_traces WHERE ${withinTraces}
      HAVING count() > 0`,
    params: { traceIds: [id] },
  })
  const flowId = own?.flowId ?? id
  const stating = await askClickHouse<{ traceId: string }>(store, {
    deed: `find the traces of flow "${flowId}"`,
    query: `SELECT DISTINCT TraceId AS traceId FROM otel_traces WHERE FlowId = {flowId:String} AND ${arrivedLately} LIMIT {tracesMax:UInt32}`,
    params: { flowId, tracesMax: runTracesMax },
  })
  const traceIds = new Set(stating.map(({ traceId }) => traceId))
  if (own !== undefined) traceIds.add(id)
  if (traceIds.size === 0) return undefined
  const rows = await askClickHouse<RunRow>(store, {
    deed: `read the spans of "${id}"`,
    query: `SELECT {flowId:String} AS flowId, ${runOfSpans} FROM otel_traces WHERE ${withinTraces} GROUP BY flowId`,
    params: { flowId, traceIds: [...traceIds] },
  })
  return rows.map(toRun)[0]
}

/** Runs of which nothing is settled yet, newest first: by raw spans of the last minutes. */
export async function readRunningRuns(store: Store, { limit }: { limit: number }): Promise<FlowRun[]> {
  const rows = await askClickHouse<RunRow>(store, {
    deed: 'list executions that still run',
    query: `
      SELECT FlowId AS flowId, ${runOfSpans}
      FROM otel_traces
      WHERE ${arrivedLately} AND TraceId NOT IN (
        SELECT TraceId FROM chain_execution_traces WHERE TraceId IN (SELECT TraceId FROM otel_traces WHERE ${arrivedLately}))
      GROUP BY flowId
      ORDER BY startedAt DESC
      LIMIT {limit:UInt32}`,
    params: { limit },
  })
  return rows.map(toRun)
}

/** Spans that settling has not taken yet arrived this lately, unless the analyzer is away. */
const arrivedLately = 'ReceivedAt > now() - toIntervalMinute(2)'

const runOfSpans = `
  if(argMinIf(FlowName, Timestamp, FlowName != '') != '', argMinIf(FlowName, Timestamp, FlowName != ''),
    argMin(SpanName, (ParentSpanId != '', Timestamp))) AS flowName,
  'running' AS status,
  min(Timestamp) AS startedAt,
  max(toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)) - toUnixTimestamp64Nano(min(Timestamp)) AS durationNs,
  argMin(Duration, (ParentSpanId != '', Timestamp)) AS entryNs,
  arraySort(groupUniqArray(1000)(Service)) AS services,
  argMinIf(UserId, Timestamp, UserId != '') AS userId,
  groupUniqArray(${runTracesMax})(TraceId) AS traceIds`
