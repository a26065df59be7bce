import { expect, test } from 'vitest'
import { readSettings } from './settings.ts'

test('empty variables are unset ones', () => {
  const unset = readSettings({})
  const empty = readSettings({
    OTEL_SDK_DISABLED: '',
    OTEL_EXPORTER_OTLP_ENDPOINT: ' ',
    OTEL_BSP_SCHEDULE_DELAY: '',
    OTEL_PROPAGATORS: '',
    HEADWATER_TRUST: ' ',
    HEADWATER_SHARED_KEY: '',
  })
  expect({ ...empty, resource: {} }).toEqual({ ...unset, resource: {} })
  expect(unset).toMatchObject({
    enabled: true,
    endpoint: { url: new URL('http://127.0.0.1:4318/v1/traces'), headers: {}, timeoutMs: 10_000 },
    sharedKey: undefined,
    batch: { queueSpansMax: undefined, batchSpansMax: 512, flushAfterMs: 5_000, exportTimeoutMs: 30_000 },
    warnings: [],
  })
})

test.each([
  ['HEADWATER_TRUST', '10.0.0', 'is no host name'],
  ['HEADWATER_SHARED_KEY', 'short', 'can be guessed'],
  ['OTEL_TRACES_EXPORTER', 'zipkin', '"zipkin" is not supported'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'point it at port 4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318', 'write it like http://host:4318'],
  ['OTEL_PROPAGATORS', 'b3', '"b3" is not supported'],
  ['OTEL_LOG_LEVEL', 'loud', 'use none, error'],
  ['OTEL_TRACES_SAMPLER', 'some', 'use always_on'],
  ['OTEL_TRACES_SAMPLER_ARG', '2', 'no number from 0 to 1'],
  ['OTEL_BSP_SCHEDULE_DELAY', '5s', 'the default is used'],
  ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'the default is used'],
])('%s=%s is said to be wrong, and stops nothing', (name, value, mend) => {
  const { enabled, warnings } = readSettings({ [name]: value })
  expect(enabled).toBe(true)
  expect(warnings).toEqual([expect.stringContaining(mend)])
  expect(warnings[0]).toContain(name)
})
