// The analyzer's side of incidents. People's side is in incident-people.ts; neither writes the other's columns.
import type { Change, Incident } from '@headwater/vocabulary'
import { type Selectable, sql } from 'kysely'
import type { Store } from './connect.ts'
import { appendTrail } from './incident-trail.ts'
import { type Lease, LeaseLost } from './lease.ts'
import type { Database } from './postgres.ts'
import { toIncident } from './queries/incidents.ts'
import type { TimeRange } from './windows.ts'

/** An incident with what only the analyzer needs. */
export interface TrackedIncident extends Incident {
  /** Canonical keys of the services that its anomalies speak of: what belongs to it. */
  scope: string[]
  /** Steps since its last anomaly. */
  quietSteps: number
  /** Somebody has resolved it, and it goes on. What belongs to it is not news. */
  isClosed: boolean
}

/** What people say of an incident is theirs: who writes the analyzer's side neither needs nor changes it. */
type People = 'acknowledged' | 'comments' | 'verdict' | 'resolvedBy'

/** The most incidents that can be open at once; the oldest stay. */
const openMax = 100

export async function readOpenIncidents(store: Store): Promise<TrackedIncident[]> {
  const rows = await store.postgres
    .selectFrom('incidents')
    .selectAll()
    .where('state', '=', 'open')
    .orderBy('opened_at')
    .orderBy('id')
    .limit(openMax)
    .execute()
  return rows.map(toTracked)
}

/** The most incidents that are looked at for one that comes back; the last resolved ones. */
const resolvedMax = 100

/** Incidents that ended by themselves since the given time, the last one first; without those that are part of another one. */
export async function readResolvedIncidents(store: Store, sinceMs: number): Promise<TrackedIncident[]> {
  const rows = await store.postgres
    .selectFrom('incidents')
    .selectAll()
    .where('state', '=', 'resolved')
    .where('resolved_at', '>=', new Date(sinceMs))
    .where('merged_into', 'is', null)
    .orderBy('resolved_at', 'desc')
    .limit(resolvedMax)
    .execute()
  return rows.map(toTracked)
}

/** Its state is the analyzer's own here: whether it goes on, closed by somebody or not. */
function toTracked(row: Selectable<Database['incidents']>): TrackedIncident {
  const incident = toIncident(row)
  return {
    ...incident,
    state: row.state,
    resolvedAt: row.resolved_at?.toISOString() ?? null,
    scope: row.scope,
    quietSteps: row.quiet_steps,
    isClosed: incident.resolvedBy !== null,
  }
}

/**
 * When incidents were going on, since the given time. Such times are not normal. Of what leaves its season only, nothing is known to be
 * wrong with the calls that came, and it may go on for days.
 */
export async function readIncidentRanges(store: Store, sinceMs: number, nowMs: number): Promise<TimeRange[]> {
  const rows = await store.postgres
    .selectFrom('incidents')
    .select(['since', 'opened_at', 'resolved_at', 'anomalies'])
    .where((eb) => eb.or([eb('resolved_at', 'is', null), eb('resolved_at', '>', new Date(sinceMs))]))
    .orderBy('since', 'desc')
    .limit(1_000)
    .execute()
  return rows
    .filter(({ anomalies }) => anomalies.length === 0 || anomalies.some(({ isOfSeason }) => isOfSeason !== true))
    .map(({ since, opened_at, resolved_at }) => ({
      // What came back began anew, and its earlier times are no more normal.
      fromMs: Math.min(since.getTime(), opened_at.getTime()),
      toMs: resolved_at?.getTime() ?? nowMs,
    }))
}

/** Writes the analyzer's side of an incident, and appends the change to ClickHouse. Throws {@link LeaseLost} for an old epoch. */
export async function saveIncident(
  store: Store,
  lease: Lease,
  incident: Omit<TrackedIncident, People | 'isClosed'>,
): Promise<void> {
  const resolvedAt = incident.resolvedAt === null ? null : new Date(incident.resolvedAt)
  const { rows } = await sql<Selectable<Database['incidents']>>`
    INSERT INTO incidents (id, state, title, since, opened_at, updated_at, resolved_at, quiet_steps, scope, anomalies, causes, impact,
      confidence, no_cause_reason, changes, reopenings, reopened, merged_into, epoch)
    SELECT ${incident.id}, ${incident.state}, ${incident.title}, ${new Date(incident.since)}, ${new Date(incident.openedAt)},
      ${new Date(incident.updatedAt)}, ${resolvedAt}, ${incident.quietSteps}, ${JSON.stringify(incident.scope)}::jsonb,
      ${JSON.stringify(incident.anomalies)}::jsonb, ${JSON.stringify(incident.causes)}::jsonb, ${JSON.stringify(incident.impact)}::jsonb,
      ${incident.confidence}, ${incident.noCauseReason}, ${JSON.stringify(incident.changes)}::jsonb, ${incident.reopenings},
      ${JSON.stringify(incident.reopened)}::jsonb, ${incident.mergedInto}, ${lease.epoch}
    WHERE EXISTS (SELECT 1 FROM leases WHERE name = 'analyzer' AND epoch = ${lease.epoch})
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, title = excluded.title, since = excluded.since, updated_at = excluded.updated_at,
      resolved_at = excluded.resolved_at, quiet_steps = excluded.quiet_steps, scope = excluded.scope, anomalies = excluded.anomalies,
      causes = excluded.causes, impact = excluded.impact, confidence = excluded.confidence, no_cause_reason = excluded.no_cause_reason,
      changes = excluded.changes, reopenings = excluded.reopenings, reopened = excluded.reopened,
      merged_into = excluded.merged_into, epoch = excluded.epoch
    RETURNING *`.execute(store.postgres)
  const [row] = rows
  if (row === undefined) throw new LeaseLost(lease.epoch)
  await appendTrail(store, toIncident(row), { at: incident.updatedAt })
}

/** Reported changes of the given services (plain names) in a range, newest first. */
export async function readChanges(
  store: Store,
  { fromMs, toMs, services }: TimeRange & { services: string[] },
): Promise<Change[]> {
  if (services.length === 0) return []
  const rows = await store.postgres
    .selectFrom('changes')
    .selectAll()
    .where('at', '>=', new Date(fromMs))
    .where('at', '<', new Date(toMs))
    .where('service', 'in', services)
    .orderBy('at', 'desc')
    .limit(20)
    .execute()
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
}
