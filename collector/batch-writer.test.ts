import { connectStore } from '@headwater/store'
import { expect, test } from 'vitest'
import { createBatchWriter } from './batch-writer.ts'
import { createCollectorMetrics } from './metrics.ts'

test('rows whose bytes are gone are not taken for stored', async () => {
  const store = connectStore({ clickhouseUrl: 'http://127.0.0.1:1', databaseUrl: 'postgres://127.0.0.1:1/none' })
  const write = createBatchWriter({
    store,
    collector: 'here/0',
    metrics: createCollectorMetrics(),
    nowMs: Date.now,
    log: () => undefined,
  })
  const answer = await write({ token: 'once', signal: 'traces', blocks: [Buffer.alloc(0)], rows: 3, metas: [] })
  expect(answer).toMatchObject({ kind: 'away', cause: { message: 'The 3 rows of batch once have no bytes any more' } })
  await store.close()
})
