// Who resolves an incident that goes on says: this is known. It stays resolved while there is nothing to add to that.
import type { TrackedIncident } from '@headwater/store'
import type { Cause } from '@headwater/vocabulary'
import { nameOf, type Suspect } from './cause.ts'
import type { Group } from './group.ts'
import { parameters } from './parameters.ts'

/** The first suspect as causes are compared: operations of a sick service take turns, so they do not count. */
export type Accused = Pick<Suspect, 'service' | 'kind' | 'peer'>

/** Whether a cause that was told is the one that is accused now. */
export function isSameCause({ service, kind, peer }: Cause, accused: Accused): boolean {
  const accusedPeer = accused.peer === undefined ? undefined : nameOf(accused.peer)
  return service === nameOf(accused.service) && kind === accused.kind && peer === accusedPeer
}

/**
 * What a group tells that was not known when its incident was resolved, in words: a service that was not hit, another cause,
 * or the same anomaly much worse. `undefined` where there is nothing new.
 */
export function newEvidence(incident: TrackedIncident, group: Group, accused: Accused | undefined): string | undefined {
  const by = incident.resolvedBy ?? 'somebody'
  const added = group.services.filter((service) => !incident.scope.includes(service)).map(nameOf)
  if (added.length > 0)
    return `${added.slice(0, 3).join(', ')} ${added.length === 1 ? 'departs' : 'depart'} from normal too, unlike when ${by} resolved it.`
  if (accused !== undefined && !incident.causes.some((cause) => isSameCause(cause, accused))) {
    return `The cause is now ${nameOf(accused.service)} (${accused.kind}), which was none when ${by} resolved it.`
  }
  for (const { signal, service, operation, caller, seen, expected } of group.findings) {
    const before = incident.anomalies.find(
      (anomaly) =>
        anomaly.signal === signal &&
        anomaly.service === nameOf(service) &&
        anomaly.operation === operation &&
        anomaly.caller === (caller === undefined ? undefined : nameOf(caller)),
    )
    // Silence cannot grow: what is missing is missing.
    if (before === undefined || signal === 'silence') continue
    // Of traffic and of work that is left out less is worse.
    if (Math.abs(seen - expected) >= parameters.worseFactor * Math.abs(before.seen - before.expected)) {
      return `${nameOf(service)} ${operation} is at least ${parameters.worseFactor} times as bad (${signal}) as when ${by} resolved it.`
    }
  }
  return undefined
}
