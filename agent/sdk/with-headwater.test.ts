import { expect, test } from 'vitest'
import { startApp, startReceiver } from '../testing.ts'

const otherFlowId = 'c0ffee00c0ffee00c0ffee00c0ffee00'

/** A service that runs OpenTelemetry's SDK by itself. */
function ownSdk(configuration: string) {
  return `
    import { NodeSDK } from '@opentelemetry/sdk-node'
    import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
    import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
    import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
    import { createRequire } from 'node:module'
    import { withHeadwater } from '@headwater/agent/sdk'
    const seen = []
    const watcher = { onStart() {}, onEnd: (span) => seen.push(span.attributes['flow.id']), forceFlush() {}, shutdown() {} }
    const sdk = new NodeSDK(${configuration})
    sdk.start()
    const http = createRequire(import.meta.url)('http')
    const server = http.createServer(async (request, response) => {
      if (request.url === '/echo') response.end(JSON.stringify(request.headers))
      else if (request.url === '/seen') response.end(JSON.stringify(seen))
      else response.end(await (await fetch('http://127.0.0.1:' + server.address().port + '/echo')).text())
    })
    server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
  `
}

const stock = 'instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()]'

test.each([
  ['our captures', `withHeadwater({ serviceName: 'own' })`, true],
  ['its own instrumentations', `withHeadwater({ serviceName: 'own', ${stock} }, { captures: false })`, false],
])('a NodeSDK of the service’s own with %s carries flows on', async (_what, configuration, tellsFlow) => {
  const receiver = await startReceiver()
  const app = await startApp({
    source: ownSdk(configuration),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    registered: false,
  })
  const response = await fetch(`${app.url}/orders`, { headers: { baggage: `flow.id=${otherFlowId},flow.name=buying` } })
  expect(await response.json()).toMatchObject({
    'x-flow-id': otherFlowId,
    baggage: `flow.id=${otherFlowId},flow.name=buying,service.name=own`,
  })
  expect(response.headers.get('x-flow-id')).toBe(tellsFlow ? otherFlowId : null)
  const spans = await receiver.wanted(3, () => true)
  expect(spans.map(({ kind }) => kind).toSorted()).toEqual(['CLIENT', 'SERVER', 'SERVER'])
  for (const { service, attributes } of spans) {
    expect(service).toBe('own')
    expect(attributes).toMatchObject({ 'flow.id': otherFlowId, 'flow.name': 'buying' })
  }
  const stranger = await fetch(`${app.url}/echo`, {
    headers: { 'x-flow-id': otherFlowId, 'x-forwarded-for': '8.8.8.8' },
  })
  await stranger.text()
  const forged = await receiver.wanted(4, () => true)
  expect(forged[3]?.attributes['flow.id']).toBe(forged[3]?.traceId)
})

test('span processors and a propagator that are there stay', async () => {
  const receiver = await startReceiver()
  const app = await startApp({
    source: ownSdk(`withHeadwater({
      serviceName: 'own',
      spanProcessors: [watcher],
      textMapPropagator: { inject: (c, carrier, setter) => setter.set(carrier, 'x-theirs', '1'), extract: (c) => c, fields: () => [] },
    })`),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    registered: false,
  })
  const response = await fetch(`${app.url}/orders`)
  expect(await response.json()).toMatchObject({ 'x-theirs': '1' })
  const id = response.headers.get('x-flow-id')
  expect(await (await fetch(`${app.url}/seen`)).json()).toEqual([id, id, id])
  expect(receiver.spans).toEqual([])
})

test('OTEL_SDK_DISABLED leaves the configuration as it was', async () => {
  const app = await startApp({
    source: `
      import { withHeadwater } from '@headwater/agent/sdk'
      const configuration = { serviceName: 'own' }
      console.log(withHeadwater(configuration) === configuration)
    `,
    env: { OTEL_SDK_DISABLED: 'true' },
    registered: false,
    serves: false,
  })
  await app.ended()
  expect(app.stdout()).toBe('true\n')
})

test('where the agent traces already, an SDK gets nothing of it, and one line says so', async () => {
  const app = await startApp({
    source: `
      import { withHeadwater } from '@headwater/agent/sdk'
      const configuration = { serviceName: 'own' }
      console.log(withHeadwater(configuration) === configuration)
    `,
    env: { OTEL_TRACES_EXPORTER: 'none' },
    serves: false,
  })
  await app.ended()
  expect(app.stdout()).toBe('true\n')
  expect(app.stderr()).toMatch(/^headwater: the agent traces this process already .* use one of them\n$/)
})
