// Explaining an incident: who is to blame, what tells bad calls from good ones, and whom it hits. The decisions are pure
// functions; this file reads what they need, in the order in which they need it.
import { isDeepStrictEqual } from 'node:util'
import {
  type Anomaly,
  attributeWords,
  type Cause,
  type Impact,
  type Replay,
  type SeenChange,
  withInterval,
} from '@headwater/vocabulary'
import {
  type BadCall,
  type Breakdown,
  type CallsInto,
  type FrequentError,
  readBadPatterns,
  readBadRuns,
  readBreakdown,
  readFrequentErrors,
  readImpact,
  readWindows,
  type Store,
  type TimeRange,
  type WindowCounts,
  type Windows,
} from '@headwater/store'
import { atRiskOf } from './at-risk.ts'
import { tellingAttribute } from './attribute.ts'
import { nameOf, type Suspect, toCauses } from './cause.ts'
import { changeEvidence, readSeenChanges } from './changes.ts'
import { confidenceOf } from './confidence.ts'
import type { Finding } from './detect.ts'
import { upstreamOf } from './graph/upstream.ts'
import type { Group } from './group.ts'
import { hitFlows } from './hit-flows.ts'
import { mendedRuns } from './mended-runs.ts'
import { noCauseReason } from './no-cause.ts'
import { onsetMs } from './onset.ts'
import { parameters } from './parameters.ts'
import type { Picture } from './picture.ts'
import { readMissingRuns } from './read-missing-runs.ts'
import { sentenceOf } from './same-time.ts'
import { type Compared, queryOf, toAnomaly } from './told-anomaly.ts'
import { isOfEntry } from './entries.ts'
import { usualEntriesOf } from './usual-entries.ts'

/** Takes note of a failure, and goes on with something else. */
export type Otherwise = <T>(value: T) => (error: unknown) => T

const fail: Otherwise = () => (error) => {
  throw error
}

/** All that is told of an incident, apart from its life cycle. */
export interface Told {
  title: string
  sinceMs: number
  causes: Cause[]
  /** How sure it is that the first cause is right, 0 to 1. */
  confidence: number
  /** Null where a cause is told. */
  noCauseReason: string | null
  impact: Impact
  anomalies: Anomaly[]
  changes: SeenChange[]
}

/**
 * Explains a group of findings by the facts since their onset. `known` is the normal picture, with paths and flows. Beside what is told it
 * gives how many pairs of flows and services were too many to look at.
 */
