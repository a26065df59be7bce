// An hour of a busy fleet, with everything that explaining reads: raw spans and logs, calls, runs and states, as a collector and
// settling would have written them. Each run makes ten calls: a tree of nine answered ones, and one to a peer without spans.

import { readFileSync } from 'node:fs'
import type { Engine } from '../ingest/engine.ts'

export interface HourOptions {
  services: number
  spansPerSecond: number
  /** The fleet's time: whole minutes. */
  fromMs: number
  toMs: number
  /** From then on the culprit fails in three of five of its runs, which is a twentieth of all flows. */
  faultFromMs: number
}

/** Spans of each run. */
const spansOfRun = 20

/** A statement is not much less dear for few rows, and must not take long for many. */
const [minutesOfTick, spansOfTick] = [[10, 5, 2, 1], 700_000]

/** Who is to blame, and which share of the runs of its flows fails. */
export const culprit = { service: 'service-7', operation: 'POST /charge', kind: 'errors', share: 0.6 } as const

/** Flows of which one in twenty passes the culprit, in its eighth call. */
const culpritFlows = 20

/** Calls of a run are numbered as in a heap: of 1 to 10, `n` is made by half of `n`. */
const calls = Array.from({ length: 10 }, (_, i) => i + 1)

const statesSql = ['5-minutes', '6-ten-seconds'].map((name) =>
  readFileSync(new URL(`../../store/settle/${name}.sql`, import.meta.url), 'utf8'),
)

/** Writes it some minutes at a time, as ticks of settling. The fault begins with a tick. */
export async function writeHour(engine: Engine, options: HourOptions): Promise<void> {
  const { fromMs, toMs, faultFromMs, spansPerSecond } = options
  const tickMs =
    60_000 *
    (minutesOfTick.find(
      (minutes) => minutes * 60 * spansPerSecond <= spansOfTick && (faultFromMs - fromMs) % (minutes * 60_000) === 0,
    ) ?? 1)
  const runsPerTick = Math.round((spansPerSecond * tickMs) / 1_000 / spansOfRun)
  for (let tick = 1; fromMs + (tick - 1) * tickMs < toMs; tick += 1) {
    const tickFromMs = fromMs + (tick - 1) * tickMs
    const runs = runsOf(options, { firstRun: (tick - 1) * runsPerTick, runs: runsPerTick, tickFromMs, tickMs })
    for (const query of [spansOf(runs), logsOf(runs), callsOf(runs, tick), executionsOf(runs, tick)]) {
      await engine.run(`${query} SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 65536,
        min_insert_block_size_bytes = 67108864, max_block_size = 1024`)
    }
    const boundary = new Date(tickFromMs + tickMs + 30_000)
    for (const query of statesSql) {
      await engine.store.clickhouse.command({
        query,
        query_params: { tick, boundary },
        clickhouse_settings: { prefer_column_name_to_alias: 1 },
      })
    }
    // Merges that are behind have no room beside an insert.
    if (tick % 5 === 0) await engine.quiet()
  }
  await engine.run(`
    INSERT INTO collector_heartbeats
    SELECT fromUnixTimestamp64Milli(toInt64(${fromMs} + number * 5000)) AS At, 'bench', 50000
    FROM numbers(${Math.ceil((toMs - fromMs) / 5_000)})`)
}

