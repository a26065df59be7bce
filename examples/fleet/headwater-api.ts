// Headwater as its API shows it: what the demo reads, and nothing more.

import { z } from 'zod'

const attributeForm = { name: z.string(), value: z.string() }

const causeForm = z.looseObject({
  service: z.string(),
  operation: z.string(),
  kind: z.enum(['errors', 'latency', 'unavailable', 'dependency']),
  score: z.number(),
  peer: z.string().optional(),
  attribute: z.looseObject({ ...attributeForm, and: z.array(z.looseObject(attributeForm)).optional() }).optional(),
  evidence: z.array(z.looseObject({ sentence: z.string() })),
  path: z.array(z.looseObject({ service: z.string(), operation: z.string() })),
})

const incidentForm = z.object({
  id: z.string(),
  state: z.enum(['open', 'resolved']),
  title: z.string(),
  openedAt: z.string(),
  causes: z.array(causeForm),
  impact: z.object({
    services: z.array(z.string()),
    flows: z.array(z.object({ name: z.string(), runsAffected: z.number(), runs: z.number(), share: z.number() })),
    users: z.object({ affected: z.number(), seen: z.number(), share: z.number() }),
    since: z.string(),
  }),
})

const explanationForm = z.looseObject({
  flowId: z.string(),
  flowName: z.string(),
  status: z.string(),
  origin: z
    .looseObject({
      service: z.string(),
      operation: z.string(),
      kind: z.string(),
      peer: z.string().optional(),
      message: z.string().optional(),
    })
    .nullable(),
  path: z.array(z.looseObject({ service: z.string(), operation: z.string() })),
  reasons: z.array(z.string()),
  alsoHit: z.object({ flows: z.array(z.string()), users: z.number() }),
  incidentId: z.string().nullable(),
})

const runForm = z.object({
  flowId: z.string(),
  flowName: z.string(),
  status: z.enum(['ok', 'error', 'running']),
  durationMs: z.number(),
  services: z.array(z.string()),
  traceIds: z.array(z.string()),
})

const serviceForm = z.object({ service: z.string(), calls: z.number(), errors: z.number() })

export type Cause = z.infer<typeof causeForm>
export type Incident = z.infer<typeof incidentForm>
export type Explanation = z.infer<typeof explanationForm>
export type Run = z.infer<typeof runForm>
export type ServiceSeen = z.infer<typeof serviceForm>

const answerWithinMs = 10_000

/** The API answered with something else than was asked for. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal'
  readonly status: number

  constructor(url: string, status: number, body: string) {
    super(`Cannot read ${url}: Headwater answered ${status} ${body.slice(0, 300)}`)
    this.status = status
  }
}

/** Open incidents that were opened at `since` or later; all open ones without it. */
export async function readOpenIncidents(apiUrl: string, since?: string): Promise<Incident[]> {
  return items(incidentForm, `${apiUrl}/api/v1/incidents?${query({ state: 'open', since })}`)
}

export async function readIncident(apiUrl: string, id: string): Promise<Incident> {
  return incidentForm.parse(await json(`${apiUrl}/api/v1/incidents/${encodeURIComponent(id)}`))
}

/** Flow runs that began at `since` or later, newest first. */
export async function readRuns(
  apiUrl: string,
  filter: { since: string; status?: 'ok' | 'error'; flow?: string },
): Promise<Run[]> {
  return items(runForm, `${apiUrl}/api/v1/executions?${query({ ...filter, limit: '200' })}`)
}

/** Why a run failed or was slow; undefined when Headwater does not know the run yet. */
export async function readExplanation(apiUrl: string, flowId: string): Promise<Explanation | undefined> {
  try {
    return explanationForm.parse(await json(`${apiUrl}/api/v1/executions/${flowId}/explain`))
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined
    throw error
  }
}

export async function readServices(apiUrl: string): Promise<ServiceSeen[]> {
  return items(serviceForm, `${apiUrl}/api/v1/services`)
}

/** Spans that ClickHouse has. */
export async function readSpansStored(apiUrl: string): Promise<number> {
  const metrics = await text(`${apiUrl}/metrics`)
  const stored = metrics.matchAll(/^headwater_ingest_records_total\{signal="traces",.*outcome="stored".*\} (\d+)$/gm)
  return Array.from(stored, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)
}

function query(parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return new URLSearchParams(given).toString()
}

async function items<T>(form: z.ZodType<T>, url: string): Promise<T[]> {
  return z.object({ items: z.array(form) }).parse(await json(url)).items
}

async function json(url: string): Promise<unknown> {
  return JSON.parse(await text(url))
}

async function text(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) })
  const body = await response.text()
  if (!response.ok) throw new ApiRefusal(url, response.status, body)
  return body
}
