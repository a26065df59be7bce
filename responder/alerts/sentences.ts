// What a message says, in words that every format shares.
import type { AlertIncident, AlertMessage } from '@headwater/vocabulary'

/** One line for where there is room for one line only, such as a lock screen. */
export function headline(message: AlertMessage): string {
  const { severity, incidents, incidentsTotal, isTest } = message
  const title = incidents[0]?.title ?? ''
  const more = incidentsTotal > 1 ? ` (and ${incidentsTotal - 1} more)` : ''
  return `${isTest ? 'TEST: ' : ''}${happened(message)} [${severity}] ${title}${more}`
}

/** What happened, in the fewest words. */
export function happened({ change, incidents }: AlertMessage): string {
  const isPart = change === 'resolved' && incidents.every(({ mergedInto }) => mergedInto !== undefined)
  return isPart ? 'Part of another incident' : changeWords[change]
}

const changeWords = {
  opened: 'Incident',
  updated: 'Incident update',
  acknowledged: 'Acknowledged',
  resolved: 'Resolved',
} as const

/** Where it started and how sure that is. */
export function causeSentence({ cause, confidence, noCauseReason }: AlertIncident): string {
  if (cause === null) return noCauseReason ?? 'No service stands out as the cause.'
  const place = `${cause.service} ${cause.operation}`.trim()
  const peer = cause.peer === null ? '' : `, which waits for ${cause.peer} or fails with it`
  return `${place} (${cause.kind})${peer}; confidence ${percent(confidence)}.`
}

/** Whom it hits. */
export function impactSentence({ impact }: AlertIncident): string {
  const { services, servicesTotal, flows, flowsTotal, users } = impact
  const parts = [
    ...flows.map(
      ({ name, runsAffected, runs, share }) => `${name}: ${runsAffected} of ${runs} runs (${percent(share)})`,
    ),
    ...(flowsTotal > flows.length ? [`${flowsTotal - flows.length} more flows`] : []),
    ...(users.affected > 0 ? [`${users.affected} of ${users.seen} users (${percent(users.share)})`] : []),
    ...(services.length > 0 ? [`services ${services.join(', ')}${servicesTotal > services.length ? ', …' : ''}`] : []),
  ]
  return parts.length === 0 ? 'Nobody is known to be hit yet.' : `${parts.join('; ')}.`
}

/** A run to look at; `undefined` when none is known. */
export function exampleSentence({ example }: AlertIncident): string | undefined {
  if (example === null) return undefined
  return `${example.flow === '' ? 'Flow' : example.flow} ${example.flowId}`
}

export function percent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`
}
