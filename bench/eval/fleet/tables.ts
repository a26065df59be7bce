import { medianInterval } from '../../interval.ts'
import { median } from '../../median.ts'
import type { ScoreRow } from '../evaluation.ts'
import { poissonInterval } from '../poisson.ts'
import { hitsAt, shareRow } from '../ranking.ts'
import { resampledMean } from '../resampled-mean.ts'
import type { FaultScore, RecordingScore } from './score-recording.ts'
import type { ShareError } from './true-impact.ts'

const goals = { at1: 0.95, impactPoints: 3, explainS: 20, falseIncidents: 0 }
const set = 'live fleet'

/** The rows of the scoreboard. */
export function rowsOf(scores: readonly RecordingScore[]): ScoreRow[] {
  const faults = scores.flatMap((score) => score.faults)
  const causes = { id: 'fleet_at1', set, measure: 'first cause is the faulty service', goal: goals.at1 }
  return [
    shareRow({ ...causes, floor: 'deepest failing span' }, faults, (ranking, culprits) => hitsAt(ranking, culprits, 1)),
    impactRow(faults),
    explainRow(faults),
    falseRow(scores),
  ]
}

function impactRow(faults: readonly FaultScore[]): ScoreRow {
  const points = faults.filter(({ shares }) => shares.length > 0).map(({ shares }) => pointsOff(shares))
  const value = meanOf(points)
  return {
    id: 'fleet_impact_error',
    set,
    measure: 'points by which the share of a flow that is hit is off, mean over its flows and then over faults',
    value,
    ...resampledMean(points),
    n: points.length,
    floor: null,
    baselines: {
      'counted since the onset as told': meanOf(
        faults
          .filter(({ sharesSinceTold }) => sharesSinceTold.length > 0)
          .map((fault) => pointsOff(fault.sharesSinceTold)),
      ),
      'nothing told': meanOf(
        faults
          .filter(({ shares }) => shares.length > 0)
          .map(({ shares }) => pointsOff(shares.map((share) => ({ ...share, told: 0 })))),
      ),
    },
    goal: `≤ ${goals.impactPoints}`,
    met: value <= goals.impactPoints,
  }
}

/** Mean absolute error in points of a hundred. */
export function pointsOff(shares: readonly ShareError[]): number {
  return 100 * meanOf(shares.map((share) => Math.abs(share.told - share.true)))
}

function explainRow(faults: readonly FaultScore[]): ScoreRow {
  // What is never explained takes longer than anything that is.
  const seconds = faults.map(({ verdict }) => (verdict.explainedAfterMs ?? Infinity) / 1_000)
  const { low, middle: value, high } = medianInterval(seconds)
  return {
    id: 'fleet_explain_s',
    set,
    measure: 'seconds from a fault to an open incident with causes, median',
    value,
    low,
    high,
    n: seconds.length,
    floor: null,
    baselines: {},
    goal: `≤ ${goals.explainS}`,
    met: value <= goals.explainS,
  }
}

function falseRow(scores: readonly RecordingScore[]): ScoreRow {
  const value = scores.reduce((sum, { falseIncidents }) => sum + falseIncidents.length, 0)
  const hours = scores.reduce((sum, { healthyMs }) => sum + healthyMs, 0) / 3_600_000
  const harmless = scores.reduce((sum, score) => sum + score.harmless, 0)
  return {
    id: 'fleet_false_incidents',
    set,
    measure: `incidents in ${hours.toFixed(2)} healthy hours with ${harmless} deploys and load spikes`,
    value,
    ...poissonInterval(value),
    n: harmless,
    floor: null,
    baselines: {},
    goal: `≤ ${goals.falseIncidents}`,
    met: value <= goals.falseIncidents,
  }
}

/** Every fault, then those that are left out, then incidents that should not be. */
export function faultTable(scores: readonly RecordingScore[]): string {
  const lines = scores.flatMap(({ faults, leftOut }) => [
    ...faults.map((fault) => faultLine(fault, '')),
    ...leftOut.map((fault) => faultLine(fault, 'left out: the machine stood still')),
  ])
  const times = Map.groupBy(
    scores.flatMap(({ faults }) => faults),
    ({ kind }) => kind,
  )
  const byKind = [...times].map(([kind, own]) => {
    const seconds = own.map(({ verdict }) => (verdict.explainedAfterMs ?? Infinity) / 1_000)
    const points = own.filter(({ shares }) => shares.length > 0).map(({ shares }) => pointsOff(shares))
    return `| ${kind} | ${own.length} | ${shownSeconds(median(seconds))} | ${shownSeconds(Math.max(...seconds))} | ${meanOf(points).toFixed(1)} |`
  })
  const wrong = scores.flatMap(({ name, falseIncidents }) =>
    falseIncidents.map(({ told, afterMs }) => `  ${name}, after ${Math.round(afterMs / 1_000)} s: ${told.title}`),
  )
  return [
    '| kind | n | explained after s, median | longest | points off |',
    '|---|---|---|---|---|',
    ...byKind,
    '',
    '| fault | first cause | first said | explained after s | flows: told, true % | other incidents | |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    ...(wrong.length === 0 ? [] : ['', 'Incidents in healthy time:', ...wrong]),
  ].join('\n')
}

function faultLine({ name, verdict, shares, culprits }: FaultScore, remark: string): string {
  const [cause] = verdict.told?.causes ?? []
  const said = cause === undefined ? 'none' : `${cause.service} ${cause.operation}, ${cause.kind}`
  const isRight = cause !== undefined && culprits.includes(cause.service)
  const after = verdict.isFromBefore
    ? 'open before'
    : verdict.explainedAfterMs === undefined
      ? ''
      : (verdict.explainedAfterMs / 1_000).toFixed(1)
  const flows = shares.map((share) => `${share.flow} ${percent(share.told)}, ${percent(share.true)}`).join('; ')
  return `| ${[name, `${isRight ? '' : 'WRONG '}${said}`, verdict.firstSaid ?? '', after, flows, verdict.others, remark].join(' | ')} |`
}

function shownSeconds(seconds: number): string {
  return Number.isFinite(seconds) ? seconds.toFixed(1) : 'never'
}

function percent(share: number): string {
  return (100 * share).toFixed(0)
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
