import type { Explanation } from '@headwater/vocabulary'
import { apiUrl, ask, refusalOf } from './ask.ts'

/** Asks the API to explain a run. */
export async function explain(id: string, url: string | undefined): Promise<Explanation> {
  const response = await ask(apiUrl(url), `/api/v1/executions/${encodeURIComponent(id)}/explain`)
  if (!response.ok) throw new Error(await refusalOf(response))
  return (await response.json()) as Explanation
}

/** An explanation as text: the answer first, then why. */
export function explainReport({
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
        `  ${Math.round(cause.score * 100)} %  ${cause.service} ${cause.operation} (${cause.kind}${cause.peer === undefined ? '' : `: ${cause.peer}`})`,
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
