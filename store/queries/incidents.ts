import { type Incident, type IncidentState, withInterval } from '@headwater/vocabulary'
import { type Selectable, sql } from 'kysely'
import type { Store } from '../connect.ts'
import type { Database } from '../postgres.ts'
import { askPostgres } from './ask.ts'
import { type Cursor, type Page, pageOf } from './window.ts'

/** Incidents, newest first. */
export async function readIncidents(
  { postgres }: Store,
  { state, since, cursor, limit }: { state?: IncidentState; since?: Date; cursor?: Cursor; limit: number },
): Promise<Page<Incident>> {
  let query = postgres.selectFrom('incidents').selectAll().orderBy('opened_at', 'desc').orderBy('id', 'desc')
  if (state !== undefined) query = query.where(state === 'open' ? isOpen : sql<boolean>`NOT (${isOpen})`)
  if (since !== undefined) query = query.where('opened_at', '>=', since)
  if (cursor !== undefined) {
    query = query.where(sql<boolean>`(opened_at, id) < (${new Date(cursor.at)}, ${cursor.id})`)
  }
  const rows = await askPostgres('list incidents', () => query.limit(limit + 1).execute())
  return pageOf(rows.map(toIncident), limit, ({ openedAt, id }) => ({ at: openedAt, id }))
}

/** The incident with this ID. */
export async function readIncident({ postgres }: Store, id: string): Promise<Incident | undefined> {
  const row = await askPostgres(`read incident "${id}"`, () =>
    postgres.selectFrom('incidents').selectAll().where('id', '=', id).executeTakeFirst(),
  )
  return row && toIncident(row)
}

/** The most incidents that are told to be part of one. */
const partsMax = 20

/** The incidents that have become part of this one, the last one first. */
export async function readIncidentParts({ postgres }: Store, id: string): Promise<Incident[]> {
  const rows = await askPostgres(`read what is part of incident "${id}"`, () =>
    postgres
      .selectFrom('incidents')
      .selectAll()
      .where('merged_into', '=', id)
      .orderBy('opened_at', 'desc')
      .orderBy('id')
      .limit(partsMax)
      .execute(),
  )
  return rows.map(toIncident)
}

/** How many incidents go on although somebody has resolved them. */
export async function countClosedGoingOn({ postgres }: Store): Promise<number> {
  const { rows } = await askPostgres('count what was resolved and goes on', () =>
    sql<{
      incidents: number
    }>`SELECT count(*)::int AS incidents FROM incidents WHERE state = 'open' AND NOT (${isOpen})`.execute(postgres),
  )
  return rows[0]?.incidents ?? 0
}

/** Incidents whose time touches the window, open ones and the newest first; at most 50. */
export async function readIncidentsDuring(
  { postgres }: Store,
  { since, until }: { since: Date; until: Date },
): Promise<Incident[]> {
  const rows = await askPostgres('list incidents of a time', () =>
    postgres
      .selectFrom('incidents')
      .selectAll()
      .where('since', '<=', until)
      .where((or) => or.or([or('resolved_at', 'is', null), or('resolved_at', '>=', since)]))
      .orderBy(sql`resolved_at IS NULL`, 'desc')
      .orderBy('opened_at', 'desc')
      .limit(50)
      .execute(),
  )
  return rows.map(toIncident)
}

/** Open and in its present round: nobody has closed it. */
const isOpen = sql<boolean>`state = 'open' AND (closed IS NULL OR (closed->>'round')::int < reopenings)`

/** A row as the rest of Headwater knows incidents. Rows of an earlier version lack some of what is told today. */
export function toIncident(row: Selectable<Database['incidents']>): Incident {
  const closed = saidOf(row.closed, row.reopenings)
  const acknowledged = saidOf(row.acknowledged, row.reopenings)
  const { impact } = row
  return {
    id: row.id,
    state: closed === null ? row.state : 'resolved',
    title: row.title,
    since: row.since.toISOString(),
    openedAt: row.opened_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    resolvedAt: closed?.at ?? row.resolved_at?.toISOString() ?? null,
    resolvedBy: closed?.by ?? null,
    mergedInto: row.merged_into,
    reopenings: row.reopenings,
    reopened: row.reopened,
    causes: row.causes.map((cause) => ({
      ...cause,
      evidence: cause.evidence.map((evidence) => ({ ...evidence, query: earlier(evidence.query) ?? null })),
    })),
    confidence: row.confidence,
    noCauseReason: row.no_cause_reason,
    impact: {
      ...impact,
      flows: impact.flows.map((flow) =>
        earlier(flow.low) === undefined ? { ...flow, ...withInterval(flow.runsAffected, flow.runs) } : flow,
      ),
      users: { ...impact.users, ...withInterval(impact.users.affected, impact.users.seen) },
      atRisk: earlier(impact.atRisk) ?? [],
    },
    anomalies: row.anomalies.map((anomaly) => ({
      ...anomaly,
      minimumDetectable: earlier(anomaly.minimumDetectable) ?? null,
      query: earlier(anomaly.query) ?? null,
    })),
    changes: row.changes,
    acknowledged,
    comments: row.comments,
    verdict: row.verdict,
  }
}

/** What a row of an earlier version may not have. */
function earlier<Value>(value: Value): Value | undefined {
  return value
}

/** What somebody said, unless the incident has come back since. */
function saidOf(
  said: { by: string; at: string; round: number } | null,
  reopenings: number,
): { by: string; at: string } | null {
  return said === null || said.round < reopenings ? null : { by: said.by, at: said.at }
}
