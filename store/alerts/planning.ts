// What the responder reads before it decides whom to tell what, and how it writes down that it will: in one transaction with the
// message, so that a message that is written down is sent, and one that is not was never decided.
import type { AlertMessage, AlertTold, Incident } from '@headwater/vocabulary'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Store } from '../connect.ts'
import { type Lease, LeaseLost } from '../lease.ts'
import type { Database } from '../postgres.ts'
import { toIncident } from '../queries/incidents.ts'

/** A destination as the store knows it. */
export interface AlertDestination {
  name: string
  since: string
  /** Set while it wants no messages. */
  disabledAt: string | null
  reason: string
  /** When it was disabled or enabled last. */
  changedAt: string
}

/** What a destination knows of an incident. */
export interface AlertMember {
  incidentId: string
  thread: string
  /** `null` while it is held back, or when it ended without having been told. */
  told: AlertTold | null
  isOpen: boolean
}

/** Messages that belong together: of one incident, or of those that a route groups. */
export interface AlertThread {
  key: string
  route: string
  /** Messages so far; the next one's number is one more. */
  changes: number
  /** Of the last one. */
  toldAtMs: number
}

/** What one destination has been told. */
export interface AlertKnowledge {
  members: AlertMember[]
  threads: AlertThread[]
  /** Threads of which a message has not been delivered yet. */
  waiting: Set<string>
}

/** What is to be written of a thread, whole or not at all. */
export interface AlertThreadChange {
  destination: string
  thread: string
  route: string
  /** As the decision saw it. */
  changes: number
  members: AlertMember[]
  message: AlertMessage | undefined
}

/** The most incidents that are looked at together. */
const incidentsMax = 500
/** Open ones and groups; beyond, those told longest ago are left alone. */
const threadsMax = 5_000
/** What ended longer ago than this, while nobody looked, is not told any more. */
const lookBack = '24 hours'

/**
 * Writes down which destinations are in use, and gives what is known of them. One with another address than before is
 * another one: it counts as enabled.
 */
export async function useAlertDestinations(
  { postgres }: Store,
  lease: Lease,
  destinations: readonly { name: string; address: string }[],
  nowMs: number,
): Promise<AlertDestination[]> {
  if (destinations.length === 0) return []
  const now = new Date(nowMs)
  return await underLease(postgres, lease, async (transaction) => {
    for (const { name, address } of destinations) {
      await sql`
        INSERT INTO alert_destinations (name, address, since, changed_at) VALUES (${name}, ${address}, ${now}, ${now})
        ON CONFLICT (name) DO UPDATE SET address = excluded.address, disabled_at = NULL, reason = '', changed_at = excluded.changed_at
        WHERE alert_destinations.address <> excluded.address`.execute(transaction)
    }
    return await readDestinations(
      transaction,
      destinations.map(({ name }) => name),
    )
  })
}

/** What is known of destinations, by name. */
export async function readAlertDestinations({ postgres }: Store, names: string[]): Promise<AlertDestination[]> {
  return names.length === 0 ? [] : await readDestinations(postgres, names)
}

async function readDestinations(postgres: Kysely<Database>, names: string[]): Promise<AlertDestination[]> {
  const rows = await postgres
    .selectFrom('alert_destinations')
    .selectAll()
    .where('name', 'in', names)
    .orderBy('name')
    .execute()
  return rows.map(({ name, since, disabled_at, reason, changed_at }) => ({
    name,
    since: since.toISOString(),
    disabledAt: disabled_at?.toISOString() ?? null,
    reason,
    changedAt: changed_at.toISOString(),
  }))
}

/** Incidents of which somebody may have to be told: open ones, those told as open, those that ended unseen. */
export async function readAlertableIncidents(
  { postgres }: Store,
  destinations: string[],
  nowMs: number,
): Promise<Incident[]> {
  if (destinations.length === 0) return []
  const rows = await postgres
    .selectFrom('incidents as i')
    .selectAll()
    .where(
      sql<boolean>`i.state = 'open'
        OR EXISTS (SELECT 1 FROM alert_members m WHERE m.incident_id = i.id AND m.is_open AND m.destination = ANY(${destinations}))
        OR (i.resolved_at > ${new Date(nowMs)}::timestamptz - ${lookBack}::interval AND EXISTS (
          SELECT 1 FROM alert_destinations d
          WHERE d.name = ANY(${destinations}) AND i.resolved_at > d.since AND NOT EXISTS (
            SELECT 1 FROM alert_members m WHERE m.destination = d.name AND m.incident_id = i.id)))`,
    )
    .orderBy('opened_at')
    .limit(incidentsMax)
    .execute()
  return rows.map(toIncident)
}

