// A time of the past, explained for whoever asks: chooses what counts as normal, and says plainly what came of it.
import { readIncidentRanges, type Store, type TimeRange } from '@headwater/store'
import type { PastExplanation, PastQuestion } from '@headwater/vocabulary'
import { explainRange, type RangeExplanation } from './explain-range.ts'
import { parameters } from './parameters.ts'

const minuteMs = 60_000

/** Explains whole minutes, by default against the day before without the times of incidents, or what there is of it. */
export async function explainPast(store: Store, asked: PastQuestion): Promise<PastExplanation> {
  const { recent, baseline } = timesOf(asked)
  const incidents = await readIncidentRanges(store, baseline.fromMs, recent.toMs)
  const excluded = incidents.map(({ fromMs, toMs }) => ({ fromMs: fromMs - parameters.gapMs, toMs }))
  const explanation = await explainRange(store, { recent, baseline, excluded })
  // Who asks whom to blame has a suspect in any time. Without a finding that chance cannot explain, there is nothing to blame for.
  const told = explanation.state === 'explained' && explanation.told.anomalies.length > 0 ? explanation.told : undefined
  return {
    state: explanation.state === 'explained' && told === undefined ? 'normal' : explanation.state,
    summary: `${summaryOf(explanation)}${leftOutOf(explanation)}`,
    from: iso(recent.fromMs),
    to: iso(recent.toMs),
    baselineFrom: iso(baseline.fromMs),
    baselineTo: iso(baseline.toMs),
    baselineMinutes: explanation.baselineMinutes,
    told: told === undefined ? null : toldOf(told),
    leftOut: { series: explanation.seriesLeftOut, logsOfCalls: explanation.logged.leftOut },
  }
}

/** Widens the time that is asked about to whole minutes, and narrows what counts as normal. */
export function timesOf({ fromMs, toMs, baselineFromMs, baselineToMs }: PastQuestion): {
  recent: TimeRange
  baseline: TimeRange
} {
  const recent = { fromMs: down(fromMs), toMs: up(toMs) }
  const normalToMs = baselineToMs === undefined ? recent.fromMs : down(baselineToMs)
  const normalFromMs = baselineFromMs === undefined ? normalToMs - parameters.longBaselineMs : up(baselineFromMs)
  return { recent, baseline: { fromMs: normalFromMs, toMs: normalToMs } }
}

function toldOf({
  sinceMs,
  ...told
}: Extract<RangeExplanation, { state: 'explained' }>['told']): PastExplanation['told'] {
  return { ...told, since: iso(sinceMs) }
}

function summaryOf(explanation: RangeExplanation): string {
  const { operations, calls, comparable, baselineCalls, baselineMinutes } = explanation
  const normal = `${minutes(baselineMinutes)} as normal`
  switch (explanation.state) {
    case 'explained': {
      const { title, causes, noCauseReason, anomalies } = explanation.told
      if (anomalies.length === 0) return `${normality(explanation)} by more than chance. What differs most: ${title}.`
      if (causes.length === 0) return noCauseReason ?? title
      return `${title}: ${Math.floor(explanation.confidence * 100)} % sure, with ${normal}.`
    }
    case 'normal':
      return `${normality(explanation)}.`
    case 'not-enough-data':
      if (calls === 0) return 'Not enough data: no call is known from this time.'
      if (baselineCalls === 0) return 'Not enough data: no call is known from the time that should count as normal.'
      return (
        `Not enough data: ${count(calls, 'call')} of ${count(operations, 'operation')} are known, and ${comparable === 0 ? 'none' : comparable} of these operations ` +
        `was called at least ${parameters.blame.callsMin} times then and ${parameters.blame.baselineCallsMin} times in ${normal}.`
      )
  }
}

/** What was too much to be looked at, in sentences; empty where it was nothing. */
export function leftOutOf({
  seriesLeftOut,
  logged: { calls, leftOut },
}: Pick<RangeExplanation, 'seriesLeftOut' | 'logged'>): string {
  const ofSeries = ` There were ${seriesLeftOut} series too many to look at, so it may lie in one that is seldom called.`
  const percent = Math.round((100 * (calls - leftOut)) / Math.max(1, calls))
  const share = percent < 1 ? 'less than 1' : `about ${percent}`
  const ofLogs = ` What ${share} % of the calls logged was looked at, those of the services whose log has changed most; a change in others, or in a line that is seldom written, may be missed.`
  return `${seriesLeftOut === 0 ? '' : ofSeries}${leftOut === 0 ? '' : ofLogs}`
}

function normality({ calls, operations, baselineMinutes }: RangeExplanation): string {
  return `${count(calls, 'call')} of ${count(operations, 'operation')} were compared with ${minutes(baselineMinutes)} as normal: nothing departs from it`
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function minutes(n: number): string {
  return n < 120 ? count(n, 'minute') : `${Math.round(n / 60)} hours`
}

function down(ms: number): number {
  return Math.floor(ms / minuteMs) * minuteMs
}

function up(ms: number): number {
  return Math.ceil(ms / minuteMs) * minuteMs
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
