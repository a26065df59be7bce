// Files what the queues bring in archive.internal, and tells what it has filed.

import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { call } from './call.ts'
import { serveHono } from './hono-service.ts'
import { perform } from './perform.ts'
import { consume } from './queue.ts'

const reportForm = z.object({ id: z.string(), fingerprint: z.string(), signature: z.string() })
const receiptForm = z.object({ id: z.string(), signature: z.string(), user: z.string() })
const shelfForm = z.object({ shelf: z.string() })
const hashForm = z.object({ hash: z.string() })

/** Of older reports the archive itself would have to be asked. */
const reportsRememberedMax = 1_000
const filed = new Map<string, { shelf: string; bytes: number; seal: string }>()

function file(id: string, entry: { shelf: string; bytes: number; seal: string }): void {
  filed.set(id, entry)
  for (const oldest of filed.keys()) {
    if (filed.size <= reportsRememberedMax) break
    filed.delete(oldest)
  }
}

function pack(record: object, inOrder: boolean): Buffer {
  const text: string | undefined = JSON.stringify(inOrder ? record : undefined)
  return gzipSync(text)
}

async function fileReport(message: unknown): Promise<void> {
  const report = reportForm.parse(message)
  const { hash } = await call('crypto', '/hash', hashForm, { text: report.signature })
  await perform('process reports', shelfForm, ({ shelf }, inOrder) =>
    file(report.id, { shelf, bytes: pack(report, inOrder).length, seal: hash }),
  )
}

async function fileReceipt(message: unknown): Promise<void> {
  const receipt = receiptForm.parse(message)
  await perform('process receipts', shelfForm, ({ shelf }, inOrder) =>
    file(receipt.id, { shelf, bytes: pack(receipt, inOrder).length, seal: receipt.signature.slice(0, 16) }),
  )
}

await consume('reports', fileReport)
await consume('receipts', fileReceipt)
await serveHono((app) => {
  app.get('/reports/:id', async (c) => {
    const id = c.req.param('id')
    const answer = await perform('GET /reports/:id', shelfForm, (_, inOrder) => {
      const entry = filed.get(id)
      return { state: entry ? 'filed' : 'waiting', etag: pack({ id, ...entry }, inOrder).toString('base64url') }
    })
    return c.json(answer)
  })
})
