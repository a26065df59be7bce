// Metrics are not kept, but OTLP asks to say how many points were left out. Counting needs no decoding.

import { type JsonFields, parseJson } from './json-fields.ts'
import { Wire } from './wire.ts'

/** Counts the log records of an ExportLogsServiceRequest, or the data points of an ExportMetricsServiceRequest. */
export function countRecords(signal: 'logs' | 'metrics', format: 'protobuf' | 'json', body: Uint8Array): number {
  if (format === 'protobuf') return countFields(new Wire(body), body.length, wirePaths[signal])
  return signal === 'logs' ? countLogRecordsOfJson(parseJson(body)) : countPointsOfJson(parseJson(body))
}

/** Field numbers from the request down to what is counted. A metric's kinds are 5, 7, 9, 10, 11, each with its points at 1. */
const wirePaths = {
  logs: [[1], [2], [2]],
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
}

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

function countLogRecordsOfJson(request: JsonFields): number {
  const scopes = request.messages('resourceLogs').flatMap((resource) => resource.messages('scopeLogs'))
  return scopes.reduce((count, scope) => count + scope.messages('logRecords').length, 0)
}

function countPointsOfJson(request: JsonFields): number {
  const scopes = request.messages('resourceMetrics').flatMap((resource) => resource.messages('scopeMetrics'))
  const metrics = scopes.flatMap((scope) => scope.messages('metrics'))
  const points = metrics.flatMap((metric) => pointKinds.flatMap((kind) => metric.message(kind) ?? []))
  return points.reduce((count, kind) => count + kind.messages('dataPoints').length, 0)
}
