import type { MetricDefinition } from '@headwater/vocabulary'

export const metrics = {
  headwater_api_requests_total: {
    type: 'counter',
    help: 'Requests answered, by route and status',
    labels: ['route', 'status'],
  },
  headwater_api_request_seconds_total: {
    type: 'counter',
    help: 'Time spent on answers, by route',
    labels: ['route'],
  },
  headwater_api_explanations_refused_total: {
    type: 'counter',
    help: 'Times of the past that were not explained because others were being explained',
  },
  headwater_api_explain_series_left_out_total: {
    type: 'counter',
    help: 'Series that explaining a time of the past did not look at, because there were too many; the busiest are looked at',
  },
  headwater_api_explain_logs_left_out_total: {
    type: 'counter',
    help: 'Calls, about, of which explaining a time of the past did not look at what they logged, because there were too many',
  },
  headwater_jaeger_traces_left_out_total: {
    type: 'counter',
    help: "Traces left out of answers of Jaeger's API that had no room for more spans",
  },
} as const satisfies Record<string, MetricDefinition>
