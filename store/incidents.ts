// The analyzer's side of incidents: the row that lives in PostgreSQL, and the trail of it in ClickHouse.
import type { Change, Incident } from '@headwater/vocabulary'
import { sql } from 'kysely'
import type { Store } from './connect.ts'
import { type Lease, LeaseLost } from './lease.ts'
import { toIncident } from './queries/incidents.ts'
import type { TimeRange } from './states.ts'

/** An incident with what only the analyzer needs. */
export interface TrackedIncident extends Incident {
  /** Canonical keys of the services that its anomalies speak of: what belongs to it. */
  scope: string[]
  /** Steps since its last anomaly. */
  quietSteps: number
}

/** The most incidents that can be open at once; the oldest stay. */
const openMax = 100

export async function readOpenIncidents(store: Store): Promise<TrackedIncident[]> {
  const rows = await store.postgres
    .selectFrom('incidents')
    .selectAll()
    .where('state', '=', 'open')
    .orderBy('opened_at')
    .limit(openMax)
    .execute()
  return rows.map((row) => ({ ...toIncident(row), scope: row.scope, quietSteps: row.quiet_steps }))
}

/** When incidents were going on, since the given time. Such times are not normal. */
export async function readIncidentRanges(store: Store, sinceMs: number, nowMs: number): Promise<TimeRange[]> {
  const rows = await store.postgres
    .selectFrom('incidents')
    .select(['since', 'resolved_at'])
    .where((eb) => eb.or([eb('resolved_at', 'is', null), eb('resolved_at', '>', new Date(sinceMs))]))
    .orderBy('since', 'desc')
    .limit(1_000)
    .execute()
  return rows.map(({ since, resolved_at }) => ({ fromMs: since.getTime(), toMs: resolved_at?.getTime() ?? nowMs }))
}

/** Writes an incident as it is now, and appends the change to ClickHouse. Throws {@link LeaseLost} for an old epoch. */
export async function saveIncident(store: Store, lease: Lease, incident: TrackedIncident): Promise<void> {
  const resolvedAt = incident.resolvedAt === null ? null : new Date(incident.resolvedAt)
  const { numAffectedRows } = await sql`
    INSERT INTO incidents (id, state, title, since, opened_at, updated_at, resolved_at, quiet_steps, scope, anomalies, causes, impact, epoch)
    SELECT ${incident.id}, ${incident.state}, ${incident.title}, ${new Date(incident.since)}, ${new Date(incident.openedAt)},
      ${new Date(incident.updatedAt)}, ${resolvedAt}, ${incident.quietSteps}, ${JSON.stringify(incident.scope)}::jsonb,
      ${JSON.stringify(incident.anomalies)}::jsonb, ${JSON.stringify(incident.causes)}::jsonb, ${JSON.stringify(incident.impact)}::jsonb, ${lease.epoch}
    WHERE EXISTS (SELECT 1 FROM leases WHERE name = 'analyzer' AND epoch = ${lease.epoch})
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, title = excluded.title, since = excluded.since, updated_at = excluded.updated_at,
      resolved_at = excluded.resolved_at, quiet_steps = excluded.quiet_steps, scope = excluded.scope, anomalies = excluded.anomalies,
      causes = excluded.causes, impact = excluded.impact, epoch = excluded.epoch`.execute(store.postgres)
  if (numAffectedRows === 0n) throw new LeaseLost(lease.epoch)
  await appendTrail(store, incident)
}

async function appendTrail(store: Store, incident: TrackedIncident): Promise<void> {
  const [first] = incident.causes
  const { scope: _scope, quietSteps: _quietSteps, ...document } = incident
  const token = `incident:${incident.id}:${incident.updatedAt}`
  const at = Date.parse(incident.updatedAt) / 1_000
  await store.clickhouse.insert({
    table: 'incident_events',
    values: [
      {
        At: at.toFixed(3),
        IncidentId: incident.id,
        State: incident.state,
        Title: incident.title,
        CauseService: first?.service ?? '',
        CauseOperation: first?.operation ?? '',
        CauseKind: first?.kind ?? '',
        UsersAffected: incident.impact.users.affected,
        RunsAffected: incident.impact.flows.reduce((sum, { runsAffected }) => sum + runsAffected, 0),
        Document: JSON.stringify(document),
      },
    ],
    format: 'JSONEachRow',
    clickhouse_settings: { insert_deduplication_token: token },
  })
  if (incident.anomalies.length === 0) return
  await store.clickhouse.insert({
    table: 'chain_anomalies',
    values: incident.anomalies.map((anomaly) => ({
      DetectedAt: at.toFixed(3),
      IncidentId: incident.id,
      Service: anomaly.service,
      Operation: anomaly.operation,
      Caller: anomaly.caller ?? '',
      CallerOperation: anomaly.callerOperation ?? '',
      Signal: anomaly.signal,
      Since: (Date.parse(anomaly.since) / 1_000).toFixed(3),
      Expected: anomaly.expected,
      Seen: anomaly.seen,
      Unit: anomaly.unit,
      PValue: anomaly.pValue,
      Calls: anomaly.calls,
      BaselineCalls: anomaly.baselineCalls,
    })),
    format: 'JSONEachRow',
    clickhouse_settings: { insert_deduplication_token: token },
  })
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
