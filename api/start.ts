import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { MetricSet } from '@headwater/vocabulary'
import { type ApiParts, createApi } from './app.ts'
import { createHub, liveMetrics } from './live/hub.ts'
import { nowReader } from './live/read-now.ts'
import { acceptListeners } from './live/socket.ts'
import type { ApiSettings } from './settings.ts'

export interface RunningApi {
  /** Such as `http://127.0.0.1:8012`. */
  url: string
  port: number
  /** Lets requests that are under way end, for two seconds. */
  stop(): Promise<void>
}

export interface ApiOptions extends Omit<ApiParts, 'settings'> {
  settings: ApiSettings
}

/** The API cannot listen where it should. */
export class ApiStartError extends Error {
  override name = 'ApiStartError'
}

const stopAfterMs = 2_000

/** Serves the API. Throws {@link ApiStartError} when the port is taken or the address is not ours. */
export async function startApi({ settings, ...parts }: ApiOptions): Promise<RunningApi> {
  const live = new MetricSet(liveMetrics)
  const readNow = nowReader({ store: parts.store, now: parts.now ?? Date.now })
  const metricsText = () => parts.metricsText() + live.text()
  const api = createApi({ ...parts, settings, readNow, metricsText })
  const listeners = createHub({ read: readNow, metrics: live })
  const listener = getRequestListener(api.fetch)
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (incoming, outgoing) => {
    void listener(incoming, outgoing)
  })
  server.listen(settings.port, settings.host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new ApiStartError(startFailure(settings, cause), { cause })
  }
  const sockets = acceptListeners(server, { hub: listeners, answer: (request) => api.fetch(request) })
  const { port, address, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    port,
    async stop() {
      const closed = once(server, 'close')
      sockets.stop()
      server.close()
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), stopAfterMs)
      await closed
      clearTimeout(timer)
    },
  }
}

function startFailure({ host, port }: ApiSettings, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const deed = `Cannot serve the API on ${host}:${port}`
  if (code === 'EADDRINUSE') {
    return `${deed}: another program uses the port. Set HEADWATER_PORT to a free port, or to 0 for any`
  }
  if (code === 'EACCES') return `${deed}: this user may not use the port. Set HEADWATER_PORT to one above 1023`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `${deed}: this machine has no such address. Set HEADWATER_HOST to one of its addresses, such as 127.0.0.1`
  }
  return deed
}
