import { migratePostgres, takeLease, type Lease } from '@headwater/store'
import { type Engine, startEngine } from '../ingest/engine.ts'

const aWeekMs = 7 * 24 * 3_600_000

/** An engine with nothing in it, and the lease by which a step may write to it. It ends with `cleanup`. */
export async function startLeading(cleanup: AsyncDisposableStack): Promise<{ engine: Engine; lease: Lease }> {
  const engine = await startEngine()
  cleanup.defer(() => engine.stop())
  await migratePostgres(engine.store.postgres)
  const lease = await takeLease(engine.store.postgres, { holder: 'bench', ttlMs: aWeekMs })
  if (lease === undefined) throw new Error('Cannot measure: another analyzer leads')
  return { engine, lease }
}
