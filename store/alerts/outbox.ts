// The outbox: messages that wait, the log of the attempts, and those that were given up.
import type { AlertChange, AlertMessage } from '@headwater/vocabulary'
import { sql } from 'kysely'
import type { Store } from '../connect.ts'
import type { Lease } from '../lease.ts'
import { askPostgres } from '../queries/ask.ts'
import { underLease } from './planning.ts'

/** A message on its way. */
export interface AlertDelivery {
  id: string
  destination: string
  message: AlertMessage
  /** Since it was put into the outbox. */
  waitingSinceMs: number
  /** Attempts ever, and since it was put into the outbox. */
  attempts: number
  tries: number
}

/** What became of an attempt. */
export interface AlertAttempt {
  atMs: number
  outcome: 'delivered' | 'again' | 'dead' | 'gone'
  detail: string
  tookMs: number
}

/**
 * Messages to a destination whose time has come, oldest first. Those of a thread follow one another: while one waits, the later
 * ones do, too. `busy` are those that are being sent.
 */
export async function readDueAlerts(
  { postgres }: Store,
  { destination, nowMs, limit, busy }: { destination: string; nowMs: number; limit: number; busy: string[] },
): Promise<AlertDelivery[]> {
  const rows = await postgres
    .selectFrom('alert_deliveries as d')
    .select(['id', 'message', 'waiting_since', 'attempts', 'tries'])
    .where('state', '=', 'waiting')
    .where('destination', '=', destination)
    .where('due_at', '<=', new Date(nowMs))
    .where(sql<boolean>`NOT id = ANY(${busy})`)
    .where(
      sql<boolean>`NOT EXISTS (SELECT 1 FROM alert_deliveries e WHERE e.destination = d.destination AND e.thread = d.thread
        AND e.state = 'waiting' AND e.number < d.number)`,
    )
    .orderBy('due_at')
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id, message, waiting_since, attempts, tries }) => ({
    id,
    destination,
    message,
    waitingSinceMs: waiting_since.getTime(),
    attempts,
    tries,
  }))
}

/**
 * Writes down an attempt and what follows from it: `dueMs` is when the message is sent again, if it is. Nothing changes when
 * another leader has made an attempt since.
 */
export async function recordAlertAttempt(
  { postgres }: Store,
  lease: Lease,
  { id, attempts }: Pick<AlertDelivery, 'id' | 'attempts'>,
  { atMs, outcome, detail, tookMs, dueMs }: AlertAttempt & { dueMs?: number },
): Promise<void> {
  const state = outcome === 'again' ? 'waiting' : outcome === 'delivered' ? 'delivered' : 'dead'
  const at = new Date(atMs)
  await underLease(postgres, lease, async (transaction) => {
    await sql`
      UPDATE alert_deliveries SET attempts = attempts + 1, tries = tries + 1, state = ${state}, reason = ${detail},
        due_at = ${new Date(dueMs ?? atMs)}, ended_at = ${state === 'waiting' ? null : at}
      WHERE id = ${id} AND state = 'waiting' AND attempts = ${attempts}`.execute(transaction)
    await sql`
      INSERT INTO alert_attempts (delivery_id, number, at, outcome, detail, took_ms)
      VALUES (${id}, ${attempts + 1}, ${at}, ${outcome}, ${detail}, ${Math.round(tookMs)})
      ON CONFLICT (delivery_id, number) DO NOTHING`.execute(transaction)
  })
}

/** Gives up what waits for destinations that are not in use, or want no messages; gives how many. */
export async function buryAlerts(
  { postgres }: Store,
  lease: Lease,
  { destination, reason, nowMs }: { destination: string; reason: string; nowMs: number },
): Promise<number> {
  return await underLease(postgres, lease, async (transaction) => {
    const { numAffectedRows } = await sql`
      UPDATE alert_deliveries SET state = 'dead', reason = ${reason}, ended_at = ${new Date(nowMs)}
      WHERE destination = ${destination} AND state = 'waiting'`.execute(transaction)
    return Number(numAffectedRows ?? 0n)
  })
}

/** Ends all sending to a destination that has said that it is gone. */
export async function disableAlertDestination(
  { postgres }: Store,
  lease: Lease,
  { name, reason, nowMs }: { name: string; reason: string; nowMs: number },
): Promise<void> {
  const now = new Date(nowMs)
  await underLease(postgres, lease, async (transaction) => {
    await sql`UPDATE alert_destinations SET disabled_at = ${now}, changed_at = ${now}, reason = ${reason} WHERE name = ${name}`.execute(
      transaction,
    )
  })
}

