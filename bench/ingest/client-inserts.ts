// The rival with an engine: rows as objects gather to a batch that the client for ClickHouse writes as lines of JSON; a request
// is answered when its batch is stored.

import type { SpanInsert, Store } from '@headwater/store'
import { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import { listen } from './door.ts'
import { inflate } from './inflate.ts'
import { toRows } from './protobufjs-rows.ts'

const batch = { rowsMax: 10_000, flushAfterMs: 50 }

export async function startClientInserts(store: Store) {
  let rows: SpanInsert[] = []
  let flushed = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  const inserts = new Set<Promise<void>>()

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const [values, { resolve, reject }] = [rows, flushed]
    rows = []
    flushed = Promise.withResolvers<void>()
    const insert: Promise<void> = store.clickhouse
      .insert({ table: 'otel_traces', values, format: 'JSONEachRow' })
      .then(() => resolve(), reject)
      .finally(() => inserts.delete(insert))
    inserts.add(insert)
  }

  const app = new Hono<{ Bindings: HttpBindings }>()
  app.post('/v1/traces', async (c) => {
    const chunks: Buffer[] = []
    for await (const chunk of c.env.incoming) chunks.push(chunk as Buffer)
    for (const row of toRows(inflate(Buffer.concat(chunks)))) rows.push(row)
    const { promise } = flushed
    if (rows.length >= batch.rowsMax) flush()
    else timer ??= setTimeout(flush, batch.flushAfterMs)
    await promise
    return c.body(null, 200, { 'content-type': 'application/x-protobuf' })
  })
  const { server, url } = await listen(app.fetch)
  return {
    url,
    idle: async () => void (await Promise.all(inserts)),
    async stop() {
      server.close()
      server.closeAllConnections()
      await Promise.all(inserts)
      await store.close()
    },
  }
}
