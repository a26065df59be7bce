// Healthy hours, judged step by step as a running analyzer does: seasons, deploys, load spikes, usual errors and heavy tails, and
// nothing wrong. Whatever opens an incident is a false one.

import { LastingEffects, step } from '@headwater/analyzer'
import type { Row } from '../bench.ts'
import type { Engine } from '../ingest/engine.ts'
import { judged, told } from '../plan.ts'
import { ownUsage, usedBetween } from '../usage.ts'
import { startLeading } from './leading.ts'
import type { AnalysisPart } from './plan.ts'

const seriesCount = 1_000
const [operationsOfService, callersOfOperation] = [10, 2]
/** What a step looks back to, and so much is written at once: it is kept for an hour of the clock. */
const pastMs = 60 * 60_000
const chunkMs = 30 * 60_000
const stretchMs = 4 * 3_600_000
const goalPerDay = 1

/** One false incident, as it was told. */
interface False {
  stretch: number
  atMs: number
  told: string
}

/** Replays stretches of hours until they make up as many as are wanted, each with other series and at another time of the day. */
export const healthy: AnalysisPart = async ({ hours, progress }) => {
  const wantedMs = hours * 3_600_000
  const found: False[] = []
  let [judgedMs, steps, nodeUs, engineUs] = [0, 0, 0, 0]
  for (let stretch = 0; judgedMs < wantedMs; stretch += 1) {
    await using cleanup = new AsyncDisposableStack()
    const { engine, lease } = await startLeading(cleanup)
    // Windows of ten seconds go an hour after their time by the clock, so the stretch is not of the past.
    const fromMs = Math.ceil(Date.now() / 60_000) * 60_000 + 3_600_000
    const toMs = fromMs + Math.min(stretchMs, wantedMs - judgedMs)
    const lasting = new LastingEffects(engine.store)
    let writtenMs = fromMs - pastMs
    for (let atMs = fromMs + 10_000; atMs <= toMs; atMs += 10_000) {
      for (; writtenMs < atMs; writtenMs += chunkMs) {
        await writeHealthy(engine, { seed: stretch, fromMs: writtenMs, toMs: writtenMs + chunkMs, originMs: fromMs })
      }
      const [before, engineBefore] = [ownUsage(), engine.cpuUs()]
      const { opened, reopened } = await step(engine.store, lease, atMs, { nowMs: atMs + 10_000, lasting })
      nodeUs += usedBetween(before, ownUsage()).cpuUs
      engineUs += engine.cpuUs() - engineBefore
      steps += 1
      judgedMs += 10_000
      if (opened + reopened > 0) {
        const rows = await engine.store.postgres.selectFrom('incidents').selectAll().execute()
        const last = rows
          .toSorted((a, b) => b.updated_at.getTime() - a.updated_at.getTime())
          .slice(0, opened + reopened)
        for (const { title, anomalies } of last) {
          found.push({ stretch, atMs: atMs - fromMs, told: `${title}: ${JSON.stringify(anomalies)}` })
          progress(`false, stretch ${stretch}, ${(atMs - fromMs) / 60_000} min: ${title}: ${JSON.stringify(anomalies)}`)
        }
      }
      if (steps % 90 === 0) progress(`${(judgedMs / 3_600_000).toFixed(2)} hours: ${found.length} false incidents`)
    }
  }
  const days = judgedMs / (24 * 3_600_000)
  const rows: Row[] = [
    judged('false_alarms', found.length / days, 'a day', { atMost: goalPerDay }),
    told('false_alarms_found', found.length, 'incidents'),
    told('false_alarms_hours', judgedMs / 3_600_000, 'hours replayed'),
    told('false_alarms_step_cpu_ms', nodeUs / 1_000 / steps, 'ms of Node a step'),
    told('false_alarms_step_engine_ms', engineUs / 1_000 / steps, 'ms of the engine a step'),
  ]
  return rows
}

/**
 * Calls of some time, added up as settling does. Chance is a hash of the seed, so that a stretch can be repeated. Each series has its own
 * load (some have a call a minute, some five a second), share of errors and time; its time of day depends on the seed.
 */
