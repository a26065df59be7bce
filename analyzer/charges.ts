// What speaks against each service: first what a service shows by itself and on the way to it, then what speaks rather against another.
import { changedLogs, type LogPatterns } from './changed-logs.ts'
import type { Finding } from './detect.ts'
import { chargeFanOut } from './fan-out.ts'
import { isTooFew, onTheWay, ownErrors, ownTime, unanswered, waitedNs, waiting } from './finer-findings.ts'
import type { Picture } from './picture.ts'
import { chargeStalls } from './stalls.ts'

/** What speaks against one service, in calls. */
export interface Charge {
  service: string
  calls: number
  /** Calls beyond the usual that went unanswered or got stuck on the way, by how many of its callers' edges show it. */
  direct: number
  /** The part of its own time's excess that waiting for others explains: who waits holds its workers, and others queue for them. */
  queued: number
  slow: number
  /** Time beyond the usual, within and on the way, by the median of its slow calls. */
  slowNs: number
  errors: number
  /** Spans that logged what they usually do not, or not what they usually do: of the line and operation where most did. */
  logs: { spans: number; ofSpans: number }
  findings: Finding[]
}

/** What besides the pictures speaks against services. */
export interface Testimony {
  logs?: LogPatterns
  /** What raised the alarm. Of silence, and of small effects that last, only these tell. */
  alarms?: readonly Finding[]
  /** Whether it was told before that something is slow, or gives no answer. */
  wasSlow?: boolean
  /** By what factor everything is slower than usual: so much slower accuses nobody. */
  slowdown?: number
}

/** The times that are compared. */
export interface Comparison {
  recent: Picture
  known: Picture
  /** By what factor everything is slower than usual. */
  slowdown: number
  /** Where nothing grew slow enough to tell, what is slower by the finer measures is no trouble of anybody's. */
  isSlowness: boolean
}

/** One charge a service, made when it is first asked for. */
export class Charges {
  readonly #all = new Map<string, Charge>()

  of(service: string): Charge {
    const charge = this.#all.get(service) ?? {
      service,
      calls: 0,
      direct: 0,
      queued: 0,
      slow: 0,
      slowNs: 0,
      errors: 0,
      logs: { spans: 0, ofSpans: 1 },
      findings: [],
    }
    this.#all.set(service, charge)
    return charge
  }

  /** What has been found against a service so far. */
  against(service: string): readonly Finding[] {
    return this.#all.get(service)?.findings ?? []
  }

  /** Those of services that something speaks against. */
  accused(): Charge[] {
    return [...this.#all.values()].filter(({ findings }) => findings.length > 0)
  }
}

/** All that speaks against services. `known` is the normal picture. */
export function chargesOf(
  recent: Picture,
  known: Picture,
  { logs, alarms, wasSlow, slowdown }: Required<Testimony>,
): Charge[] {
  const charges = new Charges()
  const isSlowness = wasSlow || alarms.length === 0 || alarms.some(({ unit }) => unit !== 'share')
  const comparison = { recent, known, slowdown, isSlowness }
  chargeWithin(charges, comparison)
  chargeOnTheWay(charges, comparison)
  chargeStalls(charges, comparison)
  chargeFanOut(charges, comparison)
  chargeAlarms(charges, alarms)
  chargeLogs(charges, logs)
  const accused = charges.accused()
  for (const charge of accused) charge.slowNs = charge.findings.reduce((sum, finding) => sum + slowerByNs(finding), 0)
  return accused
}

/** A service's own time and errors, and how much of the time waiting for others explains. */
function chargeWithin(charges: Charges, { recent, known, slowdown, isSlowness }: Comparison): void {
  const waits = new Map<string, { extraNs: number; usualNs: number }>()
  for (const [key, now] of recent.operations) {
    const charge = charges.of(now.service)
    charge.calls += now.calls
    const before = known.operations.get(key)
    if (before === undefined || isTooFew(now.calls, before.calls)) continue
    const slow = isSlowness ? ownTime(now, before, slowdown) : undefined
    const errors = ownErrors(now, before)
    charge.slow += slow?.excessCalls ?? 0
    charge.errors += errors?.excessCalls ?? 0
    charge.findings.push(...[slow, errors].filter((finding) => finding !== undefined))
    const wait = waits.get(now.service) ?? { extraNs: 0, usualNs: 0 }
    waits.set(now.service, wait)
    wait.usualNs += (now.calls * before.durationNs) / before.calls
  }
  for (const [key, now] of recent.edges) {
    const before = known.edges.get(key)
    const wait = waits.get(now.caller)
    if (wait === undefined || before === undefined || isTooFew(now.calls, before.calls)) continue
    wait.extraNs += Math.max(0, waitedNs(now) - (now.calls * waitedNs(before)) / before.calls)
  }
  for (const [service, { extraNs, usualNs }] of waits) {
    charges.of(service).queued = usualNs === 0 ? 0 : Math.min(1, extraNs / usualNs)
  }
}

