import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { countRecords } from './count-records.ts'
import { exportLogsRequest, exportMetricsRequest } from './reference/schema.ts'
import { WireError } from './wire.ts'

const points = fc.record({ dataPoints: fc.array(fc.constant({}), { maxLength: 4 }) })
const metric = fc.oneof(
  fc.record({ gauge: points }),
  fc.record({ sum: points }),
  fc.record({ histogram: points }),
  fc.record({ exponentialHistogram: points }),
  fc.record({ summary: points }),
  fc.constant({ name: 'of a later kind' }),
)
const metricsRequest = fc.record({
  resourceMetrics: fc.array(
    fc.record({ scopeMetrics: fc.array(fc.record({ metrics: fc.array(metric, { maxLength: 4 }) }), { maxLength: 3 }) }),
    { maxLength: 3 },
  ),
})

test('all points of a request are counted, whatever their kind, in protobuf and in JSON', () => {
  fc.assert(
    fc.property(metricsRequest, (request) => {
      const expected = JSON.stringify(request).split('{}').length - 1
      const bytes = exportMetricsRequest.encode(exportMetricsRequest.fromObject(request)).finish()
      expect(countRecords('metrics', 'protobuf', bytes)).toBe(expected)
      expect(countRecords('metrics', 'json', Buffer.from(JSON.stringify(request)))).toBe(expected)
    }),
  )
})

test('all log records of a request are counted', () => {
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }, { logRecords: [{}] }] }] }
  const bytes = exportLogsRequest.encode(exportLogsRequest.fromObject(request)).finish()
  expect(countRecords('logs', 'protobuf', bytes)).toBe(3)
  expect(countRecords('logs', 'json', Buffer.from(JSON.stringify(request)))).toBe(3)
})

test('bytes that are no request are refused', () => {
  expect(() => countRecords('metrics', 'protobuf', Buffer.of(0x0a, 5))).toThrow(WireError)
})
