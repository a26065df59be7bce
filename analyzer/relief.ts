// What a run is relieved of when it is played again without a suspect: what the findings against it say that it did, and no more.
import type { RunCall } from '@headwater/store'
import { bucketMiddle } from '@headwater/vocabulary'
import type { Suspect } from './cause.ts'
import { slowAbove } from './detect.ts'
import { waitedNs } from './finer-findings.ts'
import { parameters } from './parameters.ts'
import { edgeKey, operationKey, type Picture } from './picture.ts'
import { noRelief, type Relief } from './replay.ts'

export interface Relieving {
  reliefOf: (call: RunCall) => Relief
  /** Whether a call is of a place where something was found, whatever became of it. */
  concerns: (call: RunCall) => boolean
}

/** Times above `slowNs` are set to what is usual. */
interface Slowness {
  usualNs: number
  slowNs: number
}

/** What is found at one operation or edge. */
interface Place {
  errors?: true
  self?: Slowness
  wire?: Slowness
  wait?: Slowness
  /** The same of calls that failed: who gets no good answer may have waited long for it. */
  failedWait?: Slowness
}

/**
 * What a suspect's findings take off a call. Undefined where some of what it did has no call to be taken off: it fell silent, left calls
 * out or made too many.
 */
export function relievingOf({ findings }: Pick<Suspect, 'findings'>, known: Picture): Relieving | undefined {
  const operations = new Map<string, Place>()
  const edges = new Map<string, Place>()
  const find = (places: Map<string, Place>, key: string, found: Place): void => {
    places.set(key, { ...places.get(key), ...found })
  }
  for (const { signal, service, operation, caller, callerOperation, expected, slowNs } of findings) {
    const slowness = { usualNs: expected, slowNs: slowNs ?? Number.POSITIVE_INFINITY }
    const edge = caller === undefined ? undefined : edgeKey(caller, callerOperation ?? '', service)
    switch (signal) {
      case 'silence':
      case 'fan-out':
      case 'cache-misses':
      case 'traffic':
        return undefined
      // Whoever fails logs it, too.
      case 'logs':
        break
      case 'origin-errors':
        find(operations, operationKey(service, operation), { errors: true })
        break
      case 'self-time':
        find(operations, operationKey(service, operation), { self: slowness })
        break
      case 'wire-time':
        if (edge !== undefined) find(edges, edge, { wire: slowness })
        break
      case 'unanswered':
      case 'errors':
        if (edge !== undefined) find(edges, edge, { errors: true, ...failedWaitOf(edge, known) })
        break
      case 'latency':
        if (edge !== undefined) find(edges, edge, { wait: slowness })
        break
    }
  }
  if (operations.size + edges.size === 0) return undefined
  const foundAt = (call: RunCall): Place | undefined =>
    call.kind === 'peer' || call.kind === 'publish'
      ? edges.get(edgeKey(call.caller, call.callerOperation, call.service))
      : operations.get(operationKey(call.service, call.operation))
  const foundOnWay = (call: RunCall): Place | undefined =>
    call.kind === 'sync' ? edges.get(edgeKey(call.caller, call.callerOperation, call.service)) : undefined
  return {
    reliefOf: (call) => {
      const at = foundAt(call)
      const onWay = foundOnWay(call)
      if (at === undefined && onWay === undefined) return noRelief
      return {
        error: at?.errors === true && call.originError,
        selfNs: excessOf(call.selfNs, at?.self),
        wireNs: excessOf(call.wireNs, onWay?.wire),
        waitNs: Math.max(
          excessOf(call.durationNs, at?.wait),
          call.failed ? excessOf(call.durationNs, at?.failedWait) : 0,
        ),
      }
    },
    concerns: (call) => foundAt(call) !== undefined || foundOnWay(call) !== undefined,
  }
}

/** How long calls into each operation usually take at most. */
export function usualNsMaxOf({ operations }: Picture): (call: RunCall) => number | undefined {
  return ({ service, operation }) => {
    const usual = operations.get(operationKey(service, operation))
    if (usual === undefined || usual.calls < parameters.blame.baselineCallsMin) return undefined
    return bucketMiddle(slowAbove(usual.duration, parameters.slowTail))
  }
}

function failedWaitOf(edge: string, { edges }: Picture): { failedWait?: Slowness } {
  const usual = edges.get(edge)
  if (usual === undefined || usual.calls === 0) return {}
  const usualNs = waitedNs(usual) / usual.calls
  return { failedWait: { usualNs, slowNs: usualNs * parameters.blame.slowFactor } }
}

function excessOf(ns: number, slowness: Slowness | undefined): number {
  return slowness === undefined || ns <= slowness.slowNs ? 0 : Math.max(0, ns - slowness.usualNs)
}
