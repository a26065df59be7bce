// A load balancer as small as can be: takes turns, asks `/readyz`, and goes to the next when a connection is refused.

import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Balancer {
  url: string
  /** Why requests were not passed on; the first ones. */
  readonly failures: readonly string[]
  stop(): Promise<void>
}

interface Backend {
  url: string
  agent: Agent
  isReady: boolean
}

const askEveryMs = 100
/** A collector that has no time to answer is not one that ends. */
const readyWithinMs = 5_000
const failuresMax = 20

/** Starts to pass requests on to these collectors. */
export async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  const backends = urls.map((url): Backend => ({ url, agent: new Agent({ keepAlive: true }), isReady: true }))
  const failures: string[] = []
  const ending = new AbortController()
  const watching = Promise.all(backends.map((backend) => watch(backend, ending.signal)))
  const take = async (...passed: Parameters<typeof passOn>): Promise<void> => {
    const failure = await passOn(...passed)
    if (failure !== undefined && failures.length < failuresMax) failures.push(failure)
  }
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    turn += 1
    const inTurn = backends.map((_, index) => backends[(turn + index) % backends.length])
    // Those that are not ready come last: better than nobody.
    const wanted = inTurn
      .filter((backend) => backend !== undefined)
      .toSorted((a, b) => Number(b.isReady) - Number(a.isReady))
    void take(incoming, outgoing, wanted)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failures,
    async stop() {
      ending.abort()
      await watching
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      for (const { agent } of backends) agent.destroy()
    },
  }
}

async function watch(backend: Backend, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    try {
      const response = await fetch(`${backend.url}/readyz`, {
        signal: AbortSignal.timeout(readyWithinMs),
        headers: { connection: 'close' },
      })
      await response.arrayBuffer()
      backend.isReady = response.ok
    } catch {
      backend.isReady = false
    }
    await sleep(askEveryMs)
  }
}

/** Passes a request on to the first that takes it; resolves with why nobody did. */
async function passOn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  backends: readonly Backend[],
): Promise<string | undefined> {
  const tried: string[] = []
  try {
    const body = await buffer(incoming)
    for (const { url, agent, isReady } of backends) {
      try {
        const { status, headers, body: answer } = await ask(url + (incoming.url ?? ''), { incoming, body, agent })
        outgoing.writeHead(status, headers).end(answer)
        return status === 200 ? undefined : `${url}: ${status} ${answer.toString()}`
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
        tried.push(`${url} (${isReady ? '' : 'not '}ready): ${code}`)
        // Nothing was sent yet when the connection was refused; else it is not known what became of the request.
        if (code !== 'ECONNREFUSED') break
      }
    }
    outgoing.writeHead(502).end()
  } catch (error) {
    tried.push(`the sender: ${String(error)}`)
  }
  return tried.join(', ')
}

function ask(
  url: string,
  { incoming, body, agent }: { incoming: IncomingMessage; body: Buffer; agent: Agent },
): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number
    headers: Record<string, string>
    body: Buffer
  }>()
  const { connection: _, host: __, ...headers } = incoming.headers
  const passed = httpRequest(url, { method: incoming.method ?? 'GET', headers, agent })
  passed.on('error', reject)
  passed.on('response', (response) => {
    const type = response.headers['content-type']
    const status = response.statusCode ?? 502
    buffer(response).then(
      (bytes) => resolve({ status, headers: type === undefined ? {} : { 'content-type': type }, body: bytes }),
      reject,
    )
  })
  passed.end(body)
  return promise
}
