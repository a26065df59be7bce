import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { countPoints } from './count-points.ts'
import { exportMetricsRequest } from './reference/schema.ts'
import { WireError } from './wire.ts'

const limits = { objectsMax: 1_000 }

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
      expect(countPoints('protobuf', bytes, limits)).toBe(expected)
      expect(countPoints('json', Buffer.from(JSON.stringify(request)), limits)).toBe(expected)
    }),
  )
})

test('bytes that are no request are refused', () => {
  expect(() => countPoints('protobuf', Buffer.of(0x0a, 5), limits)).toThrow(WireError)
})

test('a body of too many objects or values is refused before it is parsed', () => {
  for (const item of ['{}', '1']) {
    const body = Buffer.from(`{"resourceMetrics":[${Array(6_000).fill(item).join(',')}]}`)
    expect(() => countPoints('json', body, limits)).toThrow('The body has more than')
  }
})
