// The rows of `otel_logs` that log records should make, written from the specifications. Slow and plain, to be compared with.

import { otherFlowOf, hex, isZero, type RecordRules, type Row, type Times } from './expected-rows.ts'
import type { LogRecord } from './request.ts'
import { droppedOf, type TextRules, textOf, textsOf } from './value-text.ts'

export const logRules: RecordRules<LogRecord> = { rejectionOf, columnsOf }

function timeOf(record: LogRecord, { nowNs }: Times): bigint {
  return record.timeNs || record.observedNs || nowNs
}

function rejectionOf(record: LogRecord, times: Times): string | undefined {
  const timeNs = timeOf(record, times)
  if (timeNs < times.fromNs || timeNs > times.toNs) return 'outside_window'
  if (record.observedNs >= 2n ** 63n) return 'log_time'
  return undefined
}

function columnsOf(record: LogRecord, times: Times, rules: TextRules): Row {
  const attributes = textsOf(record, rules)
  const traceId = idOf(record.traceId, 16)
  const { severity } = record
  return {
    Timestamp: String(timeOf(record, times)),
    ObservedTimestamp: String(record.observedNs),
    TraceId: traceId,
    SpanId: idOf(record.spanId, 8),
    TraceFlags: record.flags % 256,
    Flags: record.flags,
    SeverityText: rules.ofText(record.severityText) ?? '',
    SeverityNumber: severity < 0 || severity > 255 ? 0 : severity,
    Body: textOf(record.body, rules) ?? '',
    EventName: rules.ofText(record.eventName) ?? '',
    LogAttributes: attributes,
    DroppedAttributes: droppedOf(record),
    OtherFlowId: otherFlowOf(attributes['flow.id'], traceId),
  }
}

/** logs.proto: an invalid identity SHOULD be taken as none. */
function idOf(id: Uint8Array, length: number): string {
  return id.length === length && !isZero(id) ? hex(id) : ''
}