/** What destinations were told of these incidents and of those that are still open to them. */
export async function readAlertKnowledge(
  { postgres }: Store,
  destinations: string[],
  incidentIds: string[],
): Promise<Map<string, AlertKnowledge>> {
  const known = new Map(
    destinations.map((name): [string, AlertKnowledge] => [name, { members: [], threads: [], waiting: new Set() }]),
  )
  if (destinations.length === 0) return known
  const members = await postgres
    .selectFrom('alert_members')
    .selectAll()
    .where('destination', 'in', destinations)
    .where(sql<boolean>`is_open OR incident_id = ANY(${incidentIds})`)
    .execute()
  for (const { destination, incident_id, thread, told, is_open } of members) {
    known.get(destination)?.members.push({ incidentId: incident_id, thread, told, isOpen: is_open })
  }
  const threads = await postgres
    .selectFrom('alert_threads')
    .select(['destination', 'key', 'route', 'changes', 'told_at'])
    .where('destination', 'in', destinations)
    // A group that is over may begin anew, and goes on counting then.
    .where(
      sql<boolean>`is_open OR strpos(key, '/') > 0 OR key = ANY(${[...new Set(members.map(({ thread }) => thread))]})`,
    )
    .orderBy('told_at', 'desc')
    .limit(threadsMax)
    .execute()
  for (const { destination, key, route, changes, told_at } of threads) {
    known.get(destination)?.threads.push({ key, route, changes, toldAtMs: told_at.getTime() })
  }
  const waiting = await postgres
    .selectFrom('alert_deliveries')
    .select(['destination', 'thread'])
    .distinct()
    .where('state', '=', 'waiting')
    .where('destination', 'in', destinations)
    .execute()
  for (const { destination, thread } of waiting) known.get(destination)?.waiting.add(thread)
  return known
}

/**
 * Writes down what a destination is told now. Throws {@link LeaseLost} for an old epoch. Gives `false`, and writes nothing, when
 * somebody else has told it meanwhile.
 */
export async function saveAlertThread(
  { postgres }: Store,
  lease: Lease,
  { destination, thread, route, changes, members, message }: AlertThreadChange,
  nowMs: number,
): Promise<boolean> {
  const now = new Date(nowMs)
  return await underLease(postgres, lease, async (transaction) => {
    if (message !== undefined) {
      const isOpen = message.change !== 'resolved'
      const { numAffectedRows } = await sql`
        INSERT INTO alert_threads (destination, key, route, changes, is_open, told_at, message)
        VALUES (${destination}, ${thread}, ${route}, ${changes + 1}, ${isOpen}, ${now}, ${JSON.stringify(message)}::jsonb)
        ON CONFLICT (destination, key) DO UPDATE SET route = excluded.route, changes = excluded.changes, is_open = excluded.is_open,
          told_at = excluded.told_at, message = excluded.message
        WHERE alert_threads.changes = ${changes}`.execute(transaction)
      if (numAffectedRows === 0n) return false
      await sql`
        INSERT INTO alert_deliveries (id, destination, thread, number, change, message, state, created_at, waiting_since, due_at)
        VALUES (${message.id}, ${destination}, ${thread}, ${changes + 1}, ${message.change}, ${JSON.stringify(message)}::jsonb,
          'waiting', ${now}, ${now}, ${now})`.execute(transaction)
    }
    for (const member of members) {
      const told = member.told === null ? null : JSON.stringify(member.told)
      await sql`
        INSERT INTO alert_members (destination, incident_id, thread, told, is_open, updated_at)
        VALUES (${destination}, ${member.incidentId}, ${member.thread}, ${told}::jsonb, ${member.isOpen}, ${now})
        ON CONFLICT (destination, incident_id) DO UPDATE SET thread = excluded.thread, told = excluded.told,
          is_open = excluded.is_open, updated_at = excluded.updated_at`.execute(transaction)
    }
    return true
  })
}

/** The last message of each open thread of a destination that has been delivered all it was told. */
export async function readOpenAlerts({ postgres }: Store, destination: string): Promise<AlertMessage[]> {
  const rows = await postgres
    .selectFrom('alert_threads as t')
    .select('message')
    .where('destination', '=', destination)
    .where('is_open', '=', true)
    .where(
      sql<boolean>`NOT EXISTS (SELECT 1 FROM alert_deliveries d WHERE d.destination = t.destination AND d.thread = t.key AND d.state = 'waiting')`,
    )
    .limit(incidentsMax)
    .execute()
  return rows.map(({ message }) => message)
}

/** A short transaction that only the responder's leader may commit. */
export async function underLease<T>(
  postgres: Kysely<Database>,
  { epoch }: Lease,
  work: (transaction: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return await postgres.transaction().execute(async (transaction) => {
    const { rows } = await sql`SELECT 1 FROM leases WHERE name = 'responder' AND epoch = ${epoch} FOR SHARE`.execute(
      transaction,
    )
    if (rows.length === 0) throw new LeaseLost(epoch, 'responder')
    return await work(transaction)
  })
}
