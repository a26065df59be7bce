// Metrics are not kept, but OTLP asks to say how many points were left out. Counting needs no decoding.

import { type JsonFields, type JsonLimits, parseJson } from './json-fields.ts'
import { Wire } from './wire.ts'

/** Counts the data points of an ExportMetricsServiceRequest. */
export function countPoints(format: 'protobuf' | 'json', body: Uint8Array, limits: JsonLimits): number {
  return format === 'protobuf'
    ? countFields(new Wire(body), body.length, wirePath)
    : countPointsOfJson(parseJson(body, limits))
}

/** Field numbers from the request down to the points. A metric's kinds are 5, 7, 9, 10, 11, each with its points at 1. */
const wirePath = [[1], [2], [2], [5, 7, 9, 10, 11], [1]]

const pointKinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

function countFields(wire: Wire, end: number, [fields, ...below]: readonly (readonly number[])[]): number {
  if (fields === undefined) return 1
  let count = 0
  while (wire.at < end) {
    const tag = wire.tag(end)
    if ((tag & 7) !== 2 || !fields.includes(tag >>> 3)) {
      wire.skip(tag, end)
      continue
    }
    const fieldEnd = wire.fieldEnd(end)
    count += countFields(wire, fieldEnd, below)
    wire.at = fieldEnd
  }
  return count
}

function countPointsOfJson(request: JsonFields): number {
  const scopes = request.messages('resourceMetrics').flatMap((resource) => resource.messages('scopeMetrics'))
  const metrics = scopes.flatMap((scope) => scope.messages('metrics'))
  const points = metrics.flatMap((metric) => pointKinds.flatMap((kind) => metric.message(kind) ?? []))
  return points.reduce((count, kind) => count + kind.messages('dataPoints').length, 0)
}
