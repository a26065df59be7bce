// Logs and metrics are not kept, but OTLP asks to say how many records were left out. Counting needs no decoding.

import protobuf from 'protobufjs'
import { type JsonFields, parseJson } from './json-fields.ts'

/** Counts the log records of an ExportLogsServiceRequest, or the data points of an ExportMetricsServiceRequest. */
export function countRecords(signal: 'logs' | 'metrics', format: 'protobuf' | 'json', body: Uint8Array): number {
  if (format === 'protobuf') return countFields(protobuf.Reader.create(body), body.length, wirePaths[signal])
  return signal === 'logs' ? countLogRecordsOfJson(parseJson(body)) : countPointsOfJson(parseJson(body))
}

/** Field numbers from the request down to what is counted. A metric's kinds are 5, 7, 9, 10, 11, each with its points at 1. */
const wirePaths = {
  logs: [[1], [2], [2]],
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
}

const pointKinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

function countFields(reader: protobuf.Reader, end: number, [fields, ...below]: readonly (readonly number[])[]): number {
  if (fields === undefined) return 1
  let count = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    if ((tag & 7) !== 2 || !fields.includes(tag >>> 3)) {
      reader.skipType(tag & 7)
      continue
    }
    const length = reader.uint32()
    const fieldEnd = reader.pos + length
    if (fieldEnd > end) throw new RangeError(`a message of ${length} bytes ends beyond the one around it`)
    count += countFields(reader, fieldEnd, below)
    reader.pos = fieldEnd
  }
  if (reader.pos > end) throw new RangeError('a field ends beyond its message')
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