/** Calls that a service does not answer, or that get stuck on the way to it. */
function chargeOnTheWay(charges: Charges, { recent, known, slowdown, isSlowness }: Comparison): void {
  const edges = Map.groupBy(recent.edges.entries(), ([, { service }]) => service)
  for (const [service, into] of edges) {
    const charge = charges.of(service)
    const callers = new Map<string, { calls: number; isBad: boolean }>()
    for (const [key, now] of into) {
      charge.calls += now.unanswered
      const before = known.edges.get(key)
      if (before === undefined || isTooFew(now.calls, before.calls)) continue
      const caller = callers.get(now.caller) ?? { calls: 0, isBad: false }
      callers.set(now.caller, caller)
      caller.calls += now.calls
      const hasSpans = known.served.has(service) || recent.served.has(service)
      const found = (
        hasSpans
          ? [isSlowness ? onTheWay(now, before, slowdown) : undefined, unanswered(now, before, 'unanswered')]
          : [isSlowness ? waiting(now, before, slowdown) : undefined, unanswered(now, before, 'errors')]
      ).filter((finding) => finding !== undefined)
      if (found.length === 0) continue
      caller.isBad = true
      charge.direct += found.reduce((sum, { excessCalls }) => sum + excessCalls, 0)
      charge.findings.push(...found)
    }
    // Who gets stuck with one caller only may owe it to that one.
    const weights = [...callers.values()].map(({ calls, isBad }) => ({ weight: Math.sqrt(calls), isBad }))
    const all = weights.reduce((sum, { weight }) => sum + weight, 0)
    const bad = weights.reduce((sum, { weight, isBad }) => sum + (isBad ? weight : 0), 0)
    if (all > 0) charge.direct *= (bad / all) ** 2
  }
}

/** What raised the alarm and was not found again. */
function chargeAlarms(charges: Charges, alarms: readonly Finding[]): void {
  for (const finding of alarms) {
    const charge = charges.of(finding.signal === 'fan-out' ? (finding.caller ?? finding.service) : finding.service)
    const isAccused = charge.findings.some((other) => isSameSeries(other, finding))
    if (!isAccused && accuse(charge, finding)) charge.findings.push(finding)
  }
}

function chargeLogs(charges: Charges, logs: LogPatterns): void {
  for (const finding of changedLogs(logs)) {
    const charge = charges.of(finding.service)
    if (finding.excessCalls > charge.logs.spans) charge.logs = { spans: finding.excessCalls, ofSpans: finding.calls }
    charge.findings.push(finding)
  }
}

function slowerByNs({ unit, excessCalls, seen, expected }: Finding): number {
  return unit === 'ns' ? excessCalls * Math.max(0, seen - expected) : 0
}

function isSameSeries(one: Finding, other: Finding): boolean {
  return (
    one.signal === other.signal &&
    one.service === other.service &&
    one.caller === other.caller &&
    (one.caller === undefined ? one.operation === other.operation : one.callerOperation === other.callerOperation)
  )
}

/** Adds an alarm to what speaks against its service; `false` where it speaks against nobody. */
function accuse(charge: Charge, { signal, caller, excessCalls }: Finding): boolean {
  switch (signal) {
    case 'self-time':
      charge.slow += excessCalls
      return true
    case 'origin-errors':
      charge.errors += excessCalls
      return true
    case 'silence':
      charge.calls += excessCalls
      charge.direct += excessCalls
      return true
    case 'unanswered':
    case 'wire-time':
      charge.direct += excessCalls
      return true
    case 'fan-out':
      charge.slow += excessCalls
      return true
    // Of operations these are what their callers see; at an edge, of a peer that has no spans.
    case 'errors':
    case 'latency':
      if (caller !== undefined) charge.direct += excessCalls
      return caller !== undefined
    // Who is called less often has done nothing.
    case 'traffic':
      return false
    // Blaming finds these by itself.
    case 'cache-misses':
    case 'logs':
      return false
  }
}
