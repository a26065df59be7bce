import type { Engine } from '../ingest/engine.ts'

/** So many operations has a service, and so many operations call each of them. */
const [operationsOfService, callersOfOperation] = [25, 2]
const windowMs = 10_000

export interface SeriesOptions {
  series: number
  /** Whole windows, the last of which ends at `toMs`. */
  windows: number
  toMs: number
}

/**
 * States as settling would have written them: `series` of them, each with calls in every window, a few errors, and three sizes of
 * durations. Nothing is wrong with any.
 */
export async function writeSeries(engine: Engine, { series, windows, toMs }: SeriesOptions): Promise<void> {
  const endS = Math.floor(toMs / 1_000)
  const batch = 2_000_000
  for (let from = 0; from < series * windows; from += batch) {
    const rows = Math.min(batch, series * windows - from)
    await engine.run(`
      INSERT INTO chain_health_metrics_10s
      SELECT
        toDateTime(${endS} - ${windowMs / 1_000} * (1 + intDiv(number, ${series}))) AS Window,
        concat('service-', toString(intDiv(operation, ${operationsOfService}))) AS Service,
        concat('GET /things/', toString(operation % ${operationsOfService})) AS Operation,
        'call' AS Kind,
        concat('service-', toString(caller)) AS Caller,
        concat('GET /things/', toString(operation % ${operationsOfService})) AS CallerOperation,
        concat('GET /flow/', toString(operation % 40)) AS FlowName,
        '1.0.0' AS Version,
        20 + cityHash64(number, 1) % 20 AS Calls,
        cityHash64(number, 2) % 50 = 0 AS Errors,
        Errors AS OriginErrors,
        Errors AS ClientErrors,
        Calls * 20000000 AS DurationNs,
        Calls * 8000000 AS SelfNs,
        Calls * 1000000 AS WireNs,
        map(toUInt16(335 + cityHash64(number, 3) % 3), toUInt64(Calls - 3), toUInt16(345), 2::UInt64, toUInt16(355), 1::UInt64) AS Duration,
        map(toUInt16(315 + cityHash64(number, 4) % 3), toUInt64(Calls - 3), toUInt16(325), 2::UInt64, toUInt16(335), 1::UInt64) AS Self,
        map(toUInt16(280), toUInt64(Calls)) AS Wire
      FROM (
        SELECT number, intDiv(number % ${series}, ${callersOfOperation}) AS operation,
          intDiv(operation, ${operationsOfService}) + 1 + number % ${callersOfOperation} AS caller
        FROM numbers(${from}, ${rows})
      )`)
  }
  await engine.run(`
    INSERT INTO collector_heartbeats SELECT fromUnixTimestamp64Milli(toInt64(${endS} - number * 5) * 1000) AS At, 'bench', 1000
    FROM numbers(${(windows * windowMs) / 5_000})`)
}
