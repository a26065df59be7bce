// Exclusive excess for each call: which service answers for what went wrong in a time, once it is known that something did. Direct
// evidence is what happens on the way to a service: calls that it does not answer, or time between the caller's span and its
// own. Then there is what goes wrong within: its own time, errors with no failing call below, and lines of log that its spans began or ceased to write.
import type { Suspect } from './cause.ts'
import { type Charge, chargesOf, type Testimony } from './charges.ts'
import type { LogPatterns } from './changed-logs.ts'
import type { Finding } from './detect.ts'
import { parameters } from './parameters.ts'
import type { Picture } from './picture.ts'

const noLogs: LogPatterns = { recent: [], usual: [] }

/** Suspects, the most suspect first: one a service. `known` is the normal picture. */
export function blame(
  recent: Picture,
  known: Picture,
  { logs = noLogs, alarms = [], wasSlow = false, slowdown = 1 }: Testimony = {},
): Suspect[] {
  const charges = chargesOf(recent, known, { logs, alarms, wasSlow, slowdown })
  const ancestors = ancestorsIn(known)
  return charges
    .map((charge) => toSuspect(charge, weightOf(charge, charges, ancestors)))
    .toSorted((a, b) => b.weight - a.weight || (a.service < b.service ? -1 : 1))
}

/**
 * Bad calls that nobody else explains, over all calls to a power. A service that calls another suspect, directly or through
 * others, has the share of its own trouble left that the other's bad calls leave: some of its calls to it are not in the traces.
 */
function weightOf(charge: Charge, charges: readonly Charge[], ancestors: Map<string, Set<string>>): number {
  const { callsExponent, errorsExplained, slowTimeMin } = parameters.blame
  const mostNs = Math.max(...charges.map(({ slowNs }) => slowNs))
  // Who is slower by little beside another explains little of what is slow.
  const ofTime = charge.slowNs === 0 ? 1 : Math.min(1, charge.slowNs / (mostNs * slowTimeMin))
  let left = 1
  let errorsLeft = 1
  for (const other of charges) {
    if (other === charge) continue
    if (isAbove(charge.service, other.service, ancestors)) left = Math.min(left, 1 - badShare(other))
    errorsLeft = Math.min(errorsLeft, 1 - errorsExplained * slowShare(other))
  }
  // Who has no worker left refuses.
  errorsLeft = Math.min(errorsLeft, 1 - errorsExplained * charge.queued)
  const { direct, errors, logs } = charge
  const slow = charge.slow * (1 - charge.queued) * ofTime
  const calls = Math.max(1, charge.calls) ** callsExponent
  const within = Math.max(Math.max(slow, errors * errorsLeft) / calls, logs.spans / logs.ofSpans ** callsExponent)
  return direct / calls + within * left
}

function slowShare({ direct, slow, calls }: Charge): number {
  return Math.min(1, (direct + slow) / Math.max(1, calls))
}

function badShare(charge: Charge): number {
  const { errors, calls, logs } = charge
  const failed = (parameters.blame.errorsExplained * errors) / Math.max(1, calls)
  return Math.min(1, Math.max(slowShare(charge) + failed, logs.spans / logs.ofSpans))
}

/** Whether one calls the other, and not the other way round too. */
function isAbove(service: string, other: string, ancestors: Map<string, Set<string>>): boolean {
  return ancestors.get(other)?.has(service) === true && ancestors.get(service)?.has(other) !== true
}

/** Who has many operations has much to say; the first lines matter. */
const findingsMax = 20

function toSuspect({ service, findings }: Charge, weight: number): Suspect {
  const sorted = findings.toSorted((a, b) => b.excessCalls - a.excessCalls).slice(0, findingsMax)
  const [first] = sorted
  if (first !== undefined && isAtPeer(first)) {
    const { caller = '', callerOperation = '' } = first
    return { service: caller, operation: callerOperation, kind: 'dependency', peer: service, weight, findings: sorted }
  }
  // How often others are called is told of who calls them.
  const operation = first?.signal === 'fan-out' ? first.callerOperation : first?.operation
  return { service, operation: operation ?? '', kind: kindOf(first), weight, findings: sorted }
}

/** Errors and waiting at an edge are told of peers that send no spans, as are misses. */
function isAtPeer({ signal, caller }: Finding): boolean {
  return caller !== undefined && (signal === 'errors' || signal === 'latency' || signal === 'cache-misses')
}

function kindOf(finding: Finding | undefined): Suspect['kind'] {
  // Who leaves out work fails, though it says that it does not.
  if (finding?.signal === 'fan-out' && finding.seen < finding.expected) return 'errors'
  switch (finding?.signal) {
    case 'unanswered':
    case 'silence':
      return 'unavailable'
    case 'errors':
    case 'origin-errors':
    case 'logs':
      return 'errors'
    case 'latency':
    case 'self-time':
    case 'wire-time':
    case 'fan-out':
    case 'cache-misses':
    case 'traffic':
    case undefined:
      return 'latency'
  }
}

/** For each service all that call it, directly or through others. */
function ancestorsIn({ edges }: Picture): Map<string, Set<string>> {
  const callers = new Map<string, Set<string>>()
  for (const { caller, service } of edges.values()) {
    const known = callers.get(service)
    if (known === undefined) callers.set(service, new Set([caller]))
    else known.add(caller)
  }
  return new Map(
    [...callers].map(([service, direct]) => {
      const found = new Set(direct)
      for (const at of found) for (const caller of callers.get(at) ?? []) found.add(caller)
      return [service, found]
    }),
  )
}
