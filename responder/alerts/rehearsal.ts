// What `headwater alert test` sends: an incident that is none, opened and resolved, so that nothing stays open anywhere.
import { randomUUID } from 'node:crypto'
import { type AlertChange, type AlertMessage, type Incident, withInterval } from '@headwater/vocabulary'
import { alertExample } from './example-run.ts'
import { alertRequest } from './formats/request.ts'
import { post } from './http/post.ts'
import { reasonOf } from './outcome.ts'
import { subjectOf } from './route.ts'
import type { AlertSettings } from './settings.ts'

/** What a destination said to one message. */
export interface Rehearsal {
  route: string
  destination: string
  change: AlertChange
  isTaken: boolean
  says: string
}

/** No route has that name. */
export class UnknownRoute extends Error {
  override name = 'UnknownRoute'
}

/** Sends both messages of an example to each destination of a route, or of all routes, and gives what they said. */
export async function rehearse(
  { configuration, publicUrl }: AlertSettings,
  {
    route: wanted,
    nowMs = Date.now,
    onResult,
  }: { route?: string; nowMs?: () => number; onResult?: (result: Rehearsal) => void | Promise<void> } = {},
): Promise<Rehearsal[]> {
  const routes = configuration.routes.filter(({ name }) => wanted === undefined || name === wanted)
  if (routes.length === 0) {
    const known = configuration.routes.map(({ name }) => name).join(', ') || 'the file has none'
    throw new UnknownRoute(
      wanted === undefined
        ? 'Cannot test: the file has no routes'
        : `Cannot find the route "${wanted}": use one of ${known}`,
    )
  }
  const results: Rehearsal[] = []
  for (const { name: route, to } of routes) {
    for (const name of to) {
      const destination = configuration.destinations[name]
      if (destination === undefined) continue
      const id = `test-${randomUUID()}`
      for (const change of ['opened', 'resolved'] as const) {
        const message = exampleMessage({ id, change, route, publicUrl, nowMs: nowMs() })
        const request = alertRequest(message, destination, { name, publicUrl, nowMs: nowMs() })
        const reply = await post({ ...request, reach: destination.private ? 'anywhere' : 'public' })
        const isTaken = reply.kind === 'answered' && reply.status >= 200 && reply.status < 300
        const result = { route, destination: name, change, isTaken, says: reasonOf(reply) }
        results.push(result)
        await onResult?.(result)
      }
    }
  }
  return results
}

/** An example in which nothing is left out. */
export function exampleMessage({
  id,
  change,
  route,
  publicUrl,
  nowMs,
}: {
  id: string
  change: AlertChange
  route: string
  publicUrl: string
  nowMs: number
}): AlertMessage {
  const ago = (seconds: number) => new Date(nowMs - seconds * 1_000).toISOString()
  const resolvedAt = change === 'resolved' ? ago(0) : null
  const incident: Incident = {
    id,
    state: resolvedAt === null ? 'open' : 'resolved',
    title: 'payments POST /charge fails',
    since: ago(150),
    openedAt: ago(120),
    updatedAt: ago(0),
    resolvedAt,
    resolvedBy: null,
    mergedInto: null,
    reopenings: 0,
    reopened: [],
    confidence: 0.9,
    noCauseReason: null,
    changes: [],
    acknowledged: null,
    comments: [],
    verdict: null,
    causes: [
      {
        service: 'payments',
        operation: 'POST /charge',
        kind: 'errors',
        score: 0.93,
        evidence: [
          {
            signal: 'origin-errors',
            sentence: '41 % of its calls fail by themselves, 0.2 % are normal.',
            query: null,
          },
        ],
        path: [
          { service: 'payments', operation: 'POST /charge' },
          { service: 'shop', operation: 'POST /checkout' },
        ],
      },
    ],
    impact: {
      services: ['payments', 'shop'],
      flows: [{ name: 'POST /checkout', runsAffected: 412, runs: 1_004, ...withInterval(412, 1_004) }],
      users: { affected: 118, seen: 390, ...withInterval(118, 390) },
      atRisk: [],
      since: ago(150),
    },
    anomalies: [],
  }
  const told = subjectOf(incident, publicUrl).incident
  return {
    id: `msg_${id}-${change}`,
    thread: id,
    change,
    at: ago(0),
    route,
    severity: told.severity,
    news: [],
    incidents: [{ ...told, example: alertExample('0af7651916cd43dd8448eb211c80319c', 'POST /checkout', publicUrl) }],
    incidentsTotal: 1,
    isTest: true,
  }
}
