import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { startFleet, startLoad } from '@headwater/fleet'
import { encodeRequest, requestFromJson, type ResourceSpans } from '../otlp.ts'

const seconds = 30
const spansOfService = { least: 60, most: 250 }
const seed = 1

/** Records what the fleet's services send, one request of each, for payloads to be made of; tells how many spans. */
export async function recordFleet(): Promise<number> {
  const byService = new Map<string, ResourceSpans>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const raw = Buffer.concat(chunks)
      // The agent sends JSON.
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      if (request.url === '/v1/traces') for (const group of requestFromJson(body).resourceSpans) take(byService, group)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot listen on 127.0.0.1: no port was given')
  const fleet = await startFleet({ otlpUrl: `http://127.0.0.1:${address.port}`, seed, exportDelayMs: 4_000 })
  const load = startLoad({ gatewayUrl: fleet.gatewayUrl, seed, requestsPerSecond: 30, users: 400 })
  await wait(seconds * 1_000)
  await load.stop()
  await fleet.stop()
  server.close()
  const groups = [...byService.values()].filter((group) => spansIn(group) >= spansOfService.least)
  writeFileSync(
    new URL('fleet-traces-protobuf-gzip.body', import.meta.url),
    gzipSync(encodeRequest({ resourceSpans: groups })),
  )
  return groups.reduce((sum, group) => sum + spansIn(group), 0)
}

/** Keeps the largest request of each service that is not too large. */
function take(byService: Map<string, ResourceSpans>, group: ResourceSpans): void {
  const name = group.resource?.attributes.find(({ key }) => key === 'service.name')?.value?.stringValue ?? ''
  const known = byService.get(name)
  const spans = spansIn(group)
  if (spans <= spansOfService.most && spans > (known === undefined ? 0 : spansIn(known))) byService.set(name, group)
}

function spansIn({ scopeSpans }: ResourceSpans): number {
  return scopeSpans.reduce((sum, { spans }) => sum + spans.length, 0)
}
