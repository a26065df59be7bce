import { MetricSet } from '@headwater/vocabulary'

/**
 * The ledger: received = stored + rejected + shed + duplicate + lost, and what is pending, by key and signal. Records of
 * requests that were refused before their body was decoded are not received: nobody knows their number.
 */
export const collectorMetrics = {
  headwater_ingest_records_total: {
    type: 'counter',
    help: 'Records (spans, log records, points of metrics) by what became of them: received, and then stored, rejected, shed, duplicate or lost, with the reason',
    labels: ['signal', 'key', 'outcome', 'reason'],
  },
  headwater_ingest_pending_records: {
    type: 'gauge',
    help: 'Records that were taken and are not in ClickHouse yet',
    labels: ['signal', 'key'],
  },
  headwater_ingest_refused_records_total: {
    type: 'counter',
    help: 'Records that were decoded and not taken: their senders were asked to come again',
    labels: ['signal', 'key', 'reason'],
  },
  headwater_otlp_requests_total: {
    type: 'counter',
    help: 'Requests by signal and status of the answer',
    labels: ['signal', 'status'],
  },
  headwater_otlp_body_bytes_total: { type: 'counter', help: 'Bytes of bodies, inflated, that were read whole' },
  headwater_otlp_in_flight_bytes: {
    type: 'gauge',
    help: 'Memory of requests that wait for their answer: bodies as sent, inflated, and their columns',
  },
  headwater_ingest_inserts_total: { type: 'counter', help: 'Inserts that ClickHouse has taken', labels: ['signal'] },
  headwater_ingest_insert_failures_total: {
    type: 'counter',
    help: 'Inserts that failed and are repeated',
    labels: ['signal'],
  },
  headwater_sampling_chance: {
    type: 'gauge',
    help: 'The chance of a run without trouble to be kept; 1 unless HEADWATER_SPAN_BUDGET is exceeded',
  },
  headwater_sampling_counts_dropped_total: {
    type: 'counter',
    help: 'Windows of counts before shedding that ClickHouse did not take for a minute',
  },
  headwater_log_bytes: { type: 'gauge', help: 'Bytes of the write-ahead log on disk' },
  headwater_log_blocks: { type: 'gauge', help: 'Blocks in the log that are not in ClickHouse yet' },
  headwater_log_refusals_total: {
    type: 'counter',
    help: 'Blocks that the log could not take, by reason; their senders were asked to come again',
    labels: ['reason'],
  },
  headwater_log_troubles_total: {
    type: 'counter',
    help: 'Failures to read the log or to write its progress; repeated',
  },
  headwater_log_quarantine_bytes: {
    type: 'gauge',
    help: 'Bytes of damaged and refused blocks that are kept for a person to look at',
  },
  headwater_log_quarantine_evicted_bytes_total: {
    type: 'counter',
    help: 'Bytes that left the quarantine to make room',
  },
  headwater_heartbeat_failures_total: { type: 'counter', help: 'Heartbeats that ClickHouse did not take' },
} as const

export type CollectorMetrics = MetricSet<keyof typeof collectorMetrics>

export function createCollectorMetrics(): CollectorMetrics {
  return new MetricSet(collectorMetrics)
}
