// Weeks in which nothing is wrong, through what watches flows against their seasons: whatever is told is false. And what that takes, at
// start and each minute.

import { parameters, Seasons } from '@headwater/analyzer'
import { median } from '../median.ts'
import { told } from '../plan.ts'
import { ownUsage, usedBetween } from '../usage.ts'
import type { Engine } from '../ingest/engine.ts'
import { startLeading } from './leading.ts'
import type { AnalysisPart } from './plan.ts'

const { slotMs, flowsMax, pieceMs } = parameters.seasons
const dayMs = 24 * 3_600_000
const minuteMs = 60_000
/** Series beside the flows that are watched, of which the last hour is there. */
const othersCount = 950

/** Replays days after a week that is learned. */
export const seasons: AnalysisPart = async ({ hours, progress }) => {
  await using cleanup = new AsyncDisposableStack()
  const { engine } = await startLeading(cleanup)
  const replayedMs = Math.ceil((hours * 3_600_000) / dayMs) * dayMs
  const toMs = Math.floor(Date.now() / slotMs) * slotMs
  const fromMs = toMs - 8 * dayMs - replayedMs
  for (let dayFromMs = fromMs; dayFromMs < toMs; dayFromMs += dayMs) {
    await writeFlows(engine, { fromMs: dayFromMs, toMs: dayFromMs + dayMs, first: 0, flows: flowsMax })
  }
  await writeFlows(engine, { fromMs: toMs - 3_600_000, toMs, first: flowsMax, flows: othersCount })
  await engine.quiet()

  const watching = new Seasons(engine.store)
  const measure = async (atMs: number): Promise<{ found: string[]; nodeMs: number; engineMs: number }> => {
    const [before, engineBefore] = [ownUsage(), engine.cpuUs()]
    const { findings, failure } = await watching.at(atMs)
    if (failure !== undefined) throw new Error(`Cannot measure: ${failure}`)
    return {
      found: findings.map(({ signal, service }) => `${signal} ${service}`),
      nodeMs: usedBetween(before, ownUsage()).cpuUs / 1_000,
      engineMs: (engine.cpuUs() - engineBefore) / 1_000,
    }
  }
  const pieces: { nodeMs: number; engineMs: number }[] = []
  const beganMs = toMs - replayedMs
  for (let minute = 0; minute * pieceMs < beganMs - fromMs; minute += 1) {
    pieces.push(await measure(beganMs - slotMs + minute * minuteMs))
  }
  progress(`${flowsMax} flows, learned in ${pieces.length} pieces`)

  const minutes: { nodeMs: number; engineMs: number }[] = []
  const [going, fresh]: [Set<string>, string[]] = [new Set(), []]
  for (let atMs = beganMs + slotMs * 2; atMs <= toMs; atMs += slotMs) {
    const one = await measure(atMs)
    minutes.push(one)
    for (const what of one.found) {
      if (going.has(what)) continue
      fresh.push(what)
      progress(`false, after ${((atMs - beganMs) / dayMs).toFixed(2)} days: ${what}`)
    }
    going.clear()
    for (const what of one.found) going.add(what)
    if (minutes.length % 288 === 0) progress(`${minutes.length / 288} days: ${fresh.length} false`)
  }
  const days = replayedMs / dayMs
  const perDay = dayMs / pieceMs
  return [
    told('season_false_alarms', fresh.length, `in ${days} days of ${flowsMax} flows`),
    told('season_past_day_cpu_ms', median(pieces.map(({ nodeMs }) => nodeMs)) * perDay, 'ms of Node a day of the past'),
    told(
      'season_past_day_engine_ms',
      median(pieces.map(({ engineMs }) => engineMs)) * perDay,
      'ms of the engine a day of the past',
    ),
    told('season_minute_cpu_ms', median(minutes.map(({ nodeMs }) => nodeMs)), 'ms of Node a minute'),
    told('season_minute_engine_ms', median(minutes.map(({ engineMs }) => engineMs)), 'ms of the engine a minute'),
  ]
}

