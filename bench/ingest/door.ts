// Doors to compare: each takes the same POSTs by Hono over HTTP, and does more or less with them.

import { createServer, type Server } from 'node:http'
import { SpanBlock } from '@headwater/store'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { inflate } from './inflate.ts'
import { loadPart, windowOf } from '../inside-collector.ts'
import { toRows } from './protobufjs-rows.ts'

export type DoorKind =
  /** The collector's app with all that it does up to a sealed block, which is then let go. */
  | 'collector'
  /** Reads and inflates: what any server pays. */
  | 'gunzip'
  /** Decodes by protobufjs into objects and writes them as JSON lines, which are let go. */
  | 'protobufjs'

const MiB = 2 ** 20

/** The routes of a door. */
export async function createDoor(kind: DoorKind): Promise<Hono<{ Bindings: HttpBindings }>> {
  if (kind === 'collector') return (await createCollectorApp()) as unknown as Hono<{ Bindings: HttpBindings }>
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.post('/v1/traces', async (c) => {
    const chunks: Buffer[] = []
    for await (const chunk of c.env.incoming) chunks.push(chunk as Buffer)
    const body = inflate(Buffer.concat(chunks))
    if (kind === 'protobufjs') linesOf(body)
    return c.body(null, 200, { 'content-type': 'application/x-protobuf' })
  })
  return app
}

/** As the client for ClickHouse writes rows. */
function linesOf(body: Uint8Array): number {
  let bytes = 0
  for (const row of toRows(body)) bytes += Buffer.byteLength(JSON.stringify(row)) + 1
  return bytes
}

/** The collector's app as its own program makes it, but for the log and the engine behind. */
async function createCollectorApp(): Promise<Hono> {
  const [{ createApp }, { BlockBuilder }, { createGatekeeper }, { createQuota }, { InFlightBytes }, { Ledger }] =
    await Promise.all([
      loadPart('app.ts'),
      loadPart('block-builder.ts'),
      loadPart('access/gatekeeper.ts'),
      loadPart('access/quota.ts'),
      loadPart('in-flight-bytes.ts'),
      loadPart('ledger.ts'),
    ])
  const { giveBack } = await loadPart('give-back.ts')
  const { collectLessOften } = await loadPart('heap.ts')
  collectLessOften()
  const { createCollectorMetrics } = await loadPart('metrics.ts')
  const { RecentRequests } = await loadPart('recent-requests.ts')
  const block = new SpanBlock()
  const walker = await createWalker(block)
  const columns = {
    get rows() {
      return block.block.rows
    },
    walk: (body: Uint8Array) => walker.walk(body, windowOf(Date.now())),
    seal: () => block.seal(),
  }
  const traces = new BlockBuilder(
    columns,
    { rowsMax: 10_000, bytesMax: 8 * MiB, lingerMs: 5, sealedMax: 2 },
    // As the log does with what it has brought into ClickHouse.
    async ({ payload }) => payload.forEach((part) => giveBack(part)),
  )
  const metrics = createCollectorMetrics()
  return createApp({
    builders: { traces, logs: traces },
    gatekeeper: createGatekeeper({ keys: () => undefined, nowMs: Date.now }),
    quota: createQuota({ keys: () => undefined }),
    refusal: () => undefined,
    recent: new RecentRequests({ requestsMax: 20_000, forgetAfterMs: 600_000 }),
    inFlight: new InFlightBytes({ bytesMax: 64 * MiB, onChange: () => undefined }),
    ledger: new Ledger(metrics),
    metrics,
    corsOrigins: [],
    nowMs: Date.now,
    isStopping: () => false,
    log: (line: string) => void process.stderr.write(`${line}\n`),
  })
}

/** The pass over a body, with the redaction that holds when nothing is set. */
export async function createWalker(block: SpanBlock) {
  const { SpanWalker } = await loadPart('otlp/span-walker.ts')
  const { createRedaction } = await loadPart('redaction/redaction.ts')
  const { readRules } = await loadPart('redaction/rules.ts')
  const redaction = createRedaction(readRules(undefined), { hashKey: undefined })
  return new SpanWalker(block, redaction, { recordsMax: 131_072, repeatedBytesMax: 32 * MiB, columnBytesMax: 64 * MiB })
}

/** Listens on any free port of this machine. */
export async function listen(
  fetch: Parameters<typeof getRequestListener>[0],
): Promise<{ server: Server; url: string }> {
  const listener = getRequestListener(fetch)
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot listen on 127.0.0.1: no port was given')
  return { server, url: `http://127.0.0.1:${address.port}` }
}
