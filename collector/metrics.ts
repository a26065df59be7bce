import { MetricSet } from '@headwater/vocabulary'

/**
 * The ledger of spans: received = stored + rejected + refused, once nothing is in flight. Spans of requests that were
 * refused before their body was decoded are not received: nobody knows their number.
 */
export const collectorMetrics = {
  headwater_spans_received_total: { type: 'counter', help: 'Spans in requests that were decoded' },
  headwater_spans_stored_total: { type: 'counter', help: 'Spans that ClickHouse has' },
  headwater_spans_rejected_total: {
    type: 'counter',
    help: 'Spans that are no valid spans, by reason; sending them again does not help',
    labels: ['reason'],
  },
  headwater_spans_refused_total: {
    type: 'counter',
    help: 'Spans not taken now, by the status of the answer; senders that follow OTLP send them again',
    labels: ['status'],
  },
  headwater_otlp_requests_total: {
    type: 'counter',
    help: 'Requests by signal and status of the answer',
    labels: ['signal', 'status'],
  },
  headwater_otlp_body_bytes_total: { type: 'counter', help: 'Bytes of bodies, inflated, that were read whole' },
  headwater_otlp_in_flight_bytes: {
    type: 'gauge',
    help: 'Memory of requests that wait for their answer, as estimated: bodies as sent, inflated, decoded',
  },
  headwater_log_records_rejected_total: { type: 'counter', help: 'Log records; logs are not kept' },
  headwater_metric_points_rejected_total: { type: 'counter', help: 'Points of metrics; metrics are not kept' },
  headwater_span_inserts_total: { type: 'counter', help: 'Inserts of spans that ClickHouse has taken' },
  headwater_span_insert_failures_total: { type: 'counter', help: 'Inserts of spans that failed' },
  headwater_heartbeat_failures_total: { type: 'counter', help: 'Heartbeats that ClickHouse did not take' },
} as const

export type CollectorMetrics = MetricSet<keyof typeof collectorMetrics>

export function createCollectorMetrics(): CollectorMetrics {
  return new MetricSet(collectorMetrics)
}
