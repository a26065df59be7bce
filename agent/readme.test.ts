// What the README promises: five lines to the first flow. Those of the queues are run where their brokers are.

import { expect, test } from 'vitest'
import { programOf, tellingPorts } from './test-readme.ts'
import { startApp, startReceiver } from './testing.ts'

test.each([
  ['Express', 'GET /orders/:id'],
  ['Fastify', 'GET /orders/:id'],
  ['Hono', 'GET /orders/:id'],
  ['node:http', 'GET'],
])('%s: the first flow', async (framework, name) => {
  const receiver = await startReceiver()
  const program = programOf(framework)
  expect(program.trim().split('\n').length).toBeLessThanOrEqual(6)
  const app = await startApp({
    source: program.replace('3000', '0'),
    flags: ['--import', tellingPorts],
    env: { OTEL_SERVICE_NAME: 'shop', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  })
  const response = await fetch(`${app.url}/orders/42`)
  expect(response.status).toBe(200)
  const [span] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
  expect(span).toMatchObject({ service: 'shop', name, attributes: { 'flow.id': response.headers.get('x-flow-id') } })
  expect(app.stderr()).toBe('')
})

test('a NodeSDK of the service’s own', async () => {
  const receiver = await startReceiver()
  const app = await startApp({
    source: programOf('Express').replace('3000', '0'),
    files: { 'tracing.mjs': programOf('new NodeSDK(withHeadwater(') },
    flags: ['--import', tellingPorts, '--import', './tracing.mjs'],
    registered: false,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  })
  const response = await fetch(`${app.url}/orders/42`)
  const [span] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
  expect(span).toMatchObject({
    service: 'shop',
    name: 'GET /orders/:id',
    attributes: { 'flow.id': response.headers.get('x-flow-id') },
  })
})
