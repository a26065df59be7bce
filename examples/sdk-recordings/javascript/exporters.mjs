// The same spans and records leave in each of the encodings, so that one recording can be held against another.
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufLogExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'

const traceExporters = { protobuf: ProtobufTraceExporter, json: JsonTraceExporter }
const logExporters = { protobuf: ProtobufLogExporter, json: JsonLogExporter }

/** Large enough that one recording is one request. */
const batch = { maxExportBatchSize: 2_048, maxQueueSize: 2_048, scheduledDelayMillis: 600_000 }

function exporter(exporters, { name, encoding, compression }) {
  const suffix = compression === 'none' ? '' : `-${compression}`
  return new exporters[encoding]({ compression, headers: { recording: `javascript-${name}-${encoding}${suffix}` } })
}

/** A processor for every variant, `{ encoding, compression }`, of the recording `name`. */
export const spanProcessors = (name, variants) =>
  variants.map(
    (variant) => new BatchSpanProcessor({ ...batch, exporter: exporter(traceExporters, { name, ...variant }) }),
  )

/** The same for log records. */
export const logProcessors = (name, variants) =>
  variants.map(
    (variant) => new BatchLogRecordProcessor({ ...batch, exporter: exporter(logExporters, { name, ...variant }) }),
  )

export const everyVariant = ['protobuf', 'json'].flatMap((encoding) =>
  ['none', 'gzip'].map((compression) => ({ encoding, compression })),
)