/**
 * Minutes of entries, added up as settling does. Each flow has its own load (some thirty calls in five minutes, some three thousand), less by
 * night and at weekends; loads go up and down for hours and days beyond that, double for six minutes now and then, and counts
 * vary more than by chance. Calls take longer under load, by a tenth for an hour after some releases, and as hours and days go.
 */
async function writeFlows(
  engine: Engine,
  { fromMs, toMs, first, flows }: { fromMs: number; toMs: number; first: number; flows: number },
): Promise<void> {
  const [fromS, minutes] = [fromMs / 1_000, (toMs - fromMs) / minuteMs]
  const uniform = (...of: string[]): string => `(cityHash64(${of.join(', ')}) / 18446744073709551616)`
  const normal = (...of: string[]): string =>
    `((${[1, 2, 3, 4].map((part) => uniform(...of, String(part))).join(' + ')} - 2) * sqrt(3))`
  await engine.run(`
    INSERT INTO chain_health_metrics
    SELECT toDateTime(second) AS Window, concat('service-', toString(flow)) AS Service, 'GET /things' AS Operation, 'entry' AS Kind,
      '' AS Caller, '' AS CallerOperation, 'GET /things' AS FlowName, '1.0.0' AS Version, calls AS Calls,
      toUInt64(round(least(toFloat64(calls), greatest(0., calls * failing + sqrt(calls * failing) * ${normal("'errors'", 'flow', 'second')})))) AS Errors,
      Errors AS OriginErrors, 0 AS ClientErrors, calls * toUInt64(ns) AS DurationNs, DurationNs AS SelfNs, 0 AS WireNs,
      map(toUInt16(floor(bucket)), toUInt64(calls - upper), toUInt16(floor(bucket) + 1), toUInt64(upper)) AS Duration,
      Duration AS Self, map() AS Wire
    FROM (
      SELECT *, log(ns + 1) / log(1.05) AS bucket, toUInt64(round(calls * (bucket - floor(bucket)))) AS upper
      FROM (
        SELECT flow, second, if(flow % 10 = 3, 0.02, 0.003) AS failing,
          load * day * weekend * exp(0.12 * ${normal("'hour'", 'flow', 'intDiv(second, 3600)')} + 0.08 * ${normal("'day'", 'flow', 'intDiv(second, 86400)')})
            * if(${uniform("'spike'", 'flow', 'intDiv(second, 360)')} < 0.01, 2.5, 1) AS due,
          toUInt64(greatest(0, round(due + sqrt(due + due * due / 100) * ${normal("'calls'", 'flow', 'second')}))) AS calls,
          1e8 * exp(0.9 * ${normal("'time'", 'flow')}) * (1 + 0.25 * day) * (1 + 0.1 * (due > 2 * load))
            * if(${uniform("'release'", 'flow', 'intDiv(second, 14400)')} < 0.1 AND second % 14400 < 3600, 1.1, 1)
            * exp(0.05 * ${normal("'slow'", 'flow', 'intDiv(second, 3600)')} + 0.04 * ${normal("'slow day'", 'flow', 'intDiv(second, 86400)')}
              + 0.3 / sqrt(calls + 1) * ${normal("'sample'", 'flow', 'second')}) AS ns
        FROM (
          SELECT ${first} + number % ${flows} AS flow, ${fromS} + intDiv(number, ${flows}) * 60 AS second,
            exp(3.5 + 1.2 * ${normal("'load'", 'flow')}) AS load,
            0.2 + 0.8 * (1 - cos(2 * pi() * (second / 86400 + 0.1 * (flow % 5)))) / 2 AS day,
            if(toDayOfWeek(toDateTime(second)) > 5, 0.3 + 0.1 * (flow % 7), 1) AS weekend
          FROM numbers(${minutes * flows})
        )
      )
      WHERE calls > 0
    )`)
}
