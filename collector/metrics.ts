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
    help: 'Memory of requests that wait for their answer: bodies as sent and inflated',
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
  headwater_sampling_kept_spans_total: {
    type: 'counter',
    help: 'Spans that a collector with a budget kept: for their error, their latency, their run, or by chance',
    labels: ['reason'],
  },
  headwater_sampling_forgotten_runs_total: {
    type: 'counter',
    help: 'Runs with trouble that were forgotten before their time, for want of room: more of their spans may be missing',
  },
  headwater_sampling_other_spans_total: {
    type: 'counter',
    help: 'Spans that were counted as service "other" before shedding: more operations came at once than are counted apart',
  },
  headwater_sampling_refused_counts_total: {
    type: 'counter',
    help: 'Batches whose counts before shedding ClickHouse refused for good',
  },
  headwater_log_bytes: { type: 'gauge', help: 'Bytes of the write-ahead log on disk' },
  headwater_log_blocks: { type: 'gauge', help: 'Blocks in the log that are not in ClickHouse yet' },
  headwater_log_refusals_total: {
    type: 'counter',
    help: 'Blocks that the log could not take, by reason; their senders were asked to come again',
    labels: ['reason'],
  },
  headwater_log_lost_blocks_total: {
    type: 'counter',
    help: 'Blocks that were damaged on disk; what is known of their records is in the ledger as lost',
    labels: ['signal'],
  },
  headwater_log_progress_lost_total: {
    type: 'counter',
    help: 'Logs that went to ClickHouse once more because they did not know what it has of them',
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
