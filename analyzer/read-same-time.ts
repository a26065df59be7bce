// Reads what other days were like at this time, for what a step has found, and sets aside what is usual then.
import {
  bothWindows,
  type Call,
  type CountedSeries,
  minutesOf,
  readCountsByMinute,
  type Store,
  type TimeRange,
  type Windows,
} from '@headwater/store'
import { bucketOf, type SameTime } from '@headwater/vocabulary'
import type { Baseline } from './baseline.ts'
import type { Finding } from './detect.ts'
import { type Group, groupFindings } from './group.ts'
import { parameters } from './parameters.ts'
import type { PicturePair } from './read-pictures.ts'
import {
  type Counts,
  type Departure,
  hasDeparted,
  isRecurring,
  isUsual,
  judgeDay,
  type JudgedDay,
  minutesOfDay,
  sameTimeOf,
} from './same-time.ts'
import { isOfWeekend } from './series/week-profile.ts'

const minuteMs = 60_000
const { days: daysCompared, withinDays, aroundMinutes, findingsMax, slowerFactor } = parameters.sameTime

/** One of the last days, and its minutes around this time. */
export interface Day extends Omit<JudgedDay, 'state'> {
  range: TimeRange
}

/**
 * The days that this time is compared with: the last ones, and the last ones of its kind. Days and their times are those of the
 * process's time zone, in which a batch at two stays at two when clocks change.
 */
export function daysBefore(atMs: number): { days: Day[]; isWeekend: boolean } {
  const middle = new Date(Math.floor((atMs - parameters.recentMs / 2) / minuteMs) * minuteMs)
  const isWeekend = isOfWeekend(middle)
  const days: Day[] = []
  let like = 0
  for (let daysAgo = 1; daysAgo <= withinDays; daysAgo += 1) {
    const then = new Date(middle)
    then.setDate(then.getDate() - daysAgo)
    const isLike = isOfWeekend(then) === isWeekend && like < daysCompared
    if (isLike) like += 1
    if (!isLike && daysAgo > daysCompared) continue
    const fromMs = then.getTime() - aroundMinutes * minuteMs
    days.push({ daysAgo, isLike, range: { fromMs, toMs: fromMs + minutesOfDay() * minuteMs } })
  }
  return { days, isWeekend }
}

/** What is left of the groups of a step once it has been compared with other days. */
export interface ComparedGroups {
  /** Each finding says what other days were like, where that is known. */
  groups: Group[]
  /** Findings that are usual at this time of day, and open nothing. */
  usual: Finding[]
  /**
   * What is normal for findings of groups in which something comes back at this time of day: this time, on those days. And of groups in
   * which something departs from its season: this time on the days of its kind.
   */
  normal: Map<Finding, Baseline>
  /** Findings that were too many to be compared. */
  leftOut: number
}

/** Compares groups with this time on other days. What belongs to an open incident goes on, usual or not. */
export async function compareWithOtherDays(
  store: Store,
  found: Group[],
  {
    atMs,
    pictures,
    calls,
    isOpen,
  }: { atMs: number; pictures: PicturePair; calls: Call[]; isOpen: (group: Group) => boolean },
): Promise<ComparedGroups> {
  const compared: ComparedGroups = { groups: [], usual: [], normal: new Map(), leftOut: 0 }
  if (found.length === 0) return compared
  const { days, isWeekend } = daysBefore(atMs)
  const all = [...new Set(found.flatMap(({ findings }) => findings))]
    .filter(({ isOfSeason }) => isOfSeason !== true)
    .toSorted((a, b) => b.excessCalls - a.excessCalls)
  const asked = all.slice(0, findingsMax)
  compared.leftOut = all.length - asked.length
  const judged = await judgeFindings(store, asked, { days, isWeekend, pictures })
  const isUsualOf = (finding: Finding): boolean => {
    const told = judged.get(finding)?.told
    return told !== undefined && isUsual(told)
  }
  const ofSeason = days.filter(({ isLike }) => isLike)
  for (const { findings, services } of found) {
    const told = findings.map((finding) => {
      const sameTime = judged.get(finding)?.told
      return sameTime === undefined ? finding : { ...finding, sameTime }
    })
    const ofGroup = findings.filter((finding) => judged.has(finding))
    const areAllUsual = ofGroup.length > 0 && ofGroup.every(isUsualOf)
    const isLeft = findings.map(
      (finding) => finding.isOfSeason === true || !(judged.has(finding) ? isUsualOf(finding) : areAllUsual),
    )
    const group = { services, findings: told }
    const left = told.filter((_, index) => isLeft[index])
    const parts =
      isOpen(group) || left.length === told.length ? [group] : left.length === 0 ? [] : groupFindings(left, calls)
    if (!isOpen(group)) compared.usual.push(...told.filter((_, index) => !isLeft[index]))
    compared.groups.push(...parts)
    const recurred = findings.flatMap((finding) => judged.get(finding)?.recurred ?? [])
    for (const part of parts) {
      const normal = new Set([...recurred, ...(part.findings.some(({ isOfSeason }) => isOfSeason) ? ofSeason : [])])
      if (normal.size === 0) continue
      const baseline = baselineOf(normal)
      for (const finding of part.findings) compared.normal.set(finding, baseline)
    }
  }
  return compared
}