export async function explain(
  store: Store,
  {
    group,
    known,
    normal,
    windows,
    untilMs,
    compared,
    otherwise = fail,
    knownSinceMs,
    suspects,
  }: {
    group: Group
    known: Picture
    /** Of this time. */
    normal: Windows
    windows: WindowCounts[]
    untilMs: number
    /** What comes of it when a read fails that only says more of an incident. */
    otherwise?: Otherwise
    /** The times that the findings compare. */
    compared: Compared
    /** The onset, once an incident has one: it does not move forward. */
    knownSinceMs?: number | undefined
    /** The most suspect first. */
    suspects: Suspect[]
  },
): Promise<Told & { leftOut: number }> {
  const onsets = new Map(group.findings.map((finding) => [finding, onsetMs(finding, windows, untilMs - 30_000)]))
  const first = suspects[0]
  const ofFirst = group.findings.filter((finding) => first !== undefined && concerns(finding, first))
  const begun = ofFirst.length === 0 ? group.findings : ofFirst
  // What lasts is known to a minute only, and what is known better already stays.
  const telling = knownSinceMs === undefined ? begun : begun.filter(({ compared: own }) => own === undefined)
  const sinceMs = Math.min(knownSinceMs ?? untilMs, ...telling.map((finding) => onsets.get(finding) ?? untilMs))
  const range = { fromMs: sinceMs, toMs: untilMs }
  const told = suspects.slice(0, 3)
  // Beside errors alone, what happens to be slow is nothing of theirs.
  const isSlowness = [...group.findings, ...told.flatMap((suspect) => suspect.findings)].some(
    ({ unit }) => unit !== 'share',
  )
  const changes = await readSeenChanges(store, {
    ...range,
    // Of an incident the onset is known to ten seconds, of a time of the past it lies anywhere within.
    newUntilMs: sinceMs === compared.recent.fromMs ? untilMs : sinceMs + parameters.stepMs,
    services: [...group.services, ...suspects.map(({ service }) => service)],
  })
  const usualEntries = usualEntriesOf(known, { isSlowness })
  // The time by which suspects are judged.
  const judged = { fromMs: Math.max(sinceMs, (compared.blamed ?? compared.recent).fromMs), toMs: untilMs }
  const [impact, patterns, causes, badRuns] = await Promise.all([
    readImpact(store, {
      ...range,
      before: normal,
      badCalls: told.flatMap((suspect) => badCallsOf(suspect, known)),
      usualEntries,
      // Who shares its workers with what waits is hit, too, though it never passes the cause.
      hitEntries: group.findings.filter((finding) => isOfEntry(finding, known)),
      flows: told.flatMap((suspect) => flowsOf(suspect, known)),
    }),
    first === undefined ? [] : readBadPatterns(store, { ...range, badCalls: badCallsOf(first, known) }),
    withEvidence(
      store,
      toCauses(suspects, known, (finding) =>
        queryOf(finding, { ...compared, recent: compared.blamed ?? compared.recent }),
      ),
      told,
      { known, range, changes, findings: group.findings },
    ),
    told.length === 0
      ? []
      : readBadRuns(store, {
          ...judged,
          services: [...new Set([...group.services, ...told.map(({ service }) => service)])],
          usualEntries,
          runsMax: parameters.replay.runsMax,
        }).catch(otherwise([])),
  ])
  const replays = mendedRuns(told.slice(0, parameters.replay.suspectsMax), badRuns, { known, usualEntries })
  const reached =
    first === undefined
      ? []
      : upstreamOf(
          first.service,
          patterns.map(({ calls }) => calls),
        )
  const services = [...new Set([...group.findings.flatMap(hitServices), ...reached])].toSorted()
  const { missing, unknown, leftOut } = await readMissingRuns(store, {
    sinceMs,
    untilMs,
    normal,
    touched: new Set(services),
    touchedFlows: new Set([
      ...impact.flows.map(({ name }) => name),
      ...services.flatMap((service) => [...(known.flowsThrough.get(service) ?? [])]),
    ]),
  }).catch(otherwise({ missing: new Map(), unknown: [], leftOut: 0 }))
  return {
    title: titleOf(causes[0], group.findings),
    sinceMs,
    causes: causes.map((cause, rank) => withReplay(cause, replays[rank], judged)),
    confidence: confidenceOf(suspects),
    noCauseReason: causes.length === 0 ? noCauseReason(group.findings) : null,
    impact: {
      services: services.map(nameOf),
      flows: hitFlows(impact.flows, missing),
      ...(unknown.length === 0 ? {} : { missingUnknown: unknown }),
      users: { ...impact.users, ...withInterval(impact.users.affected, impact.users.seen) },
      atRisk: first === undefined ? [] : atRiskOf(first, known, services),
      since: new Date(sinceMs).toISOString(),
    },
    anomalies: group.findings.map((finding) =>
      toAnomaly(finding, { sinceMs: onsets.get(finding) ?? untilMs, known, compared }),
    ),
    changes,
    leftOut,
  }
}

/** The windows from which onsets are read: of all series of a group, some time back. */
export async function readOnsetWindows(
  store: Store,
  { findings }: Group,
  untilMs: number,
): Promise<{ windows: WindowCounts[]; leftOut: number }> {
  return await readWindows(store, {
    fromMs: untilMs - 10 * 60_000,
    toMs: untilMs,
    series: findings.map(({ signal, service, operation, caller }): CallsInto => {
      if (caller !== undefined) return { service, caller }
      return signal === 'silence' ? { service } : { service, operation }
    }),
  })
}

function concerns({ service, caller }: Finding, suspect: Suspect): boolean {
  return service === (suspect.peer ?? suspect.service) || (caller ?? service) === suspect.service
}

