import { MetricSet } from '@headwater/vocabulary'

export type AlertMetrics = MetricSet<keyof typeof definitions>

const definitions = {
  headwater_alerts_leader: { type: 'gauge', help: '1 while this responder holds the lease' },
  headwater_alerts_messages_total: {
    type: 'counter',
    help: 'Messages put into the outbox',
    labels: ['destination', 'change'],
  },
  headwater_alerts_silenced_total: {
    type: 'counter',
    help: 'Incidents that ended without a message: within maintenance, too short for their route, or without a route',
    labels: ['reason'],
  },
  headwater_alerts_attempts_total: {
    type: 'counter',
    help: 'Attempts to deliver, by what they came to: delivered, again, dead or gone',
    labels: ['destination', 'outcome'],
  },
  headwater_alerts_postponed_total: {
    type: 'counter',
    help: 'Rounds in which messages waited because their destination had taken as many as its rate allows',
    labels: ['destination'],
  },
  headwater_alerts_full_total: {
    type: 'counter',
    help: 'Rounds in which nothing was put into the outbox because too many messages wait for a destination',
    labels: ['destination'],
  },
  headwater_alerts_waiting: { type: 'gauge', help: 'Messages in the outbox', labels: ['destination'] },
  headwater_alerts_dead: {
    type: 'gauge',
    help: 'Messages that were given up and can be sent again',
    labels: ['destination'],
  },
  headwater_alerts_forgotten_total: { type: 'counter', help: 'Dead letters deleted because there were too many' },
  headwater_alerts_oldest_waiting_seconds: {
    type: 'gauge',
    help: 'How long the oldest message has been in the outbox',
    labels: ['destination'],
  },
  headwater_alerts_disabled: {
    type: 'gauge',
    help: '1 while a destination gets nothing because it has answered 410',
    labels: ['destination'],
  },
  headwater_alerts_refreshes_total: {
    type: 'counter',
    help: 'Repetitions of open alerts to Alertmanagers, by what they came to',
    labels: ['destination', 'outcome'],
  },
  headwater_alerts_heartbeats_total: {
    type: 'counter',
    help: 'Heartbeats: sent, failed, or withheld because Headwater itself is not well',
    labels: ['outcome'],
  },
  headwater_alerts_failures_total: {
    type: 'counter',
    help: 'Rounds given up because an engine failed; the next one repeats them',
  },
} as const

export function alertMetrics(): AlertMetrics {
  return new MetricSet(definitions)
}
