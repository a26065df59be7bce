import type { Incident, IncidentState } from '@headwater/vocabulary'
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
  if (state !== undefined) query = query.where('state', '=', state)
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

/** A row as the rest of Headwater knows incidents. */
export function toIncident(row: Selectable<Database['incidents']>): Incident {
  return {
    id: row.id,
    state: row.state,
    title: row.title,
    since: row.since.toISOString(),
    openedAt: row.opened_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    resolvedAt: row.resolved_at?.toISOString() ?? null,
    causes: row.causes,
    impact: row.impact,
    anomalies: row.anomalies,
  }
}
