import { CountBlock, insertBlocks, type Inserted, type Store } from '@headwater/store'

export interface CountsToInsert {
  /** Native blocks of `collector_span_counts`. */
  counts: readonly Uint8Array[]
  /** Of the batch, or of a piece of one block. */
  token: string
  timeoutMs: number
}

const columns = new CountBlock().block.columns.map(({ name }) => name)

/**
 * Adds to the counts of what came, once under the token; never throws. All pieces of one block share a token here: the counts
 * are in the first of them, whichever that is when the block is halved again.
 */
export async function insertCounts(store: Store, { counts, token, timeoutMs }: CountsToInsert): Promise<Inserted> {
  if (counts.length === 0) return { kind: 'stored' }
  return insertBlocks(store, {
    table: 'collector_span_counts',
    columns,
    blocks: counts,
    token: `${token.replace(/\.[01]+$/, '')}:counts`,
    timeoutMs,
  })
}
