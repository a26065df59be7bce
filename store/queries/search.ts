// Spans that somebody looks for, as a list, as a map of time by duration, and by what sets some of them apart. All three
// read the newest first and stop at a bound: an answer that comes while one types is worth more than a complete one.
import { parseService } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import { type ServiceFilter, servicePattern } from './service-pattern.ts'
import { type Cursor, moreMinutes, newestMinutes, type Page, pageOf, unixSeconds, type Window } from './window.ts'

export interface SpanFilter extends Window {
  flow?: string
  service?: ServiceFilter
  operation?: string
  user?: string
  /** In the span's name, its service's or its status message, in any case. */
  text?: string
  status?: 'ok' | 'error'
  /** As the column has it: `Unset`, `Ok`, `Error`. */
  statusCode?: string
  /** As the column has it: `Server`, `Client`, … */
  kind?: string
  scope?: string
  minMs?: number
  maxMs?: number
  /** Of the span or its resource. */
  attributes?: { name: string; value: string }[]
}

export interface FoundSpan {
  traceId: string
  spanId: string
  flowId: string
  /** RFC 3339 with nanoseconds. */
  startTime: string
  durationMs: number
  service: string
  name: string
  kind: string
  status: 'ok' | 'error'
  message: string
  userId: string
}

/** A stretch of time and of durations, and how many spans lie in it. */
export interface HeatCell {
  /** Which of the `columns`, from 0. */
  column: number
  /** Bucket of the duration: ⌊4 · log2(ms)⌋, four to a doubling. */
  bucket: number
  spans: number
  errors: number
}

/** An attribute's value that some spans have more often than the others. */
export interface Difference {
  name: string
  value: string
  /** Share of the chosen spans that have it, and of the others. */
  chosen: number
  others: number
}

/** Spans of which differences are told, and spans in the map of durations. */
const sampleMax = 20_000
export const heatSpansMax = 2_000_000
const differencesMax = 40
const secondsMax = 8

/** Spans of the window that the filter means, newest first. */
export async function searchSpans(
  store: Store,
  { filter, cursor, limit }: { filter: SpanFilter; cursor?: Cursor; limit: number },
): Promise<Page<FoundSpan>> {
  const until = cursor === undefined ? filter.until : new Date(Date.parse(cursor.at) + 1)
  const take = limit + 1
  const found = await newestFirst({ ...filter, until }, take, (window) => find(store, window, { cursor, take }))
  return pageOf(found, limit, ({ startTime, traceId, spanId }) => ({ at: startTime, id: `${traceId}${spanId}` }))
}

/** Traces with a span that the filter means, those with the newest first. */
export async function findTraces(
  store: Store,
  { filter, limit }: { filter: SpanFilter; limit: number },
): Promise<string[]> {
  const rows = await newestFirst(filter, limit, async (window) => {
    const { condition, params } = conditionOf(window)
    return await askClickHouse<{ traceId: string }>(store, {
      deed: 'search traces',
      secondsMax,
      query: `
        SELECT TraceId AS traceId
        FROM otel_traces
        WHERE ${condition}
        GROUP BY TraceId
        ORDER BY max(Timestamp) DESC, TraceId
        LIMIT {limit:UInt32}`,
      params: { ...params, limit },
    })
  })
  return rows.map(({ traceId }) => traceId)
}

/** Reads the newest minutes first, and more of the window only while that is not `enough`. */
async function newestFirst<Row>(
  filter: SpanFilter,
  enough: number,
  read: (filter: SpanFilter) => Promise<Row[]>,
): Promise<Row[]> {
  for (let minutes = newestMinutes; ;) {
    const since = new Date(Math.max(filter.since.getTime(), filter.until.getTime() - minutes * 60_000))
    const found = await read({ ...filter, since })
    if (found.length >= enough || since.getTime() === filter.since.getTime()) return found
    minutes = moreMinutes(minutes, found.length / enough)
  }
}

