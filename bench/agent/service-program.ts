// The service that is traced, or not: one route of Express that asks a peer.

import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { answerParent } from '../child.ts'
import { ownUsage } from '../usage.ts'

const require = createRequire(import.meta.url)
// OpenTelemetry's instrumentation does not see an Express that is imported, and does not say so.
const express = require('express') as typeof import('express')

const answers = {
  async start({ peerUrl }: { peerUrl: string }): Promise<string> {
    const app = express()
    app.get('/orders/:id', async (_request, response) => {
      const stock = await fetch(`${peerUrl}/stock/7`)
      response.json(await stock.json())
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    const server = app.listen(0, '127.0.0.1', () => resolve())
    await promise
    // Whoever is not asked for a while keeps its connections.
    server.keepAliveTimeout = 0
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  usage: ownUsage,
  /** Bytes in use once all garbage is gone, on V8's heap and in buffers. */
  inUse(): number {
    if (globalThis.gc === undefined) throw new Error('Cannot collect garbage: start Node with --expose-gc')
    globalThis.gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
}

export type ServiceProgram = typeof answers

answerParent(answers)
