import { amqplibPatches } from './amqplib.ts'
import { patchBullMq } from './bullmq.ts'
import { captureChildProcesses } from './child-process.ts'
import { cronPatches } from './cron.ts'
import { captureExpressChannel, patchExpress } from './express.ts'
import { captureFastify } from './fastify.ts'
import { captureFetch } from './fetch.ts'
import { honoPatches } from './hono.ts'
import { captureHttpClient } from './http-client.ts'
import { captureHttpServer } from './http-server.ts'
import { captureHttp2Client } from './http2-client.ts'
import { captureHttp2Server } from './http2-server.ts'
import { instrumentationPatches } from './instrumentations.ts'
import { addIdsToConsole, addIdsToPino, addIdsToWinston } from './logs.ts'
import { patchWebSocket } from './websocket.ts'
import { patchKafkaJs } from './kafkajs.ts'
import type { Capturing } from './capturing.ts'
import { type Patches, onLoad } from './on-load.ts'

/** Begins to make spans of what the service does, and patches `more` when it is loaded. Once in a process. */
export function startCaptures(capturing: Capturing, more: Patches['after'] = {}): void {
  captureHttpServer(capturing)
  captureHttp2Server(capturing)
  captureHttp2Client(capturing)
  captureHttpClient(capturing)
  captureFetch(capturing)
  captureExpressChannel()
  captureFastify()
  captureChildProcesses(capturing)
  if (capturing.logIds) addIdsToConsole()
  if (capturing.logIds) addIdsToPino()
  const { before, after } = capturing.instrumentations === 'auto' ? instrumentationPatches(capturing) : noPatches
  onLoad({
    before,
    after: {
      ...after,
      ...honoPatches,
      ...cronPatches,
      ...amqplibPatches(capturing),
      express: patchExpress,
      bullmq: (exports) => patchBullMq(exports, capturing),
      kafkajs: (exports) => patchKafkaJs(exports, capturing),
      ws: (exports) => patchWebSocket(exports, capturing),
      ...(capturing.logIds ? { winston: addIdsToWinston } : {}),
      ...more,
    },
  })
}

const noPatches: Patches = { before: {}, after: {} }