/** The runs of a tick, one row each, with arrays over their calls. */
function runsOf(
  { services, faultFromMs }: HourOptions,
  { firstRun, runs, tickFromMs, tickMs }: { firstRun: number; runs: number; tickFromMs: number; tickMs: number },
): string {
  const isFault = tickFromMs >= faultFromMs ? 1 : 0
  const wireNs = 1_000_000
  const durations = calls
    .toReversed()
    .map((n) => {
      const made = [2 * n, 2 * n + 1].filter((child) => child <= calls.length)
      const waited = made.map((child) => ` + d${child} + ${wireNs}`).join('')
      return `selfs[${n}]${waited} AS d${n}`
    })
    .join(', ')
  const offsets = calls
    .slice(1)
    .map((n) =>
      n % 2 === 0 ? `o${n / 2} + intDiv(selfs[${n / 2}], 3) AS o${n}` : `o${n - 1} + d${n - 1} + ${wireNs} AS o${n}`,
    )
    .join(', ')
  const isCulprit = (n: string): string => `(${n} = 8 AND flow % ${culpritFlows} = 0)`
  return `(
    SELECT
      run, flow, concat('GET /flow/', toString(flow)) AS Flow,
      lower(hex(murmurHash3_128('trace', run))) AS Trace,
      concat('user-', toString(cityHash64(run, 'user') % 50000)) AS User,
      toInt64(${tickFromMs} + intDiv((run - ${firstRun}) * ${tickMs}, ${runs})) * 1000000 AS StartNs,
      cityHash64(run, 'failure') AS chance,
      multiIf(
        ${isFault} AND flow % ${culpritFlows} = 0 AND chance % 5 < 3, 8,
        chance % 1000 = 7, 1 + intDiv(chance, 1000) % 10,
        0) AS failing,
      arrayMap(n -> toInt64((2e6 + cityHash64(flow, n) % 20 * 1e6)
        * exp(bitAnd(cityHash64(run, n) AS h, 65535) / 65536 + bitAnd(bitShiftRight(h, 16), 65535) / 65536
          + bitAnd(bitShiftRight(h, 32), 65535) / 65536 - 1.5)), range(1, 11)) AS selfs,
      ${durations},
      toInt64(0) AS o1, ${offsets},
      [${calls.map((n) => `d${n}`).join(', ')}] AS durations,
      [${calls.map((n) => `o${n}`).join(', ')}] AS offsets,
      arrayMap(n -> multiIf(
        n = 1, concat('service-', toString(flow % ${Math.ceil(services / 50)})),
        n = 10, concat('postgresql:orders-', toString(flow % ${Math.ceil(services / 10)})),
        ${isCulprit('n')}, '${culprit.service}',
        concat('service-', toString((flow * 3 + n * 7) % ${services}))), range(1, 11)) AS services,
      arrayMap(n -> multiIf(
        n = 1, Flow, n = 10, 'SELECT orders', ${isCulprit('n')}, '${culprit.operation}',
        concat('GET /things/', toString((flow + n) % 5))), range(1, 11)) AS operations
    FROM (SELECT number AS run, run % ${services} AS flow FROM numbers(${firstRun}, ${runs}))
  )`
}

const failed = (n: string): string => `has([failing, intDiv(failing, 2), intDiv(failing, 4), intDiv(failing, 8)], ${n})`

const spanId = (n: string, part: string): string =>
  `substring(lower(hex(murmurHash3_128('${part}', run, toUInt8(${n})))), 1, 16)`

/** Calls 1 to 9 by server spans, 2 to 10 by client spans, and two steps within. */
function spansOf(runs: string): string {
  return `
    INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
      SpanAttributes, Duration, StatusCode, ReceivedAt, OtherFlowId, FlowName, UserId, PeerService, PeerAddress, Namespace,
      Environment, Version, Instance, Service, Weight)
    SELECT
      fromUnixTimestamp64Nano(StartNs + offsets[n]) AS Timestamp, Trace AS TraceId,
      multiIf(part = 'server', ${spanId('n', 'server')}, part = 'client', ${spanId('n', 'client')}, ${spanId('n', 'internal')}) AS SpanId,
      multiIf(
        part = 'client', ${spanId('intDiv(n, 2)', 'server')},
        part = 'internal', ${spanId('n', 'server')},
        n = 1, '', ${spanId('n', 'client')}) AS ParentSpanId,
      if(part = 'internal', 'render', operations[n]) AS SpanName,
      multiIf(part = 'server', 'Server', part = 'client', 'Client', 'Internal') AS SpanKind,
      services[if(part = 'client', intDiv(n, 2), n)] AS ServiceName,
      map('service.name', ServiceName, 'service.version', '1.0.0', 'host.name', 'host-1') AS ResourceAttributes,
      map('http.request.method', 'GET', 'http.route', operations[n], 'url.scheme', 'http') AS SpanAttributes,
      if(part = 'internal', intDiv(selfs[n], 2), durations[n] + if(part = 'client', 1000000, 0)) AS Duration,
      if(part != 'internal' AND ${failed('n')}, 'Error', 'Unset') AS StatusCode,
      fromUnixTimestamp64Milli(intDiv(StartNs + d1, 1000000)) AS ReceivedAt,
      '', '', User, '', '', '', '', '1.0.0', 'host-1', ServiceName, 1
    FROM ${runs}
    ARRAY JOIN
      arrayConcat(range(1, 10), range(2, 11), [1, 4]) AS n,
      arrayConcat(arrayWithConstant(9, 'server'), arrayWithConstant(9, 'client'), ['internal', 'internal']) AS part`
}

