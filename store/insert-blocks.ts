import { type ClientRequest, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Store } from './connect.ts'

/** What became of an insert. Rows that are unstorable will be so for ever; a store that is away comes back. */
export type Inserted = { kind: 'stored' } | { kind: 'unstorable'; cause: unknown } | { kind: 'away'; cause: unknown }

export interface BlocksToInsert {
  table: string
  columns: readonly string[]
  /** Blocks in the Native format, all with those columns in that order. */
  blocks: readonly Uint8Array[]
  /** ClickHouse takes blocks once under a token, however often they come. */
  token: string
  timeoutMs: number
}

/** ClickHouse's errors that blame the rows rather than the server. */
const rowErrors =
  /^(CANNOT_(PARSE|READ|CONVERT)_\w+|INCORRECT_DATA|TYPE_MISMATCH|ILLEGAL_TYPE_OF_ARGUMENT|DECIMAL_OVERFLOW|ARGUMENT_OUT_OF_BOUND|VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE|TOO_LARGE_STRING_SIZE|TOO_LARGE_ARRAY_SIZE|SIZES_OF_ARRAYS_DONT_MATCH|VIOLATED_CONSTRAINT|CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN)$/

/**
 * Indexes over all names and values of attributes cost half as much as the rest of the insert. They are made when the rows
 * are merged for the first time, which is soon; until then those who look for an attribute read these rows.
 */
const indexesAtMerge = [
  'idx_res_attr_key',
  'idx_res_attr_value',
  'idx_scope_attr_key',
  'idx_scope_attr_value',
  'idx_span_attr_key',
  'idx_span_attr_value',
  'idx_log_attr_key',
  'idx_log_attr_value',
].join(',')

/** Inserts blocks as one block, which bears the token; tells what became of them and never throws. */
export async function insertBlocks(store: Store, insert: BlocksToInsert): Promise<Inserted> {
  const { table, columns, blocks, token, timeoutMs } = insert
  try {
    const { stream } = await store.clickhouse.exec({
      query: `INSERT INTO ${table} (${columns.map((name) => `\`${name}\``).join(', ')}) FORMAT Native`,
      values: Readable.from(blocks, { objectMode: false }),
      abort_signal: AbortSignal.timeout(timeoutMs),
      clickhouse_settings: { ...onceUnder(token), exclude_materialize_skip_indexes_on_insert: indexesAtMerge },
    })
    await text(stream)
    // Whoever answers before it has all of the rows has not stored them, and a socket still reads their memory.
    if (stream instanceof IncomingMessage && !requestOf(stream).writableFinished) {
      throw new Error('The answer came before all rows were sent')
    }
    return { kind: 'stored' }
  } catch (cause) {
    return { kind: rowErrors.test(typeOf(cause)) ? 'unstorable' : 'away', cause }
  }
}

/** The settings of an insert that counts once, in the table and in what its views feed. */
export function onceUnder(token: string) {
  return {
    insert_deduplication_token: token,
    insert_deduplicate: 1,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    // One block an insert, so that its parts bear the same tokens whenever it is repeated.
    min_insert_block_size_rows: '100000000',
    min_insert_block_size_bytes: '0',
    max_insert_threads: '1',
    // A span's day is its partition, and a request may bring a history of more days than an insert touches by default.
    max_partitions_per_insert_block: '0',
    async_insert: 0,
  } as const
}

/** The request that this answers, which Node's types leave out. */
function requestOf(answer: IncomingMessage): ClientRequest {
  return (answer as IncomingMessage & { req: ClientRequest }).req
}

function typeOf(cause: unknown): string {
  return cause instanceof Error && 'type' in cause ? String(cause.type) : ''
}
