// Incidents as the analyzer would write them.
import { type Cause, type Impact, type Incident, withInterval } from '@headwater/vocabulary'
import { type AlertsConfiguration, configurationForm } from './configuration.ts'

export interface IncidentChange {
  id?: string
  service?: string
  operation?: string
  cause?: Partial<Cause> | null
  services?: string[]
  flow?: string
  runs?: [affected: number, all: number]
  users?: [affected: number, seen: number]
  openedMs?: number
  resolvedMs?: number
  mergedInto?: string | null
  title?: string
  acknowledgedBy?: string
  /** Why it is open again. */
  returned?: string
}

/** `payments` fails, and half of a checkout's runs with it. */
export function testIncident({
  id = 'one',
  service = 'payments',
  operation = 'POST /charge',
  cause = {},
  services = [service, 'shop'],
  flow = 'POST /checkout',
  runs = [200, 1_000],
  users = [10, 400],
  openedMs = 0,
  resolvedMs,
  mergedInto = null,
  title = `${service} ${operation} fails`,
  acknowledgedBy,
  returned,
}: IncidentChange = {}): Incident {
  const time = (ms: number) => new Date(ms).toISOString()
  const impact: Impact = {
    services,
    flows: [{ name: flow, runsAffected: runs[0], runs: runs[1], ...withInterval(...runs) }],
    users: { affected: users[0], seen: users[1], ...withInterval(...users) },
    atRisk: [],
    since: time(openedMs - 20_000),
  }
  return {
    id,
    state: resolvedMs === undefined ? 'open' : 'resolved',
    title,
    since: time(openedMs - 20_000),
    openedAt: time(openedMs),
    updatedAt: time(resolvedMs ?? openedMs),
    resolvedAt: resolvedMs === undefined ? null : time(resolvedMs),
    causes:
      cause === null
        ? []
        : [
            {
              service,
              operation,
              kind: 'errors',
              score: 0.9,
              evidence: [{ signal: 'origin-errors', sentence: '20 % of its calls fail by themselves.', query: null }],
              path: [
                { service, operation },
                { service: 'shop', operation: flow },
              ],
              ...cause,
            },
          ],
    impact,
    anomalies: [],
    resolvedBy: null,
    mergedInto,
    reopenings: returned === undefined ? 0 : 1,
    reopened: returned === undefined ? [] : [{ at: time(openedMs), why: returned }],
    confidence: cause === null ? 0 : 0.8,
    noCauseReason: cause === null ? 'Two services are as suspect as each other.' : null,
    changes: [],
    acknowledged: acknowledgedBy === undefined ? null : { by: acknowledgedBy, at: time(openedMs) },
    comments: [],
    verdict: null,
  }
}

/** A file of routes, already read. */
export function testConfiguration(file: unknown): AlertsConfiguration {
  return configurationForm.parse(file)
}

export const testSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
