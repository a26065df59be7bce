import { PGlite } from '@electric-sql/pglite'
import type { Session } from './front.ts'
import { startupMessage } from './messages.ts'

/** PostgreSQL inside this process. */
export interface Postgres extends Session {
  close(): Promise<void>
}

// Half of PGlite's memory would be a cache far larger than our state.
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB', '-c', 'wal_buffers=1MB']

/** The only database and user that PGlite knows itself. */
const identity = { user: 'postgres', database: 'postgres' }

/** Opens PostgreSQL on a directory that `initialize` has made. */
export async function openPostgres(directory: string): Promise<Postgres> {
  const database = await PGlite.create({ dataDir: directory, startParams })
  const exchange: Session['exchange'] = (bytes, onAnswer) =>
    database.runExclusive(() =>
      // The chunk is a view of the engine's memory.
      database.execProtocolRawStream(bytes, { onRawData: (chunk) => onAnswer(Buffer.from(chunk)) }),
    )
  const greeting: Buffer[] = []
  await exchange(startupMessage(identity), (chunk) => greeting.push(chunk))
  return { greeting: Buffer.concat(greeting), exchange, close: () => database.close() }
}