/** A service is hit when it failed, slowed down, or gave no answer; who only waits at an edge shows in its own findings. */
function hitServices(finding: Finding): string[] {
  if (finding.caller === undefined) return [finding.service]
  return finding.signal === 'unanswered' ? [finding.service] : [finding.caller]
}

function badCallsOf({ findings }: Suspect, known: Picture): BadCall[] {
  const calls = findings.map((finding) => badCallOf(finding, known)).filter((call) => call !== undefined)
  return calls.filter((call, index) => calls.findIndex((other) => isDeepStrictEqual(call, other)) === index)
}

/** Without a limit no call is slow. */
function badCallOf(
  { signal, service, operation, caller, callerOperation, expected, seen, slowNs = Number.MAX_SAFE_INTEGER }: Finding,
  known: Picture,
): BadCall | undefined {
  switch (signal) {
    case 'origin-errors':
      return { kind: 'errors', service, operation }
    case 'self-time':
      return { kind: 'latency', service, operation, slowNs }
    case 'wire-time':
      return { kind: 'wire', caller: caller ?? '', callerOperation: callerOperation ?? '', service, slowNs }
    case 'unanswered':
      return { kind: 'unanswered', service, flows: [...(known.flowsThrough.get(service) ?? [])] }
    case 'silence':
      return { kind: 'silence', service, flows: [...(known.flowsThrough.get(service) ?? [])] }
    // Whose work was left out is told by the call that was not made.
    case 'fan-out':
      return seen < expected && caller !== undefined && callerOperation !== undefined
        ? { kind: 'left-out', service, caller, callerOperation, flows: [...(known.flowsThrough.get(caller) ?? [])] }
        : undefined
    // Calls have neither logs nor a count of calls below of their own in the facts.
    case 'cache-misses':
    case 'logs':
    case 'traffic':
      return undefined
    case 'errors':
    case 'latency':
      return caller === undefined || callerOperation === undefined
        ? undefined
        : { kind: 'dependency', caller, callerOperation, peer: service, slowNs }
  }
}

/** Of evidence that no single call bears, the flows that pass the cause tell whom it may hit. */
function flowsOf({ service, peer, findings }: Suspect, known: Picture): string[] {
  const isAnyWithoutCall = findings.some(({ signal }) => signal === 'fan-out' || signal === 'cache-misses')
  if (!isAnyWithoutCall) return []
  const callers = findings.flatMap(({ caller }) => (caller === undefined ? [] : [caller]))
  const passed = peer === undefined ? [service] : callers
  return [...new Set(passed.flatMap((at) => [...(known.flowsThrough.get(at) ?? [])]))]
}

async function withEvidence(
  store: Store,
  causes: Cause[],
  told: Suspect[],
  {
    known,
    range,
    changes,
    findings,
  }: {
    known: Picture
    range: TimeRange
    changes: readonly SeenChange[]
    findings: readonly Finding[]
  },
): Promise<Cause[]> {
  return await Promise.all(
    causes.map(async (cause, rank) => {
      const suspect = told[rank]
      const badCalls = suspect === undefined ? [] : badCallsOf(suspect, known)
      const [breakdown, errors] =
        badCalls.length === 0
          ? [[], []]
          : await Promise.all([
              readBreakdown(store, { ...range, badCalls }),
              readFrequentErrors(store, { ...range, badCalls }),
            ])
      const withOwn = addEvidence(cause, { range, breakdown, errors, changes })
      return suspect === undefined ? withOwn : addSameTime(withOwn, { suspect, findings })
    }),
  )
}

