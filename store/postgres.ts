import { Kysely, PostgresDialect, type ColumnType, type JSONColumnType } from 'kysely'
import type {
  AlertChange,
  AlertMessage,
  AlertTold,
  Anomaly,
  Cause,
  Change,
  Impact,
  Incident,
  IncidentState,
  SeenChange,
  Verdict,
} from '@headwater/vocabulary'
import pg from 'pg'

type Time = ColumnType<Date, Date, Date>
/** PostgreSQL's bigint, which the driver gives as text. */
type Big = ColumnType<string, number, number>

/** Something that a person said of an incident. */
interface Said {
  by: string
  at: string
  round: number
}

export interface Database {
  incidents: {
    id: string
    state: IncidentState
    title: string
    since: Time
    opened_at: Time
    updated_at: Time
    resolved_at: ColumnType<Date | null, Date | null, Date | null>
    quiet_steps: number
    scope: JSONColumnType<string[]>
    anomalies: JSONColumnType<Anomaly[]>
    causes: JSONColumnType<Cause[]>
    impact: JSONColumnType<Impact>
    epoch: Big
    confidence: ColumnType<number, number | undefined, number>
    no_cause_reason: ColumnType<string | null, string | null | undefined, string | null>
    changes: JSONColumnType<SeenChange[], string | undefined>
    reopenings: ColumnType<number, number | undefined, number>
    reopened: JSONColumnType<Incident['reopened'], string | undefined>
    merged_into: ColumnType<string | null, string | null | undefined, string | null>
    /** These are people's. `round` is the number of reopenings that it was said for. */
    acknowledged: JSONColumnType<Said | null, string | null | undefined, string | null>
    closed: JSONColumnType<Said | null, string | null | undefined, string | null>
    comments: JSONColumnType<Incident['comments'], string | undefined>
    verdict: JSONColumnType<Verdict | null, string | null | undefined, string | null>
  }
  changes: {
    id: string
    kind: Change['kind']
    service: string
    version: string | null
    description: string | null
    at: Time
  }
  alert_destinations: {
    name: string
    address: string
    since: Time
    disabled_at: ColumnType<Date | null, Date | null, Date | null>
    reason: string
    changed_at: Time
  }
  alert_members: {
    destination: string
    incident_id: string
    thread: string
    told: JSONColumnType<AlertTold> | null
    is_open: boolean
    updated_at: Time
  }
  alert_threads: {
    destination: string
    key: string
    route: string
    changes: number
    is_open: boolean
    told_at: Time
    message: JSONColumnType<AlertMessage>
  }
  alert_deliveries: {
    id: string
    destination: string
    thread: string
    number: number
    change: AlertChange
    message: JSONColumnType<AlertMessage>
    state: 'waiting' | 'delivered' | 'dead'
    reason: string
    created_at: Time
    waiting_since: Time
    due_at: Time
    ended_at: ColumnType<Date | null, Date | null, Date | null>
    attempts: number
    tries: number
  }
  alert_attempts: {
    delivery_id: string
    number: number
    at: Time
    outcome: string
    detail: string
    took_ms: number
  }
  leases: { name: string; holder: string; epoch: Big; expires_at: Time }
  settle_ticks: {
    tick: Big
    from_boundary: Time
    boundary: Time
    done: boolean
    epoch: Big
    spans: ColumnType<string, number | undefined, number>
    late: ColumnType<string, number | undefined, number>
  }
}

/** Connections to PostgreSQL, embedded or not. At most five; a statement that takes more than 10 s is given up. */
export function connectPostgres(url: string): Kysely<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 5,
    idleTimeoutMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    application_name: 'headwater',
  })
  // An idle connection that breaks is replaced on the next query, which reports what is wrong.
  pool.on('error', () => undefined)
  // So does one that breaks between two statements of a transaction; nobody else listens to it meanwhile.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
}
