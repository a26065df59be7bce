import type { Engine } from '../ingest/engine.ts'

/** So many operations has a service, and so many operations call each of them. */
export const [operationsOfService, callersOfOperation] = [25, 2]

export interface SeriesOptions {
  series: number
  /** States end here, in whole minutes before it. */
  toMs: number
  /** How far back they go. */
  forMs: number
  /** One service of which every other call fails in the last time before the end. */
  failing?: { service: number; forMs: number }
}

/**
 * States as settling would have written them: so many series, each with calls in every window, some errors, and histograms of five
 * or six sizes. One operation of ten is slow, as usual, and one of forty answers without a span. Nothing is wrong with
 * any. Windows of ten seconds are there where a step reads them rather than their minutes; of the others there is one series, so
 * that they count as time that is known.
 */
export async function writeSeries(engine: Engine, { series, toMs, forMs, failing }: SeriesOptions): Promise<void> {
  const endS = Math.floor(toMs / 1_000)
  const minutes = Math.ceil(forMs / 60_000)
  const tens = minutes * 6
  const edge = 12
  await writeWindows(engine, { table: 'chain_health_metrics', windowS: 60, series, endS, windows: minutes })
  for (const [fromEndS, windows] of [
    [endS, edge],
    [endS - (tens - edge) * 10, edge],
  ] as const) {
    await writeWindows(engine, {
      table: 'chain_health_metrics_10s',
      windowS: 10,
      series,
      endS: fromEndS,
      windows,
      failing: failing && { service: failing.service, fromS: endS - failing.forMs / 1_000 },
    })
  }
  const between = { endS: endS - edge * 10, windows: tens - 2 * edge }
  await writeWindows(engine, { table: 'chain_health_metrics_10s', windowS: 10, series: 1, ...between })
  await engine.run(`
    INSERT INTO collector_heartbeats SELECT fromUnixTimestamp64Milli(toInt64(${endS} - number * 5) * 1000) AS At, 'bench', 1000
    FROM numbers(${tens * 2})`)
}

/** The same series in some minutes of the past, of which only minutes are kept. */
export async function writePastMinutes(
  engine: Engine,
  { series, toMs, minutes }: { series: number; toMs: number; minutes: number },
): Promise<void> {
  const endS = Math.floor(toMs / 60_000) * 60
  await writeWindows(engine, { table: 'chain_health_metrics', windowS: 60, series, endS, windows: minutes })
}

async function writeWindows(
  engine: Engine,
  {
    table,
    windowS,
    series,
    endS,
    windows,
    failing,
  }: {
    table: string
    windowS: 10 | 60
    series: number
    endS: number
    windows: number
    failing?: { service: number; fromS: number } | undefined
  },
): Promise<void> {
  const batch = 250_000
  const times = windowS / 10
  const slower = '60 * (operation % 10 = 3)'
  const isFailing =
    failing === undefined
      ? '0'
      : `(intDiv(operation, ${operationsOfService}) = ${failing.service} AND Kind != 'peer' AND Window >= toDateTime(${failing.fromS}))`
  for (let from = 0; from < series * windows; from += batch) {
    const rows = Math.min(batch, series * windows - from)
    await engine.run(`
      INSERT INTO ${table}
      SELECT
        toDateTime(${endS} - ${windowS} * (1 + intDiv(number, ${series}))) AS Window,
        concat('service-', toString(intDiv(operation, ${operationsOfService}))) AS Service,
        if(Kind = 'peer', '', concat('GET /things/', toString(operation % ${operationsOfService}))) AS Operation,
        if(operation % 40 = 7, 'peer', 'sync') AS Kind,
        concat('service-', toString(caller)) AS Caller,
        concat('GET /things/', toString(operation % ${operationsOfService})) AS CallerOperation,
        concat('GET /flow/', toString(operation % 40)) AS FlowName,
        '1.0.0' AS Version,
        (20 + cityHash64(number, 1) % 20) * ${times} AS Calls,
        if(${isFailing}, intDiv(Calls, 2), cityHash64(number, 2) % 50 < ${times}) AS Errors,
        Errors AS OriginErrors,
        Errors AS ClientErrors,
        Calls * 20000000 AS DurationNs,
        Calls * 8000000 AS SelfNs,
        Calls * 1000000 AS WireNs,
        map(toUInt16(325 + ${slower}), 1::UInt64, toUInt16(330 + ${slower}), 1::UInt64,
          toUInt16(335 + ${slower} + cityHash64(number, 3) % 3), toUInt64(Calls - 6),
          toUInt16(339 + ${slower} + cityHash64(number, 3) % 3), 1::UInt64,
          toUInt16(345 + ${slower}), 2::UInt64, toUInt16(355 + ${slower}), 1::UInt64) AS Duration,
        map(toUInt16(315 + ${slower} + cityHash64(number, 4) % 3), toUInt64(Calls - 5),
          toUInt16(320 + ${slower}), 2::UInt64, toUInt16(325 + ${slower}), 2::UInt64, toUInt16(335 + ${slower}), 1::UInt64) AS Self,
        map(toUInt16(280), toUInt64(Calls)) AS Wire
      FROM (
        SELECT number, intDiv(number % ${series}, ${callersOfOperation}) AS operation,
          intDiv(operation, ${operationsOfService}) + 1 + number % ${callersOfOperation} AS caller
        FROM numbers(${from}, ${rows})
      )`)
  }
}
