// One analyzer leads, and one responder. The lease is a row changed by compare-and-swap on the database's clock, because advisory locks and
// sessions do not survive a pool, a proxy or the embedded engine.
import { type Kysely, sql } from 'kysely'
import type { Database } from './postgres.ts'

export interface Lease {
  holder: string
  epoch: number
}

/** What is led: each has a lease of its own. */
export type LeaseName = 'analyzer' | 'responder'

/**
 * Takes or renews the lease for `ttlMs`. Gives the lease, with a new epoch whenever it changed hands or had expired, or
 * `undefined` while another holder has it.
 */
export async function takeLease(
  postgres: Kysely<Database>,
  { holder, ttlMs, name = 'analyzer' }: { holder: string; ttlMs: number; name?: LeaseName },
): Promise<Lease | undefined> {
  const ttl = `${ttlMs} milliseconds`
  await sql`INSERT INTO leases (name, holder, epoch, expires_at) VALUES (${name}, '', 0, now() - interval '1 second')
            ON CONFLICT (name) DO NOTHING`.execute(postgres)
  const { rows } = await sql<{ epoch: string }>`
    UPDATE leases
    SET epoch = CASE WHEN holder = ${holder} AND expires_at > now() THEN epoch ELSE epoch + 1 END,
        holder = ${holder},
        expires_at = now() + ${ttl}::interval
    WHERE name = ${name} AND (holder = ${holder} OR expires_at <= now())
    RETURNING epoch`.execute(postgres)
  return rows[0] === undefined ? undefined : { holder, epoch: Number(rows[0].epoch) }
}

/** Lets the next one start at once. */
export async function releaseLease(
  postgres: Kysely<Database>,
  { holder, epoch }: Lease,
  name: LeaseName = 'analyzer',
): Promise<void> {
  await sql`UPDATE leases SET expires_at = now() WHERE name = ${name} AND holder = ${holder} AND epoch = ${epoch}`.execute(
    postgres,
  )
}

/** Another one has taken over: what this one knows is out of date. Nothing was written. */
export class LeaseLost extends Error {
  override name = 'LeaseLost'
  constructor(epoch: number, name: LeaseName = 'analyzer') {
    super(`Cannot write as ${name} of epoch ${epoch}: another one has taken the lease`)
  }
}
