// Simple rules that are told when a fault was on: what any analysis has to beat.

import type { Store } from '@headwater/store'
import * as z from 'zod'
import type { FleetEvent, Recording } from './record.ts'

/** Services, the most suspect first. */
export const rankingsSchema = z.object({ deepestFailing: z.array(z.string()), mostAbnormal: z.array(z.string()) })
export type BaselineRankings = z.infer<typeof rankingsSchema>

/** How a service did in ten seconds. */
export interface ServiceWindow {
  windowMs: number
  service: string
  calls: number
  failed: number
  meanMs: number
}

const windowMs = 10_000
/** After a fault, and while it heals, nothing is normal. */
const healsMs = 30_000

/** What the rules say of each event of a recording that is settled. */
export async function baselineRankings(store: Store, { events }: Recording): Promise<BaselineRankings[]> {
  const windows = await readServiceWindows(store)
  const normal = windows.filter((window) => !events.some((event) => touches(window, event, healsMs)))
  const rankings: BaselineRankings[] = []
  for (const event of events) {
    rankings.push({
      deepestFailing: await deepestFailing(store, event),
      mostAbnormal: mostAbnormal(
        windows.filter((window) => touches(window, event, 0)),
        normal,
      ),
    })
  }
  return rankings
}

function touches(window: ServiceWindow, { fromMs, toMs }: FleetEvent, afterMs: number): boolean {
  return window.windowMs < toMs + afterMs && window.windowMs + windowMs > fromMs
}

/** In each run that failed, the failing spans below which nothing fails: whose they are most often. */
async function deepestFailing(store: Store, { fromMs, toMs }: FleetEvent): Promise<string[]> {
  const answer = await store.clickhouse.query({
    query: `
      SELECT Service AS service, count() AS spans
      FROM (SELECT TraceId, SpanId, Service, EndNs FROM settled_spans ORDER BY Tick DESC LIMIT 1 BY TraceId, SpanId) AS spans
      INNER JOIN (
        SELECT TraceId, SpanId FROM
          (SELECT TraceId, SpanId, OriginError FROM settled_tree ORDER BY Tick DESC LIMIT 1 BY TraceId, SpanId)
        WHERE OriginError) AS deepest USING (TraceId, SpanId)
      WHERE EndNs BETWEEN {from:Int64} AND {to:Int64} AND TraceId IN (SELECT TraceId FROM chain_execution_traces WHERE Failed)
      GROUP BY service ORDER BY spans DESC, service`,
    query_params: { from: fromMs * 1e6, to: toMs * 1e6 },
    format: 'JSONEachRow',
  })
  return (await answer.json<{ service: string }>()).map(({ service }) => service)
}

async function readServiceWindows(store: Store): Promise<ServiceWindow[]> {
  const answer = await store.clickhouse.query({
    query: `
      SELECT toUnixTimestamp(toStartOfInterval(toDateTime(Time), INTERVAL 10 SECOND)) * 1000 AS windowMs, toString(Service) AS service,
        count() AS calls, countIf(Failed) AS failed, avg(DurationNs) / 1e6 AS meanMs
      FROM (SELECT * FROM chain_dependency_events ORDER BY Tick DESC LIMIT 1 BY TraceId, SpanId)
      WHERE NOT Deleted AND Kind IN ('entry', 'sync', 'async')
      GROUP BY windowMs, service`,
    format: 'JSONEachRow',
  })
  return await answer.json<ServiceWindow>()
}

/**
 * Services by how many standard deviations their mean duration or their share of failed calls lies above normal, in the mean over
 * the windows of a fault.
 */
export function mostAbnormal(faulty: readonly ServiceWindow[], normal: readonly ServiceWindow[]): string[] {
  const normalOf = Map.groupBy(normal, ({ service }) => service)
  const scores = [...Map.groupBy(faulty, ({ service }) => service)].flatMap(([service, own]) => {
    const usual = normalOf.get(service) ?? []
    const above = (signal: (window: ServiceWindow) => number, spreadMin: number): number => {
      const { mean, deviation } = momentsOf(usual.map(signal))
      return (momentsOf(own.map(signal)).mean - mean) / Math.max(deviation, spreadMin)
    }
    // Less than a millisecond or a percent is no spread to divide by.
    const score = Math.max(
      above(({ meanMs }) => meanMs, 1),
      above(({ failed, calls }) => failed / calls, 0.01),
    )
    return usual.length === 0 ? [] : [{ service, score }]
  })
  return scores.toSorted((a, b) => b.score - a.score).map(({ service }) => service)
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, deviation: Math.sqrt(variance) }
}
