// What changed before an incident began: what somebody reported, and versions that spans show for the first time.
import { readChanges, readVersions, type Store, type TimeRange, type VersionSeen } from '@headwater/store'
import type { Change, Evidence, SeenChange } from '@headwater/vocabulary'
import { nameOf } from './cause.ts'
import { parameters } from './parameters.ts'

/** Changes that are told at most, the latest. */
const changesMax = 20

/** Changes of the given services (keys) that can have to do with what began at `fromMs`, the latest first; versions up to `newUntilMs`. */
export async function readSeenChanges(
  store: Store,
  { fromMs, toMs, newUntilMs, services }: TimeRange & { newUntilMs: number; services: string[] },
): Promise<SeenChange[]> {
  const { changeBeforeMs, versionsBeforeMs } = parameters
  const [reported, versions] = await Promise.all([
    readChanges(store, { fromMs: fromMs - changeBeforeMs, toMs, services: [...new Set(services.map(nameOf))] }),
    readVersions(store, { fromMs: fromMs - versionsBeforeMs, toMs, services: [...new Set(services)] }),
  ])
  return [...reported.map(toSeenChange), ...newVersions(versions, { sinceMs: fromMs, newUntilMs })]
    .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, changesMax)
}

/**
 * Versions that a service first showed shortly before `sinceMs`, or up to `newUntilMs`, after others. The only version of a
 * service is no change: the service may be new. Nor is one that comes later, which may be the mend.
 */
export function newVersions(
  versions: readonly VersionSeen[],
  { sinceMs, newUntilMs }: { sinceMs: number; newUntilMs: number },
): SeenChange[] {
  return versions.flatMap(({ service, version, firstMs }): SeenChange[] => {
    const before = versions.filter((other) => other.service === service && other.firstMs < firstMs)
    const isNew = firstMs >= sinceMs - parameters.changeBeforeMs && firstMs <= newUntilMs
    if (!isNew || before.length === 0) return []
    return [
      {
        kind: 'version',
        service: nameOf(service),
        version,
        versionsBefore: before.map((other) => other.version).toSorted(),
        description: null,
        at: new Date(firstMs).toISOString(),
      },
    ]
  })
}

function toSeenChange({ kind, service, version, description, at }: Change): SeenChange {
  return { kind, service, version, versionsBefore: [], description, at }
}

/** A change as evidence. */
export function changeEvidence(change: SeenChange, sinceMs: number): Evidence {
  const around = { since: shifted(change.at, -60_000), until: shifted(change.at, 60_000) }
  const asked = new URLSearchParams({ service: change.service, ...around }).toString()
  return {
    signal: 'change',
    sentence: changeSentence(change, sinceMs),
    query: change.kind === 'version' ? null : `/api/v1/changes?${asked}`,
    change,
  }
}

function changeSentence(
  { kind, service, version, versionsBefore, description, at }: SeenChange,
  sinceMs: number,
): string {
  const when = `${agoOf(sinceMs - Date.parse(at))} (${at})`
  if (kind === 'version') {
    return `Version ${version ?? ''} of ${service} took its first call ${when}; before, there was ${versionsBefore.join(', ')}.`
  }
  const what = [version, description].filter((part) => part !== null && part !== '').join(': ')
  return `A ${kind} of ${service}${what === '' ? '' : ` (${what})`} was reported ${when}.`
}

/** `40 s before it began`. */
function agoOf(beforeMs: number): string {
  const seconds = Math.round(Math.abs(beforeMs) / 1_000)
  if (seconds === 0) return 'just as it began'
  const long = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  return `${long} ${beforeMs > 0 ? 'before' : 'after'} it began`
}

function shifted(at: string, ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString()
}
