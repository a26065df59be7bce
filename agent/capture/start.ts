import { captureExpressChannel, patchExpress } from './express.ts'
import { captureFastify } from './fastify.ts'
import { captureFetch } from './fetch.ts'
import { honoModules, patchHono } from './hono.ts'
import { captureHttpClient } from './http-client.ts'
import { captureHttpServer } from './http-server.ts'
import type { Capturing } from './capturing.ts'
import { onLoad } from './on-load.ts'

/** Begins to make spans of what the service does. Once in a process. */
export function startCaptures(capturing: Capturing): void {
  captureHttpServer(capturing)
  captureHttpClient(capturing)
  captureFetch(capturing)
  captureExpressChannel()
  captureFastify()
  onLoad({ express: patchExpress, ...Object.fromEntries(honoModules.map((name) => [name, patchHono])) })
}
