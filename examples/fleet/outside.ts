// The peers that the services wait on: keys, rates, fonts … One process plays them all, a port each. It has no agent, as
// the services of other companies have none.

import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Slowness, ToOutside } from './control.ts'
import { between, randomFrom } from './random.ts'

const ports = JSON.parse(process.env['FLEET_OUTSIDE'] ?? '{}') as Record<string, number>
const random = randomFrom(Number(process.env['FLEET_SEED'] ?? '1'), 'outside')

const answers: Record<string, object> = {
  'sessions.internal': { locale: 'en-GB' },
  'keys.internal': { secret: 'c2VhbGVkIHdpdGggd2F4IGFuZCBhIHN0cmluZw' },
  'rates.internal': { rate: 1.0842 },
  'fonts.internal': { font: 'Helvetica', sizePoints: 11 },
  'schemas.internal': { delimiter: ',', aliasesMax: 100 },
  'archive.internal': { shelf: 'A7' },
}

let slowness: Slowness | null = null

process.on('message', (message: ToOutside) => {
  slowness = message.slowness
})
process.on('disconnect', () => process.exit())

await Promise.all(
  Object.entries(ports).map(async ([peer, port]) => {
    const body = JSON.stringify(answers[peer] ?? {})
    const server = createServer((request, response) => {
      const isSlow = slowness !== null && slowness.peer === peer && slowness.path === request.url
      const delayMs = between(random, 1, 4) + (isSlow && slowness ? slowness.delayMs * between(random, 0.85, 1.15) : 0)
      void wait(delayMs).then(() => response.setHeader('content-type', 'application/json').end(body))
    })
    server.keepAliveTimeout = 60_000
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
    return promise
  }),
)
process.send?.({ ready: true })
