// `headwater explain`: a run by its ID, an incident by its ID, a time of the past, or, without any of these, how it is now.
import type { Explanation, Incident, PastExplanation } from '@headwater/vocabulary'
import { apiUrl, ask, refusalOf } from './ask.ts'
import { incidentReport, openReport, pastReport, type ToldIncident } from './incident-report.ts'
import { printable } from './printable.ts'

export interface ExplainOptions {
  url?: string
  from?: string
  to?: string
  baselineFrom?: string
  baselineTo?: string
  json?: boolean
}

/** A time of the past takes longer than anything else. */
const pastWithinMs = 180_000

/** Asks the API, and gives its answer as text or, if so wished, as JSON. */
export async function explain(id: string | undefined, options: ExplainOptions): Promise<string> {
  const { url, json = false } = options
  const base = apiUrl(url)
  const told = <Answer>(answer: Answer, report: (answer: Answer) => string): string =>
    json ? `${JSON.stringify(answer)}\n` : report(printable(answer))
  if (id === undefined) {
    const past = pastPath(options)
    if (past === undefined) return await explainNow(base, json)
    const answer = await read<PastExplanation>(base, past, pastWithinMs)
    return told(answer, (explanation) => pastReport(explanation, base))
  }
  if (pastPath(options) !== undefined) throw new Error('Give an ID, or --from and --to: not both')
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    const incident = await read<ToldIncident>(base, `/api/v1/incidents/${id}`)
    return told(incident, (found) => incidentReport(found, { apiUrl: base, nowMs: Date.now() }))
  }
  const explanation = await read<Explanation>(base, `/api/v1/executions/${encodeURIComponent(id)}/explain`)
  return told(explanation, explainReport)
}

/** The open incidents; without any, that none is open, or why nobody can tell. */
async function explainNow(base: string, json: boolean): Promise<string> {
  const [state, incidents] = await Promise.all([
    read<{ state: string; summary: string }>(base, '/api/v1/state'),
    read<{ items: Incident[] }>(base, '/api/v1/incidents?state=open&limit=200'),
  ])
  if (json) return `${JSON.stringify({ ...state, incidents: incidents.items })}\n`
  const open = incidents.items.length === 0 ? '' : `\n${openReport(printable(incidents.items), Date.now())}`
  return `${state.summary}\n${open}`
}

function pastPath({ from, to, baselineFrom, baselineTo }: ExplainOptions): string | undefined {
  if (from === undefined && to === undefined) {
    if (baselineFrom === undefined && baselineTo === undefined) return undefined
    throw new Error('--baseline-from and --baseline-to go with --from and --to: give these, too')
  }
  if (from === undefined || to === undefined) throw new Error('--from and --to go together: give both')
  const given = Object.entries({ from, to, baselineFrom, baselineTo }).filter(([, value]) => value !== undefined)
  return `/api/v1/explain?${new URLSearchParams(given as [string, string][]).toString()}`
}

async function read<Answer>(base: string, path: string, withinMs?: number): Promise<Answer> {
  const response = await ask(base, path, withinMs)
  if (!response.ok) throw new Error(await refusalOf(response))
  return (await response.json()) as Answer
}

/** An explanation of a run as text: the answer first, then why. */
function explainReport({
  flowId,
  flowName,
  status,
  origin,
  path,
  reasons,
  causes,
  alsoHit,
  incidentId,
}: Explanation): string {
  const lines = [`${flowName}  ${flowId}  ${status}`]
  if (origin === null) return `${lines[0] ?? ''}\nNothing failed in this run, and nothing was slow.\n`
  const place = `${origin.service} ${origin.operation}`
  lines.push(
    '',
    `Started at    ${place} (${origin.kind}${origin.peer === undefined ? '' : `: ${origin.peer}`})`,
    ...(origin.message === undefined ? [] : [`Message       ${origin.message}`]),
    `Path          ${path.map(({ service, operation }) => `${service} ${operation}`).join('  →  ')}`,
    `Span          ${origin.spanId} of trace ${origin.traceId}`,
    '',
    'Why',
    ...reasons.map((reason) => `  - ${reason}`),
  )
  if (causes.length > 0) {
    lines.push('', `Incident      ${incidentId ?? 'none'}`)
    for (const cause of causes) {
      lines.push(
        `  ${Math.round(cause.score * 100)} % of the weight  ${cause.service} ${cause.operation} (${cause.kind}${cause.peer === undefined ? '' : `: ${cause.peer}`})`,
      )
      lines.push(...cause.evidence.map(({ sentence }) => `        ${sentence}`))
    }
  }
  lines.push(
    '',
    `Also hit      ${alsoHit.users} users; flows: ${alsoHit.flows.length === 0 ? 'none' : alsoHit.flows.join(', ')}`,
    '',
  )
  return lines.join('\n')
}
