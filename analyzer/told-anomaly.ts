import type { TimeRange } from '@headwater/store'
import { type Anomaly, seriesPath } from '@headwater/vocabulary'
import { nameOf } from './cause.ts'
import type { Finding } from './detect.ts'
import { smallestEffect } from './minimum-detectable.ts'
import type { Picture } from './picture.ts'

/** The times that findings compare. */
export interface Compared {
  recent: TimeRange
  baseline: TimeRange
  /** Who is to blame is judged by this; by default the recent time. */
  blamed?: TimeRange
}

/** A finding as it is told: names, since when, what else would have shown, and where its numbers come from. */
export function toAnomaly(
  finding: Finding,
  { sinceMs, known, compared }: { sinceMs: number; known: Picture; compared: Compared },
): Anomaly {
  const {
    signal,
    operation,
    caller,
    callerOperation,
    expected,
    seen,
    unit,
    pValue,
    calls,
    baselineCalls,
    sameTime,
    isOfSeason,
  } = finding
  return {
    service: nameOf(finding.service),
    operation,
    ...(caller === undefined ? {} : { caller: nameOf(caller) }),
    ...(callerOperation === undefined ? {} : { callerOperation }),
    signal,
    since: new Date(sinceMs).toISOString(),
    expected,
    seen,
    unit,
    pValue,
    calls,
    baselineCalls,
    minimumDetectable: smallestEffect(finding, known) ?? null,
    ...(isOfSeason === undefined ? {} : { isOfSeason }),
    ...(sameTime === undefined ? {} : { sameTime }),
    query: queryOf(finding, compared),
  }
}

/** Where the series behind a finding can be read; null for what spans logged, of which no series is kept. */
export function queryOf(
  { signal, service, operation, caller, callerOperation, slowNs, compared }: Finding,
  times: Pick<Compared, 'recent' | 'baseline'>,
): string | null {
  const { recent, baseline } = compared ?? times
  if (signal === 'logs' || signal === 'fan-out' || signal === 'cache-misses' || signal === 'traffic') {
    return null
  }
  return seriesPath({
    service,
    // The operation of an edge only says which of the callee's answers it most.
    operation: caller !== undefined || signal === 'silence' ? '' : operation,
    caller,
    callerOperation,
    signal,
    fromMs: recent.fromMs,
    toMs: recent.toMs,
    baselineFromMs: baseline.fromMs,
    baselineToMs: baseline.toMs,
    slowNs,
  })
}
