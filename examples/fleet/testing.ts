// The smallest thing that takes OTLP/HTTP, for tests that look at what the services really send.

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import { z } from 'zod'

export interface ReceivedSpan {
  service: string
  version: string
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number
  isError: boolean
  attributes: Record<string, string>
  links: string[]
  exceptions: string[]
  /** As it came, for searches in everything. */
  raw: string
}

export interface SpanReceiver {
  url: string
  spans: ReceivedSpan[]
  stop(): Promise<void>
}

const attributesForm = z
  .array(z.object({ key: z.string(), value: z.looseObject({ stringValue: z.string().optional() }) }))
  .default([])
  .transform((pairs): Record<string, string> =>
    Object.fromEntries(pairs.map(({ key, value }) => [key, value.stringValue ?? JSON.stringify(value)])),
  )

const idForm = z.array(z.number()).transform((bytes) => Buffer.from(bytes).toString('hex'))

const requestForm = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributesForm }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.looseObject({
              traceId: idForm,
              spanId: idForm,
              parentSpanId: idForm.default(''),
              name: z.string(),
              kind: z.number(),
              status: z.object({ code: z.number().default(0) }).default({ code: 0 }),
              attributes: attributesForm,
              links: z.array(z.object({ traceId: idForm })).default([]),
              events: z.array(z.object({ name: z.string(), attributes: attributesForm })).default([]),
            }),
          ),
        }),
      ),
    }),
  ),
})

const protos = new URL('../../collector/otlp/reference/opentelemetry/proto/', import.meta.url)
const root = new protobuf.Root()
for (const file of ['common/v1/common', 'resource/v1/resource', 'trace/v1/trace', 'collector/trace/v1/trace_service']) {
  protobuf.parse(readFileSync(new URL(`${file}.proto`, protos), 'utf8'), root)
}
const exportRequest = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')

/** Takes spans as OTLP in protobuf on a free port. */
export async function startSpanReceiver(): Promise<SpanReceiver> {
  const spans: ReceivedSpan[] = []
  async function take(request: IncomingMessage): Promise<void> {
    spans.push(...spansIn(await bodyOf(request)))
  }
  const server = createServer((request, response) => {
    take(request).then(
      () => response.setHeader('content-type', 'application/x-protobuf').end(),
      (error: Error) => response.writeHead(400).end(error.message),
    )
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', () => resolve())
  await promise
  async function stop(): Promise<void> {
    const closed = Promise.withResolvers<void>()
    server.close(() => closed.resolve())
    server.closeAllConnections()
    await closed.promise
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, stop }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const body = await buffer(request)
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
}

function spansIn(body: Buffer): ReceivedSpan[] {
  const decoded = exportRequest.toObject(exportRequest.decode(body), { longs: String, bytes: Array })
  return requestForm.parse(decoded).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: resource.attributes['service.name'] ?? '',
        version: resource.attributes['service.version'] ?? '',
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        name: span.name,
        kind: span.kind,
        isError: span.status.code === 2,
        attributes: span.attributes,
        links: span.links.map(({ traceId }) => traceId),
        exceptions: span.events.flatMap((event) =>
          event.name === 'exception' ? [event.attributes['exception.message'] ?? ''] : [],
        ),
        raw: JSON.stringify({ resource, span }),
      })),
    ),
  )
}
