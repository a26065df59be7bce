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
} as const satisfies Record<string, MetricDefinition>
