import { MetricSet } from '@headwater/vocabulary'

export type AnalyzerMetrics = MetricSet<keyof typeof definitions>

const definitions = {
  headwater_settle_spans_total: { type: 'counter', help: 'Distinct spans settled' },
  headwater_settle_late_spans_total: { type: 'counter', help: 'Spans that came after their trace had been settled' },
  headwater_settle_ticks_total: { type: 'counter', help: 'Ticks of settling done' },
  headwater_settle_ticks_given_up_total: {
    type: 'counter',
    help: 'Ticks that ClickHouse kept refusing: what arrived in them is stored but not analyzed',
  },
  headwater_settle_watermark_seconds: { type: 'gauge', help: 'All that arrived before this Unix time is settled' },
  headwater_analyzer_leader: { type: 'gauge', help: '1 while this analyzer holds the lease' },
  headwater_analyzer_steps_total: { type: 'counter', help: 'Steps of analysis done, a window each' },
  headwater_analyzer_early_steps_total: {
    type: 'counter',
    help: 'Steps within a window, made while an incident could be beginning',
  },
  headwater_analyzer_findings_total: { type: 'counter', help: 'Departures from normal, over all steps' },
  headwater_analyzer_usual_findings_total: {
    type: 'counter',
    help: 'Departures from the last hour that are usual at this time of day, over all steps; they open nothing',
  },
  headwater_analyzer_series_left_out_total: {
    type: 'counter',
    help: 'Series, pairs of services, services and windows that a step did not look at, because there were too many; the busiest, nearest and newest are looked at',
  },
  headwater_analyzer_failures_total: {
    type: 'counter',
    help: 'Rounds given up because an engine failed; the next one repeats them',
  },
  headwater_analyzer_lasting_failures_total: {
    type: 'counter',
    help: 'Minutes in which small effects that last could not be looked for, because an engine failed',
  },
  headwater_analyzer_evidence_failures_total: {
    type: 'counter',
    help: 'Reads that failed and only say more of an incident, which is told without',
  },
  headwater_analyzer_flows_watched: {
    type: 'gauge',
    help: 'Flows that are judged by what is usual at this time of the week',
  },
  headwater_analyzer_flows_left_out: {
    type: 'gauge',
    help: 'Flows that are not, because there are too many; the busiest are',
  },
  headwater_analyzer_season_failures_total: {
    type: 'counter',
    help: 'Minutes in which flows could not be judged by what is usual, because an engine failed',
  },
  headwater_incidents_open: { type: 'gauge', help: 'Incidents open now' },
  headwater_incidents_opened_total: { type: 'counter', help: 'Incidents opened' },
  headwater_incidents_reopened_total: { type: 'counter', help: 'Incidents that were resolved and came back' },
  headwater_incidents_resolved_total: { type: 'counter', help: 'Incidents resolved' },
  headwater_incidents_merged_total: {
    type: 'counter',
    help: 'Incidents that became part of an older one with the same cause',
  },
} as const

export function analyzerMetrics(): AnalyzerMetrics {
  return new MetricSet(definitions)
}
