import { attributeWords } from './attribute-words.ts'
import type { Impact, Incident } from './incident.ts'

/** Something worth looking at next. */
export interface NextLook {
  sentence: string
  /** Relative URL of our API that shows it; null where we cannot. */
  query: string | null
}

/** Below this a first cause is a hint, and the second one worth a look. */
const sureFrom = 0.7

/** What to look at next, by what an incident tells: the likeliest mend first. */
export function nextLooks({
  causes,
  confidence,
  impact,
  changes,
  since,
}: Pick<Incident, 'causes' | 'confidence' | 'impact' | 'changes' | 'since'>): NextLook[] {
  const [first, second] = causes
  const looks: NextLook[] = []
  const flow = flowWithBadRuns(impact)
  const failedRuns =
    flow === undefined
      ? undefined
      : {
          sentence: `Runs of ${flow} that failed; \`headwater explain <flow ID>\` follows one to its origin.`,
          query: `/api/v1/executions?${new URLSearchParams({ flow, status: 'error', since }).toString()}`,
        }
  if (first === undefined) return failedRuns === undefined ? [] : [failedRuns]
  const change = changes.find(
    ({ service, at }) => service === first.service && Date.parse(at) <= Date.parse(since) + 60_000,
  )
  if (change !== undefined) {
    const before = change.versionsBefore.length === 0 ? '' : ` to ${change.versionsBefore.join(' or ')}`
    looks.push({
      sentence: `Whether to undo the ${change.kind === 'version' ? 'change of version' : change.kind} of ${change.service}${change.version === null ? '' : ` (${change.version})`}${change.kind === 'version' ? `, back${before}` : ''}: it came at ${change.at}, just before.`,
      query: null,
    })
  }
  if (
    first.attribute !== undefined &&
    (first.attribute.name !== 'service.version' || first.attribute.and !== undefined)
  ) {
    looks.push({
      sentence: `What is different about ${attributeWords(first.attribute)}: ${percent(first.attribute.badShare)} of the calls with it are bad, ${percent(first.attribute.goodShare)} of the others.`,
      query: null,
    })
  }
  looks.push({ sentence: placeToLook(first), query: first.evidence.find(({ query }) => query !== null)?.query ?? null })
  if (second !== undefined && confidence < sureFrom) {
    looks.push({
      sentence: `${`${second.service} ${second.operation}`.trim()} (${second.kind}), too: the first cause is only ${Math.round(confidence * 100)} % sure.`,
      query: second.evidence.find(({ query }) => query !== null)?.query ?? null,
    })
  }
  if (failedRuns !== undefined) looks.push(failedRuns)
  looks.push({
    sentence: `Who else depends on ${first.service}, and may be hit next.`,
    query: `/api/v1/impact?${new URLSearchParams({ service: first.service }).toString()}`,
  })
  return looks
}

function percent(share: number): string {
  const all = share * 100
  return `${all > 0 && all < 10 ? all.toFixed(1) : Math.round(all)} %`
}

function placeToLook({ service, operation, kind, peer }: Incident['causes'][number]): string {
  const place = `${service} ${operation}`.trim()
  switch (kind) {
    case 'errors':
      return `What ${place} throws, and its log.`
    case 'latency':
      return `What ${place} does by itself that takes so long: its CPU, locks, pools.`
    case 'unavailable':
      return `Whether ${service} runs, and whether its callers can reach it.`
    case 'dependency':
      return `Whether ${peer ?? 'the peer'} is well: ${place} waits for it, or fails with it, and it sends no spans.`
  }
}

/** The flow of which most runs went wrong that came: those that are missing cannot be looked at. */
export function flowWithBadRuns({ flows }: Impact): string | undefined {
  const wrong = ({ runsAffected, missing }: Impact['flows'][number]): number => runsAffected - (missing?.runs ?? 0)
  return flows.filter((flow) => wrong(flow) > 0).toSorted((a, b) => wrong(b) - wrong(a))[0]?.name
}