async function writeHealthy(
  engine: Engine,
  { seed, fromMs, toMs, originMs }: { seed: number; fromMs: number; toMs: number; originMs: number },
): Promise<void> {
  const [fromS, windows] = [fromMs / 1_000, (toMs - fromMs) / 10_000]
  // Uniform from 0 to 1, and nearly normal: a sum of four.
  const uniform = (...of: (string | number)[]): string =>
    `(cityHash64(${[seed, ...of].join(', ')}) / 18446744073709551616)`
  const normal = (...of: (string | number)[]): string =>
    `((${[1, 2, 3, 4].map((part) => uniform(...of, part)).join(' + ')} - 2) * sqrt(3))`
  const sinceS = `(second - ${originMs / 1_000})`
  // Once in two hours there is two to three times the load for six minutes, and every eighth service has a new version each hour.
  const isSpike = `(modulo(toInt64(${sinceS} + 7200 + ${seed * 977}), 7200) < 360)`
  const spike = `if(${isSpike}, 2 + ${uniform("'spike'", `intDiv(second, 7200)`)}, 1)`
  const day = `sin(2 * pi() * (${sinceS} + ${seed * 14_400}) / 86400)`
  const release = `intDiv(toInt64(${sinceS} + 86400 + service * 411), 3600)`
  const sinceRelease = `modulo(toInt64(${sinceS} + 86400 + service * 411), 3600)`
  const isReleased = `(service % 8 = ${seed % 8})`
  const table = 'chain_health_metrics_10s'
  await engine.run(`
    INSERT INTO ${table}
    SELECT
      toDateTime(second) AS Window,
      concat('service-', toString(service)) AS Service,
      if(Kind = 'peer', '', concat('GET /things/', toString(operation % ${operationsOfService}))) AS Operation,
      multiIf(operation % 40 = 7, 'peer', operation % 10 = 0, 'entry', 'sync') AS Kind,
      if(Kind = 'entry', '', concat('service-', toString(service + 1 + series % ${callersOfOperation}))) AS Caller,
      if(Kind = 'entry', '', concat('GET /things/', toString((operation * 7) % ${operationsOfService}))) AS CallerOperation,
      concat('GET /flow/', toString(operation % 40)) AS FlowName,
      if(Kind = 'peer', '', concat('1.0.', toString(if(${isReleased}, ${release}, 0)))) AS Version,
      count() AS Calls, sum(isFailed) AS Errors,
      sum(isFailed AND isOrigin) AS OriginErrors, if(Kind = 'entry', 0, Errors) AS ClientErrors,
      sum(durationNs) AS DurationNs, if(Kind = 'peer', 0, sum(selfNs)) AS SelfNs, if(Kind = 'peer', DurationNs, count() * 1000000) AS WireNs,
      sumMap(map(toUInt16(floor(log(durationNs + 1) / log(1.05))), toUInt64(1))) AS Duration,
      if(Kind = 'peer', map(toUInt16(0), count()), sumMap(map(toUInt16(floor(log(selfNs + 1) / log(1.05))), toUInt64(1)))) AS Self,
      if(Kind = 'peer', Duration, map(toUInt16(283), count())) AS Wire
    FROM (
      SELECT series, operation, service, second,
        ${uniform('series', 'second', 'call', "'fails'")} < failing AS isFailed,
        ${uniform('series', 'second', 'call', "'origin'")} < 0.5 AS isOrigin,
        toUInt64(least(3e10, usualNs * (1 + 0.15 * ${day}) * (1 + 0.15 * (${spike} - 1)) * if(${isReleased} AND ${sinceRelease} < 60, 1.1, 1)
          * exp(0.1 * ${normal('service', 'second')} + 0.4 * ${normal('series', 'second', 'call')})
          * if(${uniform('series', 'second', 'call', "'tail'")} < 0.01, pow(${uniform('series', 'second', 'call', "'far'")} + 1e-4, -0.66), 1))) AS durationNs,
        toUInt64(durationNs * (0.3 + 0.6 * ${uniform('series', 'second', 'call', "'self'")})) AS selfNs
      FROM (
        SELECT series, operation, service, second, failing, usualNs,
          load * (1 + 0.5 * ${day}) * ${spike} AS expected,
          -- Counts vary more than by chance alone.
          toUInt32(greatest(0, round(expected + sqrt(expected + expected * expected / 100) * ${normal('series', 'second', "'calls'")}))) AS callsNow
        FROM (
          SELECT number % ${seriesCount} AS series, intDiv(series, ${callersOfOperation}) AS operation,
            intDiv(operation, ${operationsOfService}) AS service, ${fromS} + intDiv(number, ${seriesCount}) * 10 AS second,
            exp(1 + 1.3 * ${normal("'load'", 'series')}) AS load,
            multiIf(series % 10 = 3, 0.02, series % 3 = 0, 0.003, 0) AS failing,
            2e7 * exp(0.9 * ${normal("'time'", 'operation')}) AS usualNs
          FROM numbers(${seriesCount * windows})
        )
      )
      ARRAY JOIN range(1, callsNow + 1) AS call
    )
    GROUP BY series, operation, service, second`)
  await engine.run(`
    INSERT INTO chain_health_metrics
    SELECT toStartOfMinute(Window) AS Minute, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version, sum(Calls), sum(Errors),
      sum(OriginErrors), sum(ClientErrors), sum(DurationNs), sum(SelfNs), sum(WireNs), sumMap(Duration), sumMap(Self), sumMap(Wire)
    FROM ${table} WHERE Window >= toDateTime(${fromS}) AND Window < toDateTime(${toMs / 1_000})
    GROUP BY Minute, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version`)
  await engine.run(`
    INSERT INTO collector_heartbeats SELECT fromUnixTimestamp64Milli(toInt64(${fromS} + number * 5) * 1000) AS At, 'bench', 1000
    FROM numbers(${windows * 2})`)
}