async function find(
  store: Store,
  filter: SpanFilter,
  { cursor, take }: { cursor: Cursor | undefined; take: number },
): Promise<FoundSpan[]> {
  const { condition, params } = conditionOf(filter)
  return await askClickHouse<FoundSpan>(store, {
    deed: 'search spans',
    secondsMax,
    query: `
      SELECT TraceId AS traceId, SpanId AS spanId, FlowId AS flowId, Timestamp AS startTime,
        round(Duration / 1e6, 3) AS durationMs, Service AS service, SpanName AS name, SpanKind AS kind,
        if(StatusCode = 'Error', 'error', 'ok') AS status, substringUTF8(StatusMessage, 1, 300) AS message, UserId AS userId
      FROM otel_traces
      WHERE ${condition}
        ${cursor === undefined ? '' : 'AND (Timestamp, concat(TraceId, SpanId)) < ({at:DateTime64(9)}, {id:String})'}
      ORDER BY Timestamp DESC, concat(TraceId, SpanId) DESC
      LIMIT 1 BY TraceId, SpanId
      LIMIT {take:UInt32}`,
    params: { ...params, take, ...(cursor && { at: unixSeconds(cursor.at), id: cursor.id }) },
  })
}

/** How many spans began when and took how long. `columns` divide the window. */
export async function readHeat(
  store: Store,
  { columns, ...filter }: SpanFilter & { columns: number },
): Promise<HeatCell[]> {
  const { condition, params } = conditionOf(filter)
  const stepMs = Math.max(1, (filter.until.getTime() - filter.since.getTime()) / columns)
  return await askClickHouse<HeatCell>(store, {
    deed: 'count spans by time and duration',
    secondsMax,
    query: `
      SELECT least({columns:UInt32} - 1, intDiv(toUnixTimestamp64Milli(Timestamp) - {sinceMs:Int64}, {stepMs:Float64})) AS column,
        toInt32(floor(4 * log2(greatest(Duration, 1000) / 1e6))) AS bucket, count() AS spans, countIf(StatusCode = 'Error') AS errors
      FROM (SELECT Timestamp, Duration, StatusCode FROM otel_traces WHERE ${condition} LIMIT {heatSpansMax:UInt32})
      GROUP BY column, bucket ORDER BY column, bucket`,
    params: { ...params, columns, stepMs, sinceMs: filter.since.getTime(), heatSpansMax },
  })
}

/** What a part of the found spans has more often than the others: those in `chosen`, by time, duration or failure. */
export async function readDifferences(
  store: Store,
  {
    chosen,
    ...filter
  }: SpanFilter & { chosen: Partial<Pick<SpanFilter, 'since' | 'until' | 'minMs' | 'maxMs' | 'status'>> },
): Promise<{ differences: Difference[]; chosen: number; others: number }> {
  const { condition, params } = conditionOf(filter)
  const isChosen: string[] = []
  if (chosen.since !== undefined) isChosen.push('Timestamp >= {chosenSince:DateTime64(9)}')
  if (chosen.until !== undefined) isChosen.push('Timestamp < {chosenUntil:DateTime64(9)}')
  if (chosen.minMs !== undefined) isChosen.push('Duration >= {chosenMinNs:Float64}')
  if (chosen.maxMs !== undefined) isChosen.push('Duration < {chosenMaxNs:Float64}')
  if (chosen.status !== undefined) isChosen.push(`StatusCode ${chosen.status === 'error' ? '=' : '!='} 'Error'`)
  const choice = isChosen.length === 0 ? '0' : isChosen.join(' AND ')
  const sample = `
    SELECT ${choice} AS isChosen,
      arrayConcat(
        [('service', Service), ('operation', SpanName), ('kind', SpanKind), ('flow', FlowName), ('user', UserId)],
        arrayZip(mapKeys(SpanAttributes), mapValues(SpanAttributes)),
        arrayZip(mapKeys(ResourceAttributes), mapValues(ResourceAttributes))) AS pairs
    FROM otel_traces WHERE ${condition}`
  const rows = await askClickHouse<{
    name: string
    value: string
    chosen: number
    others: number
    total: number
    totalOthers: number
  }>(store, {
    deed: 'tell what sets spans apart',
    secondsMax,
    query: `
      WITH
        sampled AS (
          SELECT * FROM (${sample} AND (${choice}) LIMIT {sampleMax:UInt32})
          UNION ALL SELECT * FROM (${sample} AND NOT (${choice}) LIMIT {sampleMax:UInt32})),
        (SELECT countIf(isChosen) FROM sampled) AS allChosen, (SELECT countIf(NOT isChosen) FROM sampled) AS allOthers
      SELECT pair.1 AS name, substringUTF8(pair.2, 1, 200) AS value, countIf(isChosen) / greatest(1, allChosen) AS chosen,
        countIf(NOT isChosen) / greatest(1, allOthers) AS others, any(allChosen) AS total, any(allOthers) AS totalOthers
      FROM sampled ARRAY JOIN arrayDistinct(pairs) AS pair
      WHERE pair.2 != ''
      GROUP BY name, value
      ORDER BY abs(chosen - others) DESC, name, value
      LIMIT {differencesMax:UInt32}`,
    params: {
      ...params,
      sampleMax,
      differencesMax,
      ...(chosen.since !== undefined && { chosenSince: chosen.since }),
      ...(chosen.until !== undefined && { chosenUntil: chosen.until }),
      ...(chosen.minMs !== undefined && { chosenMinNs: chosen.minMs * 1e6 }),
      ...(chosen.maxMs !== undefined && { chosenMaxNs: chosen.maxMs * 1e6 }),
    },
  })
  return {
    differences: rows
      .filter(({ chosen: share, others }) => Math.abs(share - others) >= 0.01)
      .map(({ name, value, chosen: share, others }) => ({ name, value, chosen: share, others })),
    chosen: rows[0]?.total ?? 0,
    others: rows[0]?.totalOthers ?? 0,
  }
}

