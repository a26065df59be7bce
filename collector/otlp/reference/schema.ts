// The official proto files of OpenTelemetry, release 1.11, as Maven's io.opentelemetry.proto:opentelemetry-proto ships them;
// google/rpc/status.proto has the fields of Google's that OTLP uses. For tests only: they encode requests and read answers.

import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'

const services = ['trace', 'logs', 'metrics'].map((signal) => `${signal}/v1/${signal}_service`)
const files = [
  'google/rpc/status.proto',
  ...['common/v1/common', 'resource/v1/resource', 'trace/v1/trace', 'logs/v1/logs', 'metrics/v1/metrics'].map(
    (file) => `opentelemetry/proto/${file}.proto`,
  ),
  ...services.map((file) => `opentelemetry/proto/collector/${file}.proto`),
]

const root = new protobuf.Root()
for (const file of files) protobuf.parse(readFileSync(new URL(file, import.meta.url), 'utf8'), root)
root.resolveAll()

const types = new Map<string, protobuf.Type>()

/** A message type by the end of its name, such as `trace.v1.Span`. */
export function messageType(name: string): protobuf.Type {
  const known = types.get(name)
  if (known !== undefined) return known
  const type = root.lookupType(`opentelemetry.proto.${name}`)
  types.set(name, type)
  return type
}

export const exportTraceRequest = messageType('collector.trace.v1.ExportTraceServiceRequest')
export const exportTraceResponse = messageType('collector.trace.v1.ExportTraceServiceResponse')
export const exportLogsRequest = messageType('collector.logs.v1.ExportLogsServiceRequest')
export const exportMetricsRequest = messageType('collector.metrics.v1.ExportMetricsServiceRequest')
export const rpcStatus = root.lookupType('google.rpc.Status')
