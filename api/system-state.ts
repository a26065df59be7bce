import type { KnownCalls } from '@headwater/store'

/** How the whole system is, in a word and a sentence. */
export interface SystemState {
  state: 'incidents' | 'normal' | 'not-enough-data'
  summary: string
}

/** Settling further behind than this says nothing of now. */
const behindMs = 60_000

/** What counts as now, up to what is settled: what the analyzer judges, and the gap before it. */
export const recentMs = 40_000

/**
 * What can be said of now: incidents (open, or resolved by somebody while they go on), that none is open although some could be, or
 * that nobody can tell, and why. What calls are like is judged by the analyzer, not here.
 */
export function systemStateOf(
  { open: openIncidents, closed }: { open: number; closed: number },
  known: KnownCalls,
  nowMs: number,
): SystemState {
  const { settledMs, operations, comparable, callsNow, callsBefore, lastMs } = known
  if (openIncidents > 0) {
    return {
      state: 'incidents',
      summary: openIncidents === 1 ? 'One incident is open.' : `${openIncidents} incidents are open.`,
    }
  }
  const unknown = (summary: string): SystemState => ({
    state: 'not-enough-data',
    summary: `Not enough data yet: ${summary}`,
  })
  if (closed > 0) {
    return {
      state: 'incidents',
      summary: `No incident is open. ${closed === 1 ? 'One goes on' : `${closed} go on`} that somebody has resolved.`,
    }
  }
  if (settledMs === null) return unknown('no spans have come, or no analyzer runs. `headwater doctor` tells which.')
  if (nowMs - settledMs > behindMs) {
    return unknown(`what came after ${iso(settledMs)} is not analyzed. Does an analyzer run?`)
  }
  if (lastMs === null) return unknown('no call has come in the last hour.')
  if (callsNow === 0) {
    return unknown(`no call has come since ${iso(lastMs)}. A system that stops wholly looks like one without users.`)
  }
  if (comparable === 0) {
    return unknown(
      `${callsNow + callsBefore} calls of ${operations} operations have come, and none that is called now was called eight times before: what is normal takes a minute or two to learn.`,
    )
  }
  return {
    state: 'normal',
    summary: `No incident is open: ${callsNow} calls are of the ${recentMs / 1_000} s up to ${iso(settledMs)}, and ${comparable} of the ${operations} operations of the last hour were called then, and often enough before to tell.`,
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
