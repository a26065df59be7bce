// Which flows that begin where an incident is lack runs, and what else than the incident could explain that: collectors, users who
// left, flows with a new name. Where one of these could, it is told that nobody knows.
import {
  readRunCounts,
  readRunUsers,
  type RunCounts,
  type RunUsers,
  type Store,
  tenSecondsOf,
  type TimeRange,
  wasReceived,
  type Windows,
} from '@headwater/store'
import type { MissingRuns, MissingUnknown, WhyUnknown } from '@headwater/vocabulary'
import { type CountedWindow, judgeMissing, type MissingCount, type MissingJudgement } from './missing-runs.ts'
import { parameters } from './parameters.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

const { missing } = parameters
const minuteMs = 60_000

/** States of ten seconds are kept for an hour; before that, only whole minutes are known. */
const tenSecondsKnownMs = 50 * minuteMs

/** The most flows of which it is asked whose runs are missing; those that lack most come first. */
const flowsMax = 100

export interface MissingOf {
  /** By flow. */
  missing: Map<string, MissingRuns>
  unknown: MissingUnknown[]
  /** Pairs of flows and services that were too many to look at. */
  leftOut: number
}

/**
 * What is missing, from the onset to `untilMs`, of the flows that begin at a service that the incident touches. Flows that neither begin
 * there nor pass it tell how the load changes.
 */
export async function readMissingRuns(
  store: Store,
  {
    sinceMs,
    untilMs,
    normal,
    touched,
    touchedFlows,
  }: {
    sinceMs: number
    untilMs: number
    normal: Windows
    touched: ReadonlySet<string>
    /** Flows that pass what is touched. */
    touchedFlows: ReadonlySet<string>
  },
): Promise<MissingOf> {
  const none = { missing: new Map<string, MissingRuns>(), unknown: [], leftOut: 0 }
  const range = judgedRange(sinceMs, untilMs)
  const beforeS = usualMinutes(normal, sinceMs - parameters.gapMs)
  if (beforeS.length === 0 || range.toMs - range.fromMs < missing.timeMinMs) return none
  const recent = tenSecondsOf(range)
  const { counts, leftOut } = await readRunCounts(store, { recent, before: minutesFrom(beforeS) })
  // Before anything was received there was no usual minute, and the first one is only a part.
  const known = beforeS.filter((second) => counts.some(({ before }) => before[second] !== undefined))
  const minutes = known.slice(known.length === beforeS.length ? 0 : 1)
  const untouched = counts.filter(({ flow, service }) => !touched.has(service) && !touchedFlows.has(flow))
  const times = { recent: windowsIn(recent), minutes, untouched }
  const judged = counts
    .filter(({ service }) => touched.has(service))
    .map((of) => ({ of, judgement: judgeMissing(countsOf(of, times)) }))
    .filter(({ judgement: { state } }) => state !== 'came')
  if (judged.length === 0) return { ...none, leftOut }
  const explained = await explainedOtherwise(store, { range, judged, counts, times })
  return { ...inWords(judged, explained, range), leftOut }
}

/** As long after the onset as the load before it says anything; whole minutes where nothing finer is known any more. */
function judgedRange(sinceMs: number, untilMs: number): TimeRange {
  const toMs = Math.min(untilMs, sinceMs + missing.horizonMs)
  if (untilMs - sinceMs < tenSecondsKnownMs) return { fromMs: sinceMs, toMs }
  return { fromMs: Math.ceil(sinceMs / minuteMs) * minuteMs, toMs: Math.floor(toMs / minuteMs) * minuteMs }
}

/** The begins, in seconds, of the last whole usual minutes before a time, the latest last. */
function usualMinutes({ minutes }: Windows, beforeMs: number): number[] {
  const fromS = (beforeMs - 2 * missing.pastMs) / 1_000
  return minutes
    .flatMap(([from, to]) => Array.from({ length: (to - from) / 60 }, (_, i) => from + i * 60))
    .filter((second) => second >= fromS && second * 1_000 + minuteMs <= beforeMs)
    .toSorted((a, b) => a - b)
    .slice(-missing.pastMs / minuteMs)
}