function addEvidence(
  cause: Cause,
  {
    range,
    breakdown,
    errors: [error],
    changes,
  }: { range: TimeRange; breakdown: Breakdown[]; errors: FrequentError[]; changes: readonly SeenChange[] },
): Cause {
  const attribute = tellingAttribute(breakdown)
  const evidence = [...cause.evidence]
  if (error !== undefined) {
    const said = [error.errorType, error.message].filter((part) => part !== '').join(': ')
    evidence.push({
      signal: 'exception',
      sentence: `Its errors say most often: ${said}`,
      query: failedRunsOf(cause.service, range),
    })
  }
  if (attribute !== undefined) {
    const { badShare, goodShare } = attribute
    evidence.push({
      signal: 'attribute',
      sentence: `${Math.round(badShare * 100)} % of its calls with ${attributeWords(attribute)} are bad, ${Math.round(goodShare * 100)} % of the others.`,
      query: failedRunsOf(cause.service, range),
    })
  }
  const own = changes.filter(({ service }) => service === cause.service).slice(0, changesPerCauseMax)
  evidence.push(...own.map((change) => changeEvidence(change, range.fromMs)))
  return { ...cause, ...(attribute === undefined ? {} : { attribute }), evidence }
}

/** Before what changed: that speaks of the time, and no more of the calls. */
function withReplay(cause: Cause, replay: Replay | undefined, range: TimeRange): Cause {
  if (replay === undefined) return cause
  const { runs, mended, low, high } = replay
  const at = cause.evidence.findIndex(({ signal }) => signal === 'change')
  const evidence = cause.evidence.toSpliced(at === -1 ? cause.evidence.length : at, 0, {
    signal: 'replay',
    sentence: `Without it, ${mended} of ${runs} looked-at runs that went wrong would have gone well (${Math.round(low * 100)} to ${Math.round(high * 100)} %).`,
    query: runsLike(cause, range),
  })
  return { ...cause, replay, evidence }
}

/** Where runs can be read that went wrong as a cause makes them: slow ones do not fail, and none passes who gives no answer. */
function runsLike({ service, kind }: Cause, range: TimeRange): string {
  switch (kind) {
    case 'errors':
      return runsOf({ service, status: 'error' }, range)
    case 'unavailable':
      return runsOf({ status: 'error' }, range)
    case 'latency':
    case 'dependency':
      return runsOf({ service }, range)
  }
}

/** Of what was found at a suspect, the largest departure says what this time of day was like on other days. */
function addSameTime(cause: Cause, { suspect, findings }: { suspect: Suspect; findings: readonly Finding[] }): Cause {
  const [largest] = findings
    .filter((finding) => finding.sameTime !== undefined && concerns(finding, suspect))
    .toSorted((a, b) => b.excessCalls - a.excessCalls)
  if (largest?.sameTime === undefined) return cause
  const sentence = sentenceOf(largest.sameTime)
  return {
    ...cause,
    // The series shows the time that all is compared with, and none of these days.
    evidence: [...cause.evidence, { signal: 'time-of-day', sentence, query: null }],
  }
}

/** Changes that are evidence for one cause: the latest. */
const changesPerCauseMax = 3

/** Failed runs that passed the service in a range: where their messages and attributes can be read. */
function failedRunsOf(service: string, range: TimeRange): string {
  return runsOf({ service, status: 'error' }, range)
}

function runsOf(filter: { service?: string; status?: 'error' }, { fromMs, toMs }: TimeRange): string {
  const [since = '', until = ''] = [fromMs, toMs].map((ms) => new Date(ms).toISOString())
  return `/api/v1/executions?${new URLSearchParams({ ...filter, since, until }).toString()}`
}

/** One line that says what broke. */
export function titleOf(cause: Cause | undefined, findings: readonly Finding[] = []): string {
  const missing = findings.find(({ signal }) => signal === 'traffic')
  if (cause === undefined && missing !== undefined) {
    return `${nameOf(missing.service)} ${missing.operation} gets far fewer calls than usual at this time`
  }
  if (cause === undefined) return 'Something departs from normal, and no service stands out as the cause'
  const place = `${cause.service} ${cause.operation}`.trim()
  const [first] = cause.evidence
  if (first?.signal === 'fan-out' && (first.seen ?? 0) < (first.expected ?? 0)) {
    return `${place} leaves out calls that it usually makes`
  }
  switch (cause.kind) {
    case 'errors':
      return `${place} fails`
    case 'latency':
      return `${place} is slow`
    case 'unavailable':
      return `${cause.service} gives no answer`
    case 'dependency':
      return `${place} waits for ${cause.peer ?? 'a peer'} or fails with it`
  }
}
