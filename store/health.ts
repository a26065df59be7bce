import { sql } from 'kysely'
import type { Store } from './connect.ts'

export type EngineHealth = { ok: true } | { ok: false; reason: string }

/** Whether each engine answers now. */
export async function checkHealth(store: Store): Promise<{ clickhouse: EngineHealth; postgres: EngineHealth }> {
  const [clickhouse, postgres] = await Promise.all([
    settled(store.clickhouse.query({ query: 'SELECT 1', format: 'JSONEachRow' }).then((answer) => answer.text())),
    settled(sql`SELECT 1`.execute(store.postgres)),
  ])
  return { clickhouse, postgres }
}

async function settled(question: Promise<unknown>): Promise<EngineHealth> {
  try {
    await question
    return { ok: true }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) }
  }
}
