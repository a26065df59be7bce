import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { connectStore } from './connect.ts'
import { insertBlocks } from './insert-blocks.ts'

test('an answer that comes before the rows were taken does not make them stored', async () => {
  const server = createServer((_request, response) => response.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const store = connectStore({ clickhouseUrl: `http://127.0.0.1:${port}`, databaseUrl: 'postgres://127.0.0.1:1/none' })
  const blocks = [Buffer.alloc(64 * 1024 * 1024, 'row')]
  const inserted = await insertBlocks(store, {
    table: 'spans',
    columns: ['Row'],
    blocks,
    token: 'once',
    timeoutMs: 5_000,
  })
  expect(inserted).toMatchObject({ kind: 'away', cause: { message: 'The answer came before all rows were sent' } })
  server.closeAllConnections()
  server.close()
  await store.close()
})