interface JudgedFinding {
  told: SameTime
  /** The days on which it departed, if it comes back at this time of day. */
  recurred: Day[]
}

async function judgeFindings(
  store: Store,
  findings: readonly Finding[],
  { days, isWeekend, pictures }: { days: Day[]; isWeekend: boolean; pictures: PicturePair },
): Promise<Map<Finding, JudgedFinding | undefined>> {
  const questions = findings.map((finding) => ({ finding, ...questionOf(finding, pictures) }))
  const windows = days.reduce<Windows>((sum, { range }) => bothWindows(sum, minutesOf(range)), {
    minutes: [],
    tenSeconds: [],
  })
  const counted = await readCountsByMinute(store, { windows, series: questions.flatMap(({ series }) => series) })
  const judged = new Map<Finding, JudgedFinding | undefined>()
  let from = 0
  for (const { finding, series, countsOf } of questions) {
    const ofFinding = counted
      .slice(from, from + series.length)
      .map((counts) => new Map(counts.map((count) => [count.minuteMs, count])))
    from += series.length
    if (series.length === 0) continue
    const departure = departureOf(finding)
    const states = days.map((day) => {
      const minutes = Array.from({ length: minutesOfDay() }, (_, minute) =>
        countsOf(ofFinding.map((counts) => counts.get(day.range.fromMs + minute * minuteMs) ?? none)),
      )
      return { ...day, state: judgeDay(departure, minutes) }
    })
    const told = sameTimeOf(states, { isWeekend })
    // Of what is new, nobody can say that it is usual.
    if (told === undefined) {
      judged.set(finding, undefined)
      continue
    }
    const departed = days.filter((_, index) => hasDeparted(states[index]))
    judged.set(finding, { told, recurred: isRecurring(told) ? departed : [] })
  }
  return judged
}

function departureOf(finding: Finding): Departure {
  const { unit, calls, seen, expected, baselineCalls, slowCalls = 0, slowBefore = 0, excessCalls, compared } = finding
  const shareRiseMin = compared === undefined ? parameters.shareRiseMin : parameters.lasting.shareRiseMin
  switch (unit) {
    case 'share':
      return {
        now: { calls, bad: Math.round(seen * calls) },
        before: { calls: baselineCalls, bad: Math.round(expected * baselineCalls) },
        isTime: false,
        shareRiseMin,
      }
    case 'ns':
      return {
        now: { calls, bad: slowCalls },
        before: { calls: baselineCalls, bad: slowBefore },
        isTime: true,
        shareRiseMin,
      }
    // Of calls that are missing those are bad that were due.
    case 'calls': {
      const due = finding.signal === 'silence' ? expected : expected * calls
      const bad = finding.signal === 'silence' ? excessCalls : (expected - seen) * calls
      return { now: { calls: due, bad }, before: undefined, isTime: false, shareRiseMin: parameters.shareRiseMin }
    }
  }
}

