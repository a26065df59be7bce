// Exclusive-excess attribution in its simplest form: each service answers only for what went wrong beyond what went wrong
// below it. Origin errors, self time and unanswered calls are exclusive by construction, so their excess over the baseline
// can be compared across services, and the loudest is not blamed for the trouble of another.
import { parseService, type Cause, type CauseKind, type Evidence, type PathStep } from '@headwater/vocabulary'
import type { Finding } from './detect.ts'
import { shortestPath } from './graph/path.ts'
import { parameters } from './parameters.ts'
import { operationKey, type Picture } from './picture.ts'

/** A suspect before it is told: keys instead of names, and what it rests on. */
export interface Suspect {
  /** Canonical keys of vocabulary's `formatService`. */
  service: string
  operation: string
  kind: CauseKind
  peer?: string
  /** What speaks against it: comparable among the suspects of one ranking only. */
  weight: number
  findings: Finding[]
}

/** Suspects, heaviest first. Symptoms (errors that came from below, latency that was waiting) accuse nobody. */
export function rankSuspects(findings: Finding[], known: Picture): Suspect[] {
  const suspects = new Map<string, Suspect>()
  for (const finding of findings) {
    const accused = accuse(finding, known)
    if (accused === undefined) continue
    const key = [
      accused.service,
      accused.kind === 'unavailable' ? '' : accused.operation,
      accused.kind,
      accused.peer ?? '',
    ].join('\u0000')
    const suspect = suspects.get(key)
    if (suspect === undefined) {
      suspects.set(key, { ...accused, findings: [finding] })
    } else {
      // Errors and slowness of one peer are one cause; its silence and its unanswered calls are the same calls.
      suspect.weight =
        accused.kind === 'dependency' ||
        finding.signal === 'silence' ||
        suspect.findings.some(({ signal }) => signal === 'silence')
          ? Math.max(suspect.weight, accused.weight)
          : suspect.weight + accused.weight
      suspect.findings.push(finding)
    }
  }
  return [...suspects.values()].toSorted((a, b) => b.weight - a.weight)
}

function accuse(finding: Finding, known: Picture): Omit<Suspect, 'findings'> | undefined {
  const { service, operation, caller, callerOperation } = finding
  if (caller !== undefined && callerOperation !== undefined) {
    switch (finding.signal) {
      case 'unanswered':
        return { service, operation, kind: 'unavailable', weight: finding.excessCalls }
      case 'errors':
        return {
          service: caller,
          operation: callerOperation,
          kind: 'dependency',
          peer: service,
          weight: finding.excessCalls,
        }
      case 'latency':
        return {
          service: caller,
          operation: callerOperation,
          kind: 'dependency',
          peer: service,
          weight: slowWeight(finding),
        }
      case 'wire-time':
        return { service, operation, kind: 'latency', weight: slowWeight(finding) }
      case 'fan-out':
      case 'cache-misses':
      case 'origin-errors':
      case 'self-time':
      case 'logs':
      case 'silence':
      case 'traffic':
        return undefined
    }
  }
  switch (finding.signal) {
    case 'origin-errors':
      return { service, operation, kind: 'errors', weight: finding.excessCalls }
    case 'self-time':
      return { service, operation, kind: 'latency', weight: slowWeight(finding) }
    case 'silence':
      // Who only sends messages cannot be missed by its callers: it fell silent by itself.
      return {
        service,
        operation: operation || firstOperation(service, known),
        kind: 'unavailable',
        weight: finding.excessCalls,
      }
    case 'errors':
    case 'latency':
    case 'wire-time':
    case 'fan-out':
    case 'cache-misses':
    case 'logs':
    case 'unanswered':
    case 'traffic':
      return undefined
  }
}

function slowWeight({ excessCalls, excessNs }: Finding): number {
  return Math.min(excessCalls, excessNs / parameters.slowWeightNs)
}

function firstOperation(service: string, { operations }: Picture): string {
  for (const series of operations.values()) if (series.service === service) return series.operation
  return ''
}

/** The suspects as they are told: names, shares of all their weights, evidence in sentences, and the way to an entry. */
export function toCauses(
  suspects: Suspect[],
  known: Picture,
  queryOf: (finding: Finding) => string | null = () => null,
): Cause[] {
  const total = suspects.reduce((sum, { weight }) => sum + weight, 0)
  const pathToEntry = pathsToEntries(known)
  return suspects
    .map((suspect) => ({ suspect, score: total === 0 ? 0 : suspect.weight / total }))
    .filter(({ score }, rank) => rank === 0 || score >= parameters.causeScoreMin)
    .slice(0, parameters.causesMax)
    .map(({ suspect, score }) => ({
      service: nameOf(suspect.service),
      operation: suspect.operation,
      kind: suspect.kind,
      score: Math.round(score * 1_000) / 1_000,
      ...(suspect.peer === undefined ? {} : { peer: nameOf(suspect.peer) }),
      evidence: suspect.findings.map((finding) => toEvidence(finding, queryOf(finding))),
      path: pathToEntry(suspect),
    }))
}