/** Sends to a destination again. Gives whether it was disabled. */
export async function enableAlertDestination({ postgres }: Store, name: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE alert_destinations SET disabled_at = NULL, reason = '', changed_at = now() WHERE name = ${name} AND disabled_at IS NOT NULL`.execute(
    postgres,
  )
  return numAffectedRows === 1n
}

/** A message as the log shows it. */
export interface AlertLogEntry {
  id: string
  destination: string
  change: AlertChange
  state: 'waiting' | 'delivered' | 'dead'
  reason: string
  title: string
  incidentIds: string[]
  createdAt: string
  endedAt: string | null
  /** When it is sent again; `null` when it is not. */
  dueAt: string | null
  attempts: number
}

/** Messages, newest first. */
export async function readAlertLog(
  { postgres }: Store,
  { state, destination, limit }: { state?: AlertLogEntry['state']; destination?: string; limit: number },
): Promise<AlertLogEntry[]> {
  let query = postgres
    .selectFrom('alert_deliveries')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit)
  if (state !== undefined) query = query.where('state', '=', state)
  if (destination !== undefined) query = query.where('destination', '=', destination)
  const rows = await query.execute()
  return rows.map((row) => ({
    id: row.id,
    destination: row.destination,
    change: row.change,
    state: row.state,
    reason: row.reason,
    title: row.message.incidents[0]?.title ?? '',
    incidentIds: row.message.incidents.map(({ id }) => id),
    createdAt: row.created_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    dueAt: row.state === 'waiting' ? row.due_at.toISOString() : null,
    attempts: row.attempts,
  }))
}

/** What a destination was told of an incident, and whether it has arrived. */
export interface IncidentAlert {
  /** RFC 3339. */
  at: string
  destination: string
  change: AlertChange
  state: AlertLogEntry['state']
  /** What the last attempt came to, where the message was not delivered; empty before the first one. */
  reason: string
  attempts: number
}

/** The most messages that are told of one incident. */
const ofIncidentMax = 50

/** Messages that speak of an incident, newest first; at most {@link ofIncidentMax}. */
export async function readIncidentAlerts({ postgres }: Store, incidentId: string): Promise<IncidentAlert[]> {
  const rows = await askPostgres(`read who was told of incident "${incidentId}"`, () =>
    postgres
      .selectFrom('alert_deliveries as d')
      .innerJoin('alert_members as m', (on) =>
        on.onRef('m.destination', '=', 'd.destination').onRef('m.thread', '=', 'd.thread'),
      )
      .select(['d.destination', 'd.change', 'd.state', 'd.reason', 'd.attempts', 'd.created_at'])
      .where('m.incident_id', '=', incidentId)
      // A thread of several incidents has messages from before this one joined it.
      .where(sql<boolean>`d.message->'incidents' @> ${JSON.stringify([{ id: incidentId }])}::jsonb`)
      .orderBy('d.created_at', 'desc')
      .orderBy('d.id')
      .limit(ofIncidentMax)
      .execute(),
  )
  return rows.map(({ destination, change, state, reason, attempts, created_at }) => ({
    at: created_at.toISOString(),
    destination,
    change,
    state,
    reason: state === 'delivered' ? '' : reason,
    attempts,
  }))
}

/** The attempts at a message, in their order. */
export async function readAlertAttempts({ postgres }: Store, id: string): Promise<AlertAttempt[]> {
  const rows = await postgres
    .selectFrom('alert_attempts')
    .selectAll()
    .where('delivery_id', '=', id)
    .orderBy('number')
    .limit(1_000)
    .execute()
  return rows.map(({ at, outcome, detail, took_ms }) => ({
    atMs: at.getTime(),
    outcome: outcome as AlertAttempt['outcome'],
    detail,
    tookMs: took_ms,
  }))
}

export interface Redelivery {
  /** Put into the outbox again. */
  again: string[]
  /** A later message of the same thread has been delivered: this one would say what is no longer so. */
  outdated: string[]
  /** Their destination wants no messages. */
  disabled: string[]
}

/** Puts dead letters into the outbox again, all of them or those with these IDs. */
export async function redeliverAlerts({ postgres }: Store, ids: readonly string[] | 'all'): Promise<Redelivery> {
  const chosen = ids === 'all' ? sql`true` : sql`id = ANY(${[...ids]})`
  const outdated = sql<boolean>`EXISTS (SELECT 1 FROM alert_deliveries e WHERE e.destination = d.destination AND e.thread = d.thread
    AND e.state = 'delivered' AND e.number > d.number)`
  const disabled = sql<boolean>`EXISTS (SELECT 1 FROM alert_destinations a WHERE a.name = d.destination AND a.disabled_at IS NOT NULL)`
  return await postgres.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ id: string; outdated: boolean; disabled: boolean }>`
      SELECT id, ${outdated} AS outdated, ${disabled} AS disabled FROM alert_deliveries d
      WHERE state = 'dead' AND ${chosen} ORDER BY created_at, id LIMIT 1000`.execute(transaction)
    const again = rows.filter((row) => !row.outdated && !row.disabled).map(({ id }) => id)
    await sql`
      UPDATE alert_deliveries SET state = 'waiting', reason = '', tries = 0, waiting_since = now(), due_at = now(), ended_at = NULL
      WHERE id = ANY(${again})`.execute(transaction)
    return {
      again,
      outdated: rows.filter((row) => row.outdated).map(({ id }) => id),
      disabled: rows.filter((row) => row.disabled && !row.outdated).map(({ id }) => id),
    }
  })
}

/** How the outbox stands, by destination. */
export interface AlertCounts {
  destination: string
  waiting: number
  dead: number
  /** `null` when none waits. */
  oldestWaitingMs: number | null
}

export async function countAlerts({ postgres }: Store): Promise<AlertCounts[]> {
  const { rows } = await sql<{ destination: string; waiting: string; dead: string; oldest: Date | null }>`
    SELECT destination, count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead,
      min(waiting_since) FILTER (WHERE state = 'waiting') AS oldest
    FROM alert_deliveries WHERE state <> 'delivered' GROUP BY destination ORDER BY destination LIMIT 200`.execute(
    postgres,
  )
  return rows.map(({ destination, waiting, dead, oldest }) => ({
    destination,
    waiting: Number(waiting),
    dead: Number(dead),
    oldestWaitingMs: oldest?.getTime() ?? null,
  }))
}

/** What was told is kept so long. */
const keptDays = 30
/** Of dead letters, which a broken receiver makes by the thousand, the newest are kept. */
const deadMax = 10_000

/** Forgets what is old. Gives how many dead letters were too many. */
export async function forgetOldAlerts({ postgres }: Store, lease: Lease, nowMs: number): Promise<number> {
  const before = new Date(nowMs - keptDays * 86_400_000)
  return await underLease(postgres, lease, async (transaction) => {
    await sql`DELETE FROM alert_deliveries WHERE state <> 'waiting' AND ended_at < ${before}`.execute(transaction)
    await sql`DELETE FROM alert_members WHERE NOT is_open AND updated_at < ${before}`.execute(transaction)
    await sql`DELETE FROM alert_threads t WHERE NOT is_open AND told_at < ${before} AND NOT EXISTS (
      SELECT 1 FROM alert_deliveries d WHERE d.destination = t.destination AND d.thread = t.key)`.execute(transaction)
    const { numAffectedRows } = await sql`
      DELETE FROM alert_deliveries WHERE id IN (
        SELECT id FROM alert_deliveries WHERE state = 'dead' ORDER BY created_at DESC, id OFFSET ${deadMax})`.execute(
      transaction,
    )
    return Number(numAffectedRows ?? 0n)
  })
}

/** How the analysis stands: whether an analyzer leads, and up to when it has settled what arrived. */
export async function readAnalysisHealth({ postgres }: Store): Promise<{ isLed: boolean; watermarkMs: number | null }> {
  const { rows } = await sql<{ led: boolean; boundary: Date | null }>`
    SELECT EXISTS (SELECT 1 FROM leases WHERE name = 'analyzer' AND expires_at > now()) AS led,
      (SELECT max(boundary) FROM settle_ticks WHERE done) AS boundary`.execute(postgres)
  const [row] = rows
  return { isLed: row?.led === true, watermarkMs: row?.boundary?.getTime() ?? null }
}