/** Which series tell what a finding's calls were like at another time, and how. */
interface Question {
  series: CountedSeries[]
  /** Of a minute, from its counts of each of these series. */
  countsOf: (counts: Counts[]) => Counts
}

function questionOf(finding: Finding, pictures: PicturePair): Question {
  const { signal, service, operation, caller, callerOperation } = finding
  const ofOne = (series: CountedSeries): Question => ({ series: [series], countsOf: ([counts = none]) => counts })
  if (caller !== undefined && callerOperation !== undefined) {
    const edge = { of: 'edge', service, caller, callerOperation } as const
    switch (signal) {
      case 'errors':
      case 'unanswered':
        return ofOne({ ...edge, bad: 'unanswered' })
      case 'latency':
        return ofOne({ ...edge, bad: 'duration', slow: slowOf(finding) })
      case 'fan-out':
        return {
          series: [
            { of: 'operation', service: caller, operation: callerOperation, bad: 'errors' },
            { ...edge, bad: 'unanswered' },
          ],
          countsOf: ([ofCaller = none, made = none]) =>
            missing({ due: finding.expected * (ofCaller.calls - ofCaller.bad), made: made.calls }),
        }
      case 'origin-errors':
      case 'self-time':
      case 'wire-time':
      case 'cache-misses':
      case 'logs':
      case 'silence':
      case 'traffic':
        return nothing
    }
  }
  const ofOperation = { of: 'operation', service, operation } as const
  switch (signal) {
    case 'errors':
    case 'origin-errors':
      return ofOne({ ...ofOperation, bad: signal })
    case 'latency':
      return ofOne({ ...ofOperation, bad: 'duration', slow: slowOf(finding) })
    case 'self-time':
      return ofOne({ ...ofOperation, bad: 'self', slow: slowOf(finding) })
    case 'silence':
      return silenceQuestion(finding, pictures)
    case 'wire-time':
    case 'fan-out':
    case 'cache-misses':
    case 'logs':
    case 'unanswered':
    case 'traffic':
      return nothing
  }
}

/** How many calls of a silent service were due follows from what its neighbours sent, as it does now. */
function silenceQuestion({ service, expected }: Finding, { recent, baseline }: PicturePair): Question {
  const senders = [...baseline.edges.values()].flatMap((edge) =>
    edge.service === service && edge.async && (baseline.published.get(edge.caller) ?? 0) > 0 ? [edge.caller] : [],
  )
  const speakers = [...new Set(senders)]
  const activity = speakers.reduce((sum, speaker) => sum + (recent.published.get(speaker) ?? 0), 0)
  if (activity === 0) return nothing
  return {
    series: [{ of: 'service', service }, ...speakers.map((speaker) => ({ of: 'sent', service: speaker }) as const)],
    countsOf: ([served = none, ...sent]) => {
      const then = sent.reduce((sum, { bad }) => sum + bad, 0)
      return missing({ due: (expected * then) / activity, made: served.calls })
    },
  }
}

function missing({ due, made }: { due: number; made: number }): Counts {
  return { calls: due, bad: Math.max(0, due - made), very: 0 }
}

function slowOf({ slowNs = 0, seen }: Finding): { bucket: number; veryBucket: number } {
  const bucket = bucketOf(slowNs)
  return { bucket, veryBucket: Math.max(bucket, bucketOf(seen / slowerFactor)) }
}

const none: Counts = { calls: 0, bad: 0, very: 0 }
const nothing: Question = { series: [], countsOf: () => none }

/** This time, on the given days. */
function baselineOf(days: ReadonlySet<Day>): Baseline {
  const ranges = [...days].map(({ range }) => range)
  return {
    windows: ranges.reduce<Windows>((sum, range) => bothWindows(sum, minutesOf(range)), {
      minutes: [],
      tenSeconds: [],
    }),
    coversMs: ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    range: {
      fromMs: Math.min(...ranges.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...ranges.map(({ toMs }) => toMs)),
    },
  }
}