function conditionOf({
  since,
  until,
  flow,
  service,
  operation,
  user,
  text,
  status,
  statusCode,
  kind,
  scope,
  minMs,
  maxMs,
  attributes = [],
}: SpanFilter) {
  const conditions = ['Timestamp >= {since:DateTime64(9)}', 'Timestamp < {until:DateTime64(9)}']
  const params: Record<string, unknown> = { since, until }
  if (service !== undefined) {
    conditions.push('ServiceName = {serviceName:String}', 'match(Service, {service:String})')
    params['serviceName'] = parseService(service.service).name
    params['service'] = servicePattern(service)
  }
  if (operation !== undefined) {
    conditions.push('SpanName = {operation:String}')
    params['operation'] = operation
  }
  if (flow !== undefined) {
    // Only spans of the agent's bear the flow's name; what settling found knows the others by their traces.
    // A span with an error is one of its trace's; few traces have any, and indexes leave out what few cannot be in.
    const failed = status === 'error' || statusCode === 'Error' ? 'AND Errors > 0' : ''
    conditions.push(`TraceId IN (
      SELECT TraceId FROM chain_execution_traces
      WHERE FlowName = {flow:String} ${failed} AND StartedAt >= {since:DateTime64(9)} - toIntervalHour(1) AND StartedAt < {until:DateTime64(9)})`)
    params['flow'] = flow
  }
  if (user !== undefined) {
    conditions.push('UserId = {user:String}')
    params['user'] = user
  }
  if (text !== undefined) {
    const places = ['SpanName', 'ServiceName', 'StatusMessage']
    conditions.push(
      `(${places.map((place) => `positionCaseInsensitiveUTF8(${place}, {text:String}) > 0`).join(' OR ')})`,
    )
    params['text'] = text
  }
  if (status !== undefined) conditions.push(`StatusCode ${status === 'error' ? '=' : '!='} 'Error'`)
  for (const [column, value] of Object.entries({ StatusCode: statusCode, SpanKind: kind, ScopeName: scope })) {
    if (value === undefined) continue
    conditions.push(`${column} = {is${column}:String}`)
    params[`is${column}`] = value
  }
  if (minMs !== undefined) {
    conditions.push('Duration >= {minNs:Float64}')
    params['minNs'] = minMs * 1e6
  }
  if (maxMs !== undefined) {
    conditions.push('Duration < {maxNs:Float64}')
    params['maxNs'] = maxMs * 1e6
  }
  for (const [i, { name, value }] of attributes.entries()) {
    // Written so that the indexes over keys and values leave out granules.
    conditions.push(`(
      (has(mapValues(SpanAttributes), {value${i}:String}) AND SpanAttributes[{name${i}:String}] = {value${i}:String})
      OR (has(mapValues(ResourceAttributes), {value${i}:String}) AND ResourceAttributes[{name${i}:String}] = {value${i}:String}))`)
    params[`name${i}`] = name
    params[`value${i}`] = value
  }
  return { condition: conditions.join('\n        AND '), params }
}