/** Finds ways from a cause over its callers, the busiest first, to an operation that is called from outside. */
export function pathsToEntries(known: Picture): (cause: Pick<Suspect, 'service' | 'operation'>) => PathStep[] {
  const edgesInto = Map.groupBy(known.edges.values(), ({ service }) => service)
  const callersOf = (key: string): string[] => {
    const [callee = '', calleeOperation = ''] = key.split('\u0000')
    return (edgesInto.get(callee) ?? [])
      .filter((edge) => edge.operations.has(calleeOperation) || calleeOperation === '')
      .toSorted(
        (a, b) => (b.operations.get(calleeOperation) ?? b.calls) - (a.operations.get(calleeOperation) ?? a.calls),
      )
      .map((edge) => operationKey(edge.caller, edge.callerOperation))
  }
  const isEntry = (key: string): boolean => (known.operations.get(key)?.entries ?? 0) > 0
  return ({ service, operation }) =>
    shortestPath(operationKey(service, operation), callersOf, isEntry).map((key) => {
      const [stepService = '', stepOperation = ''] = key.split('\u0000')
      return { service: nameOf(stepService), operation: stepOperation }
    })
}

/** One finding as evidence: its numbers, and a sentence made from them. */
function toEvidence(finding: Finding, query: string | null): Evidence {
  const { signal, expected, seen, unit, pValue } = finding
  return { signal, sentence: sentenceOf(finding), expected, seen, unit, pValue, query }
}

function sentenceOf({
  signal,
  service,
  operation,
  caller,
  callerOperation,
  expected,
  seen,
  calls,
  line = '',
  instead = '',
}: Finding): string {
  const callee = nameOf(service)
  const here = `${callee} ${operation}`.trim()
  const from = caller === undefined ? '' : `${nameOf(caller)} ${callerOperation ?? ''}`.trim()
  switch (signal) {
    case 'origin-errors':
      return `${percent(seen)} of ${calls} calls of ${here} failed by themselves, with no failing call below; ${percent(expected)} is normal.`
    case 'errors':
      return caller === undefined
        ? `${percent(seen)} of ${calls} calls of ${here} failed; ${percent(expected)} is normal.`
        : `${percent(seen)} of ${calls} calls from ${from} to ${callee} failed; ${percent(expected)} is normal.`
    case 'self-time':
      return `Slow calls of ${here} spent ${milliseconds(seen)} in the service itself; ${milliseconds(expected)} is normal.`
    case 'latency':
      return caller === undefined
        ? `Slow calls of ${here} took ${milliseconds(seen)}; ${milliseconds(expected)} is normal.`
        : `${from} waited ${milliseconds(seen)} for ${callee} in slow calls; ${milliseconds(expected)} is normal.`
    case 'wire-time':
      return `Of ${calls} calls from ${from} to ${callee}, those that grew slow spent ${milliseconds(seen)} between the two; ${milliseconds(expected)} is normal.`
    case 'fan-out':
      return `${from} made ${rate(seen)} calls to ${callee} in each of its own; ${rate(expected)} is normal.`
    case 'cache-misses':
      return `${from} asked ${callee} as often as ever, and then made ${rate(seen)} calls to ${nameOf(instead)} in each of its own; ${rate(expected)} is normal.`
    case 'logs':
      return `${percent(seen)} of ${calls} calls of ${here} logged “${line}”; ${percent(expected)} is normal.`
    case 'unanswered':
      return `${percent(seen)} of ${calls} calls from ${from} to ${callee} failed without an answer from it; ${percent(expected)} is normal.`
    case 'silence':
      return `${callee} took ${Math.round(seen)} calls where ${Math.round(expected)} were due by what its neighbours did.`
    case 'traffic':
      return `${here} took ${Math.round(seen)} calls where ${Math.round(expected)} are usual at this time.`
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}

/** To two digits. */
function rate(calls: number): string {
  return calls >= 10 ? String(Math.round(calls)) : String(Number(calls.toPrecision(2)))
}

function milliseconds(ns: number): string {
  const ms = ns / 1e6
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

/** The plain name of a service key. */
export function nameOf(key: string): string {
  return parseService(key).name
}