function minutesFrom(seconds: readonly number[]): Windows {
  return { minutes: seconds.map((second) => [second, second + 60] as const), tenSeconds: [] }
}

interface Times {
  recent: { second: number; seconds: number }[]
  minutes: number[]
  untouched: RunCounts[]
}

function windowsIn({ minutes, tenSeconds }: Windows): Times['recent'] {
  const each = (ranges: Windows['minutes'], seconds: number): Times['recent'] =>
    ranges.flatMap(([from, to]) =>
      Array.from({ length: (to - from) / seconds }, (_, i) => ({ second: from + i * seconds, seconds })),
    )
  return [...each(minutes, 60), ...each(tenSeconds, 10)].toSorted((a, b) => a.second - b.second)
}

function countsOf(of: RunCounts, { recent, minutes, untouched }: Times): Parameters<typeof judgeMissing>[0] {
  const windowOf = (part: 'before' | 'recent', second: number, seconds: number): CountedWindow => ({
    seconds,
    runs: of[part][second] ?? 0,
    untouched: untouched.reduce((sum, other) => sum + (other[part][second] ?? 0), 0),
  })
  return {
    before: minutes.map((second) => windowOf('before', second, 60)),
    recent: recent.map(({ second, seconds }) => windowOf('recent', second, seconds)),
    beforeMeanNs: of.beforeMeanNs,
    recentMeanNs: of.recentMeanNs,
  }
}

interface Judged {
  of: RunCounts
  judgement: MissingJudgement
}

/** Of which flows something else explains what is missing, or could. */
async function explainedOtherwise(
  store: Store,
  { range, judged, counts, times }: { range: TimeRange; judged: readonly Judged[]; counts: RunCounts[]; times: Times },
): Promise<(flow: string) => WhyUnknown | undefined> {
  const lacking = judged
    .flatMap(({ of, judgement }) => (judgement.state === 'missing' ? [{ of, count: judgement }] : []))
    .toSorted((a, b) => b.count.runs - a.count.runs)
  if (lacking.length === 0) return () => undefined
  const asked = { fromMs: range.fromMs - minuteMs, toMs: range.toMs }
  if (!(await wasReceived(store, asked, { lostShareMax: missing.lostShareMax }))) return () => 'not-received'
  const told = lacking.slice(0, flowsMax)
  const latest = times.minutes.slice(-missing.levelMinutes)
  const users = await readRunUsers(store, {
    flows: told.map(({ of, count }) => ({ flow: of.flow, recentToMs: range.fromMs + count.seconds * 1_000 })),
    recentFromMs: range.fromMs,
    before: { fromMs: (latest[0] ?? 0) * 1_000, toMs: (latest.at(-1) ?? 0) * 1_000 + minuteMs },
    few: missing.usersLeftMax,
  })
  const ofFlow = new Map(users.map((one) => [one.flow, one]))
  const why = new Map(
    told.map(({ of, count }): [string, WhyUnknown | undefined] => [
      of.flow,
      explainedByNames(of, lacking, { counts, times }) ?? explainedByWhose(count, ofFlow.get(of.flow)),
    ]),
  )
  // Where no user is known it counts that others who begin there lack runs for certain, or that all do.
  const lacks = (service: string): boolean =>
    told.some(({ of }) => of.service === service && why.get(of.flow) === undefined) ||
    (told.filter(({ of }) => of.service === service).length > 1 &&
      counts.every(
        ({ flow, service: at, before }) =>
          at !== service || lacking.some(({ of }) => of.flow === flow) || sumOf(before) < missing.dueMin,
      ))
  for (const { of } of told) if (why.get(of.flow) === 'unknown-users' && lacks(of.service)) why.set(of.flow, undefined)
  return (flow) => (why.has(flow) ? why.get(flow) : 'unknown-users')
}