/** Four calls of each run say what they do, and what fails says why. */
function logsOf(runs: string): string {
  return `
    INSERT INTO otel_logs (Timestamp, TraceId, SpanId, SeverityText, SeverityNumber, ServiceName, Body, ScopeName, LogAttributes, ReceivedAt)
    SELECT
      fromUnixTimestamp64Nano(StartNs + offsets[n]), Trace, ${spanId('n', 'server')}, if(isError, 'ERROR', 'INFO'), if(isError, 17, 9),
      services[n], if(isError, 'cannot charge card', concat('took order ', toString(run), ' in step ', toString(n))), services[n],
      if(isError, map('exception.type', 'CardError', 'exception.message', 'cannot charge card'), map()),
      fromUnixTimestamp64Milli(intDiv(StartNs + d1, 1000000))
    FROM ${runs}
    ARRAY JOIN arrayConcat([2, 4, 6, 8], if(failing BETWEEN 1 AND 9, [failing], [])) AS n,
      arrayConcat([0, 0, 0, 0], if(failing BETWEEN 1 AND 9, [1], [])) AS isError`
}

function callsOf(runs: string, tick: number): string {
  return `
    INSERT INTO chain_dependency_events (Tick, Time, TraceId, SpanId, FlowId, FlowName, Kind, Service, Operation, Version, Instance, Caller,
      CallerOperation, ClientSpanId, Counted, Failed, OriginError, ClientFailed, DurationNs, SelfNs, WireNs, UserId, ErrorType, Message, Weight)
    SELECT
      ${tick}, fromUnixTimestamp64Milli(intDiv(StartNs + offsets[n] + durations[n], 1000000)), Trace,
      if(n = 10, ${spanId('n', 'client')}, ${spanId('n', 'server')}), Trace, Flow,
      multiIf(n = 1, 'entry', n = 10, 'peer', 'sync'),
      services[n], operations[n],
      if(n = 10, '', '1.0.0'), if(n = 10, '', concat('host-', toString(cityHash64(run, n) % 3))),
      if(n = 1, '', services[intDiv(n, 2)]), if(n = 1, '', operations[intDiv(n, 2)]),
      if(n = 1, '', ${spanId('n', 'client')}),
      1, ${failed('n')} AS isFailed, n = failing, isFailed AND n > 1, durations[n], if(n = 10, 0, selfs[n]),
      multiIf(n = 1, 0, n = 10, durations[n], 1000000),
      User, if(n = failing, 'CardError', ''), if(n = failing, 'cannot charge card', ''), 1
    FROM ${runs}
    ARRAY JOIN range(1, 11) AS n
    ORDER BY Trace, n`
}

function executionsOf(runs: string, tick: number): string {
  return `
    INSERT INTO chain_execution_traces
    SELECT
      ${tick}, Trace, Trace, Flow, fromUnixTimestamp64Nano(StartNs), fromUnixTimestamp64Nano(StartNs + d1), d1, services[1], operations[1],
      arraySort(arrayDistinct(arraySlice(services, 1, 9))), ${spansOfRun}, 0, ${failed('1')}, User, 1
    FROM ${runs}`
}
