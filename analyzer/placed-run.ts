// The calls of one run, put together: who made which, and when its caller waited for it. Calls know their caller by its name, and of
// several with that name the times tell; what cannot be told is not guessed.
import type { RunCall } from '@headwater/store'

/** A run as its calls tell it. */
export interface PlacedRun {
  /** What the user waited for. */
  top: PlacedCall
  /** Work begun by messages, which fails by itself and keeps nobody waiting. */
  consumers: PlacedCall[]
}

export interface PlacedCall {
  call: RunCall
  /** When its caller waited for it, in nanoseconds of the caller's clock: with both ways, and no longer than the caller was there. */
  fromNs: number
  toNs: number
  /** By their beginnings. */
  calls: PlacedCall[]
}

/** Calls end in whole milliseconds. */
const endsWithinNs = 1e6

/** Waiting that no call explains: beyond both of these, calls are missing. */
const unexplained = { ns: 5e6, share: 0.2 }

/** Puts the calls of a run together; undefined where calls are missing, or nobody can tell who made one. */
export function placeCalls(calls: readonly RunCall[]): PlacedRun | undefined {
  const zeroMs = calls.reduce((earliest, { endMs }) => Math.min(earliest, endMs), Number.POSITIVE_INFINITY)
  const all = calls.map((call): PlacedCall => {
    const toNs = (call.endMs - zeroMs) * 1e6
    return { call, fromNs: toNs - call.durationNs, toNs, calls: [] }
  })
  const hops = all.filter(({ call }) => isHop(call))
  const bySpan = new Map(hops.map((hop) => [hop.call.spanId, hop]))
  const byPlace = Map.groupBy(hops, ({ call }) => placeOf(call.service, call.operation))
  const tops: PlacedCall[] = []
  const consumers: PlacedCall[] = []
  for (const placed of all) {
    const { kind, clientSpanId, caller, callerOperation } = placed.call
    if (kind === 'async') consumers.push(placed)
    else if (kind === 'entry' || (kind === 'sync' && callerOperation === '')) tops.push(placed)
    else {
      const above = bySpan.get(clientSpanId) ?? callerAmong(byPlace.get(placeOf(caller, callerOperation)) ?? [], placed)
      if (above === undefined) return undefined
      above.calls.push(placed)
    }
  }
  // What is done for a message of another trace has no other entry.
  const top = tops[0] ?? consumers.toSorted(byBeginning)[0]
  if (top === undefined || tops.length > 1) return undefined
  const run = { top, consumers: consumers.filter((consumer) => consumer !== top) }
  const reached = [run.top, ...run.consumers]
  for (const hop of reached) reached.push(...hop.calls)
  // Callers that were told by their names may call each other in a circle.
  if (reached.length !== all.length) return undefined
  const own = new Map(all.map((placed) => [placed, { fromNs: placed.fromNs, toNs: placed.toNs }]))
  for (const [hop, time] of own) fitCalls(hop, time)
  return hops.every(isExplained) ? run : undefined
}

/** How long a call takes with the ways to the callee and back. */
export function wholeOf({ kind, durationNs, wireNs }: RunCall): number {
  return kind === 'sync' ? durationNs + wireNs : durationNs
}

/** A callee's entry, rather than a call of which no span of a callee came. */
function isHop({ kind }: RunCall): boolean {
  return kind === 'entry' || kind === 'sync' || kind === 'async'
}

function placeOf(service: string, operation: string): string {
  return `${service}\u0000${operation}`
}

/** Of those with the caller's name, the shortest in whose time the call began and ended; else the only one, since clocks differ. */
function callerAmong(candidates: readonly PlacedCall[], placed: PlacedCall): PlacedCall | undefined {
  const others = candidates.filter((candidate) => candidate !== placed)
  const [shortest] = others
    .filter(({ fromNs, toNs }) => fromNs <= placed.fromNs + endsWithinNs && toNs + endsWithinNs >= placed.toNs)
    .toSorted((a, b) => a.call.durationNs - b.call.durationNs || byBeginning(a, b))
  return shortest ?? (others.length === 1 ? others[0] : undefined)
}

function byBeginning(a: PlacedCall, b: PlacedCall): number {
  return a.fromNs - b.fromNs || a.toNs - b.toNs || (a.call.spanId < b.call.spanId ? -1 : 1)
}

/**
 * Widens calls by their ways and moves them into their caller's time. Nobody knows how much of both ways is the way there: as much of it
 * as there was time for after the calls before. A caller that gave up was gone before its call ended.
 */
function fitCalls(hop: PlacedCall, caller: { fromNs: number; toNs: number }): void {
  let untilNs = Number.NEGATIVE_INFINITY
  for (const placed of hop.calls.toSorted(byBeginning)) {
    const { failed, clientFailed, durationNs } = placed.call
    const [beganNs, lengthNs] = [placed.fromNs, wholeOf(placed.call)]
    const waysNs = lengthNs - durationNs
    const meantNs = untilNs > beganNs ? beganNs - waysNs / 2 : Math.max(untilNs, beganNs - waysNs)
    const latestNs = clientFailed && !failed ? caller.toNs : caller.toNs - lengthNs
    placed.fromNs = Math.max(caller.fromNs, Math.min(meantNs, latestNs))
    placed.toNs = Math.min(caller.toNs, placed.fromNs + lengthNs)
    untilNs = Math.max(untilNs, placed.toNs)
  }
  hop.calls.sort(byBeginning)
}

/** Whether calls and own work make up all of an operation's time. */
function isExplained({ call, calls }: PlacedCall): boolean {
  let [waitedNs, untilNs] = [0, Number.NEGATIVE_INFINITY]
  for (const { fromNs, toNs } of calls) {
    waitedNs += Math.max(0, toNs - Math.max(fromNs, untilNs))
    untilNs = Math.max(untilNs, toNs)
  }
  const missingNs = call.durationNs - waitedNs - call.selfNs
  // Each end is told a millisecond too early at most, so that calls seem to overlap.
  return missingNs <= Math.max(unexplained.ns + endsWithinNs * calls.length, unexplained.share * call.durationNs)
}