/**
 * Whether somebody samples since, and says so in no span: then only the smallest trace IDs are left. And whether a few users who left
 * explain it: then what is left of the flow without them lacks nothing.
 */
function explainedByWhose({ expected, dispersion }: MissingCount, users: RunUsers | undefined): WhyUnknown | undefined {
  if (users !== undefined && isSampled(users)) return 'sampled'
  if (users === undefined || users.beforeOfUsers < users.before / 2) return 'unknown-users'
  const { before, recent, beforeOfFew, recentOfFew } = users
  const due = expected * (1 - beforeOfFew / before)
  const came = recent - recentOfFew
  const pValue = negativeBinomialAtMost({ k: Math.round(came), expected: due, dispersion })
  return due - came >= due * missing.shareMin && pValue <= missing.pValueMax ? undefined : 'few-users'
}

/** Whether there are fewer large trace IDs than before, by four standard deviations of what chance leaves of half of them. */
function isSampled({ beforeIds, recentIds, beforeLargeIds, recentLargeIds }: RunUsers): boolean {
  return recentLargeIds.some((large, way) => {
    const [now, usual] = [large / recentIds, (beforeLargeIds[way] ?? 0) / beforeIds]
    return usual - now > 2 / Math.sqrt(recentIds)
  })
}

/** Whether flows that hardly were there before have as many runs: the same flow elsewhere, or others instead of all that lack some. */
function explainedByNames(
  { flow, service }: RunCounts,
  lacking: readonly { of: RunCounts; count: MissingCount }[],
  { counts, times }: { counts: RunCounts[]; times: Times },
): WhyUnknown | undefined {
  const seconds = times.recent.reduce((sum, window) => sum + window.seconds, 0)
  const gained = (of: RunCounts): number => {
    const recent = sumOf(of.recent)
    const usual = (sumOf(of.before) / Math.max(1, times.minutes.length) / 60) * seconds
    return usual <= recent * missing.newPartMax ? recent - usual : 0
  }
  const others = counts.filter((of) => of.flow !== flow || of.service !== service)
  const own = others.filter((of) => of.flow === flow).reduce((sum, of) => sum + gained(of), 0)
  const foreign = others.filter((of) => of.flow !== flow).reduce((sum, of) => sum + gained(of), 0)
  const ownLack = lacking.find(({ of }) => of.flow === flow && of.service === service)?.count.runs ?? 0
  const allLack = lacking.reduce((sum, { count }) => sum + count.runs, 0)
  return own >= ownLack * missing.newShareMin || foreign >= allLack * missing.newShareMin ? 'other-names' : undefined
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, runs) => sum + runs, 0)
}

function inWords(
  judged: readonly Judged[],
  explained: (flow: string) => WhyUnknown | undefined,
  { fromMs }: TimeRange,
): Pick<MissingOf, 'missing' | 'unknown'> {
  const told = new Map<string, MissingRuns>()
  const unknown: MissingUnknown[] = []
  for (const { of, judgement } of judged) {
    if (judgement.state === 'came') continue
    const { expected, seen } = judgement
    const why = judgement.state === 'unknown' ? judgement.why : explained(of.flow)
    if (why !== undefined || judgement.state === 'unknown') {
      unknown.push({ flow: of.flow, expected, seen, why: why ?? 'uneven-past' })
      continue
    }
    const { runs, low, high, cameLater, seconds, pValue } = judgement
    const [from, to] = [fromMs, fromMs + seconds * 1_000].map((ms) => new Date(ms).toISOString())
    // Of a flow that begins at several services, those of one are told, where most lack.
    if ((told.get(of.flow)?.runs ?? 0) >= runs) continue
    told.set(of.flow, { runs, low, high, cameLater, expected, seen, from: from ?? '', to: to ?? '', pValue })
  }
  const untold = new Map(unknown.filter(({ flow }) => !told.has(flow)).map((one) => [one.flow, one]))
  return { missing: told, unknown: [...untold.values()].slice(0, flowsMax) }
}
