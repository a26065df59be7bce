// People's side of incidents: who looks after one, what they say of it, who closes it, and whether its cause was right. Each
// deed is one statement on columns that the analyzer never writes, so neither undoes the other, whoever comes first.
import type { Incident } from '@headwater/vocabulary'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Store } from './connect.ts'
import { askPostgres } from './queries/ask.ts'
import { readIncident, toIncident } from './queries/incidents.ts'
import type { Database } from './postgres.ts'

/** The most comments that an incident keeps. */
export const commentsMax = 100

/** What became of a deed: `refused` where the incident, as it is, does not allow it. */
export type DeedOutcome = { outcome: 'done' | 'already' | 'refused'; incident: Incident } | { outcome: 'unknown' }

interface Deed {
  id: string
  by: string
  /** RFC 3339. */
  at: string
}

/** Says who looks after an open incident. The first one stays; a resolved incident refuses. */
export async function acknowledgeIncident(store: Store, { id, by, at }: Deed): Promise<DeedOutcome> {
  return await write(store, {
    deed: 'acknowledge an incident',
    id,
    change: sql`acknowledged = jsonb_build_object('by', ${by}::text, 'at', ${at}::text, 'round', reopenings)`,
    where: sql`state = 'open' AND ${notSaid('closed')} AND ${notSaid('acknowledged')}`,
    isAlready: ({ acknowledged }) => acknowledged !== null,
  })
}

/** Closes an open incident: it is resolved, until there is new evidence. */
export async function closeIncident(store: Store, { id, by, at }: Deed): Promise<DeedOutcome> {
  return await write(store, {
    deed: 'resolve an incident',
    id,
    change: sql`closed = jsonb_build_object('by', ${by}::text, 'at', ${at}::text, 'round', reopenings)`,
    where: sql`state = 'open' AND ${notSaid('closed')}`,
    isAlready: ({ state }) => state === 'resolved',
  })
}

/** Adds a comment; refused once there are {@link commentsMax}. */
export async function commentOnIncident(
  store: Store,
  { id, by, at, text }: Deed & { text: string },
): Promise<DeedOutcome> {
  return await write(store, {
    deed: 'comment on an incident',
    id,
    change: sql`comments = comments || jsonb_build_array(jsonb_build_object('by', ${by}::text, 'at', ${at}::text, 'text', ${text}::text))`,
    where: sql`jsonb_array_length(comments) < ${commentsMax}`,
  })
}

/** Judges the first cause, as it is told now; a later verdict replaces an earlier one. Refused where no cause is told. */
export async function judgeIncident(
  store: Store,
  {
    id,
    by,
    at,
    cause,
    actual,
  }: Deed & { cause: 'right' | 'wrong'; actual: { service: string; operation?: string } | null },
): Promise<DeedOutcome> {
  return await write(store, {
    deed: 'judge an incident',
    id,
    change: sql`verdict = jsonb_build_object('by', ${by}::text, 'at', ${at}::text, 'cause', ${cause}::text,
      'actual', ${actual === null ? null : JSON.stringify(actual)}::jsonb,
      'judged', jsonb_build_object('service', causes->0->'service', 'operation', causes->0->'operation', 'kind', causes->0->'kind',
        'confidence', confidence))`,
    where: sql`jsonb_array_length(causes) > 0`,
  })
}

function notSaid(column: 'acknowledged' | 'closed'): RawBuilder<boolean> {
  return sql<boolean>`(${sql.ref(column)} IS NULL OR (${sql.ref(column)}->>'round')::int < reopenings)`
}

async function write(
  store: Store,
  {
    deed,
    id,
    change,
    where,
    isAlready = () => false,
  }: {
    deed: string
    id: string
    change: RawBuilder<unknown>
    where: RawBuilder<unknown>
    isAlready?: (incident: Incident) => boolean
  },
): Promise<DeedOutcome> {
  const { rows } = await askPostgres(deed, () =>
    sql<
      Selectable<Database['incidents']>
    >`UPDATE incidents SET ${change} WHERE id = ${id} AND ${where} RETURNING *`.execute(store.postgres),
  )
  const [row] = rows
  if (row !== undefined) return { outcome: 'done', incident: toIncident(row) }
  const incident = await readIncident(store, id)
  if (incident === undefined) return { outcome: 'unknown' }
  return { outcome: isAlready(incident) ? 'already' : 'refused', incident }
}
