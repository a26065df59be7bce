// Each change of an incident is also appended to ClickHouse, where dashboards see it.
import type { Incident } from '@headwater/vocabulary'
import type { Store } from './connect.ts'

/**
 * Appends an incident as it is at `at` (RFC 3339), after a deed of a person's or, without one, a step of the analyzer's. Saying
 * the same twice counts once.
 */
export async function appendTrail(
  store: Store,
  incident: Incident,
  { at, deed = '' }: { at: string; deed?: string },
): Promise<void> {
  const [first] = incident.causes
  const token = `incident:${incident.id}:${at}${deed}`
  const seconds = (Date.parse(at) / 1_000).toFixed(3)
  await store.clickhouse.insert({
    table: 'incident_events',
    values: [
      {
        At: seconds,
        IncidentId: incident.id,
        State: incident.state,
        Title: incident.title,
        CauseService: first?.service ?? '',
        CauseOperation: first?.operation ?? '',
        CauseKind: first?.kind ?? '',
        Confidence: incident.confidence,
        UsersAffected: incident.impact.users.affected,
        RunsAffected: incident.impact.flows.reduce((sum, { runsAffected }) => sum + runsAffected, 0),
        Document: JSON.stringify(incident),
      },
    ],
    format: 'JSONEachRow',
    clickhouse_settings: { insert_deduplication_token: token },
  })
  // What a person says of an incident is no new anomaly.
  if (deed !== '' || incident.anomalies.length === 0) return
  await store.clickhouse.insert({
    table: 'chain_anomalies',
    values: incident.anomalies.map((anomaly) => ({
      DetectedAt: seconds,
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
      MinimumDetectable: anomaly.minimumDetectable?.value ?? null,
      Query: anomaly.query ?? '',
    })),
    format: 'JSONEachRow',
    clickhouse_settings: { insert_deduplication_token: token },
  })
}
