import type { Impact, Severity } from '@headwater/vocabulary'

/** From the least to the worst. */
export const severities = ['info', 'warning', 'error', 'critical'] as const satisfies Severity[]

/** From this share of its runs or of the users on, and from so many of them on: one failed run of one is no disaster. */
const steps = [
  { severity: 'critical', runShare: 0.5, runs: 10, userShare: 0.2, users: 10 },
  { severity: 'error', runShare: 0.05, runs: 3, userShare: 0.02, users: 3 },
  { severity: 'warning', runShare: 0, runs: 1, userShare: 0, users: 1 },
] as const

/**
 * How bad an incident is, by whom it hits, and not by what broke: `critical` when half of a flow's runs or a fifth of its
 * users are affected (ten of them at least), `error` from a twentieth of the runs or a fiftieth of the users on (three at
 * least), `warning` when anybody is affected, `info` when nobody is yet.
 */
export function severityOf({ flows, users }: Impact): Severity {
  const step = steps.find(
    ({ runShare, runs, userShare, users: usersMin }) =>
      flows.some(({ share, runsAffected }) => share >= runShare && runsAffected >= runs) ||
      (users.share >= userShare && users.affected >= usersMin),
  )
  return step?.severity ?? 'info'
}

/** Whether `severity` is as bad as `least`, or worse. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(least)
}

/** The worst of some; `info` of none. */
export function worstOf(some: readonly Severity[]): Severity {
  return severities.findLast((severity) => some.includes(severity)) ?? 'info'
}
