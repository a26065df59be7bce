import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'

const root = new protobuf.Root()
for (const file of ['common', 'resource', 'trace', 'trace-service', 'rpc-status']) {
  const source = readFileSync(new URL(`${file}.proto`, import.meta.url), 'utf8')
  const { package: name = '' } = protobuf.parse(source, root)
  // proto3 refuses a request for one wrong byte in a string; spans are worth more than that, so wrong bytes become U+FFFD.
  for (const type of root.define(name).nestedArray) type.setOption('features', { utf8_validation: 'NONE' })
}
root.resolveAll()

export const exportTraceRequest = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')
export const exportTraceResponse = root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse')
export const rpcStatus = root.lookupType('google.rpc.Status')
