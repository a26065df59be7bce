import type { Histogram } from '@headwater/vocabulary'
import type { Store } from '../connect.ts'
import { askClickHouse } from './ask.ts'
import { quantileMs } from './histogram.ts'
import { type ServiceFilter, servicePattern } from './service-pattern.ts'
import type { Window } from './window.ts'

/** Calls into a service, or runs' calls of one flow, in one step of time. */
export interface TrafficPoint {
  /** Start of the step; RFC 3339. */
  at: string
  calls: number
  errors: number
  p50Ms: number | null
  p95Ms: number | null
  p99Ms: number | null
}

/** What of a service is looked at. */
export interface TrafficFilter extends Partial<ServiceFilter>, Window {
  operation?: string
  flow?: string
}

/** A version of a service, and how its calls went. */
export interface VersionTraffic {
  version: string
  calls: number
  errors: number
  p95Ms: number | null
  /** Minutes; RFC 3339. */
  firstSeen: string
  lastSeen: string
}

interface Row {
  at: string
  calls: number
  errors: number
  duration: Histogram
}

const sums = 'sum(Calls) AS calls, sum(Errors) AS errors, sumMap(Duration) AS duration'

/** Versions that are told at most, the latest first. */
const versionsMax = 20

/** Calls over time in whole steps of minutes; steps without calls are left out. */
export async function readTraffic(
  store: Store,
  filter: TrafficFilter & { stepMinutes: number },
): Promise<TrafficPoint[]> {
  const { condition, params } = conditionOf(filter)
  const rows = await askClickHouse<Row>(store, {
    deed: 'read calls over time',
    query: `
      SELECT toStartOfInterval(Window, toIntervalMinute({stepMinutes:UInt32})) AS at, ${sums}
      FROM chain_health_metrics WHERE ${condition} GROUP BY at ORDER BY at`,
    params: { ...params, stepMinutes: filter.stepMinutes },
  })
  return rows.map(({ duration, ...point }) => ({
    ...point,
    p50Ms: quantileMs(duration, 0.5),
    p95Ms: quantileMs(duration, 0.95),
    p99Ms: quantileMs(duration, 0.99),
  }))
}

/** The versions that answered in the window, the one that came last first. */
export async function readVersionTraffic(store: Store, filter: TrafficFilter): Promise<VersionTraffic[]> {
  const { condition, params } = conditionOf(filter)
  const rows = await askClickHouse<Omit<VersionTraffic, 'p95Ms'> & { duration: Histogram }>(store, {
    deed: 'read versions',
    query: `
      SELECT Version AS version, ${sums}, min(Window) AS firstSeen, max(Window) AS lastSeen
      FROM chain_health_metrics WHERE ${condition} AND Version != ''
      GROUP BY version ORDER BY firstSeen DESC, version DESC LIMIT {versionsMax:UInt32}`,
    params: { ...params, versionsMax },
  })
  return rows.map(({ duration, ...version }) => ({ ...version, p95Ms: quantileMs(duration, 0.95) }))
}

function conditionOf({ since, until, service, namespace, environment, operation, flow }: TrafficFilter) {
  const conditions = [
    'Window >= toStartOfMinute({since:DateTime64(3)})',
    'Window < {until:DateTime64(3)}',
    // Of a flow without a service its entries count: what its users see.
    service === undefined ? "Kind = 'entry'" : "Kind IN ('entry', 'sync', 'async')",
  ]
  if (service !== undefined) conditions.push('match(Service, {service:String})')
  if (operation !== undefined) conditions.push('Operation = {operation:String}')
  if (flow !== undefined) conditions.push('FlowName = {flow:String}')
  return {
    condition: conditions.join(' AND '),
    params: {
      since,
      until,
      ...(service !== undefined && { service: servicePattern({ service, namespace, environment }) }),
      ...(operation !== undefined && { operation }),
      ...(flow !== undefined && { flow }),
    },
  }
}
