import type { Change } from '@headwater/vocabulary'
import { type Selectable, sql } from 'kysely'
import type { Store } from '../connect.ts'
import type { Database } from '../postgres.ts'
import { askPostgres } from './ask.ts'
import { type Cursor, type Page, pageOf } from './window.ts'

/** Keeps a change that somebody reported. */
export async function recordChange({ postgres }: Store, change: Change): Promise<void> {
  await askPostgres('record a change', () =>
    postgres
      .insertInto('changes')
      .values({ ...change, at: new Date(change.at) })
      .execute(),
  )
}

/** Reported changes, the latest first. */
export async function listChanges(
  { postgres }: Store,
  {
    service,
    since,
    until,
    cursor,
    limit,
  }: { service?: string; since?: Date; until?: Date; cursor?: Cursor; limit: number },
): Promise<Page<Change>> {
  let query = postgres.selectFrom('changes').selectAll().orderBy('at', 'desc').orderBy('id', 'desc')
  if (service !== undefined) query = query.where('service', '=', service)
  if (since !== undefined) query = query.where('at', '>=', since)
  if (until !== undefined) query = query.where('at', '<', until)
  if (cursor !== undefined) query = query.where(sql<boolean>`(at, id) < (${new Date(cursor.at)}, ${cursor.id})`)
  const rows = await askPostgres('list changes', () => query.limit(limit + 1).execute())
  return pageOf(rows.map(toChange), limit, ({ at, id }) => ({ at, id }))
}

function toChange({ at, ...change }: Selectable<Database['changes']>): Change {
  return { ...change, at: at.toISOString() }
}
