import { choice, dashboard, figure, rows, safely, series } from './parts.ts'

const spans = `otel_traces WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Service IN (\${service:singlequote}), $service)`

/** Whether what sends to us does well, seen from what it sends. */
export const agents = dashboard({
  uid: 'headwater-agents',
  title: 'agents',
  description: 'SDKs and agents by what they send: versions, instances, delays, and what they had to drop',
})
  .withVariable(
    choice({
      name: 'service',
      label: 'Service',
      sql: `SELECT DISTINCT Service FROM otel_traces WHERE $__timeFilter(Timestamp) AND ${safely('Service')} ORDER BY Service LIMIT 1000`,
    }),
  )
  .withPanel(
    figure({
      title: 'Instances',
      description: 'That sent spans',
      width: 6,
      sql: `SELECT uniqExact(Service, Instance) AS instances FROM ${spans}`,
    }),
  )
  .withPanel(
    figure({
      title: 'With flows',
      description: 'Share of the spans that name their flow: those of the agent',
      unit: 'percentunit',
      width: 6,
      sql: `SELECT countIf(FlowName != '') / greatest(1, count()) AS share FROM ${spans}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Dropped by senders',
      description: 'Attributes, events and links beyond the limits of the SDK',
      width: 6,
      badFrom: 1,
      sql: `SELECT sum(toUInt64(DroppedAttributes) + DroppedEvents + DroppedLinks) AS dropped FROM ${spans}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Sampled',
      description: 'Share of the spans that stand for more than themselves',
      unit: 'percentunit',
      width: 6,
      sql: `SELECT countIf(Weight > 1) / greatest(1, count()) AS share FROM ${spans}`,
    }),
  )
  .withPanel(
    series({
      title: 'Spans per second',
      description: 'By SDK and language',
      unit: 'cps',
      width: 12,
      sql: `
    SELECT $__timeInterval(Timestamp) AS time,
      concat(ResourceAttributes['telemetry.sdk.name'], ' ', ResourceAttributes['telemetry.sdk.language']) AS sdk,
      count() / $__interval_s AS rate
    FROM ${spans}
    GROUP BY time, sdk ORDER BY time, sdk`,
    }),
  )
  .withPanel(
    series({
      title: 'Arrival after the end',
      description: '95 % of spans arrive so soon after they have ended, by service: batches, queues, retries',
      unit: 's',
      width: 12,
      sql: `
    SELECT $__timeInterval(Timestamp) AS time, Service AS service,
      quantile(0.95)(greatest(0, toUnixTimestamp64Milli(ReceivedAt) / 1e3 - (toUnixTimestamp64Nano(Timestamp) + Duration) / 1e9)) AS p95
    FROM ${spans}
    GROUP BY time, service ORDER BY time, service`,
    }),
  )
  .withPanel(
    rows({
      title: 'SDKs and agents',
      description: 'Which versions send',
      width: 12,
      sql: `
    SELECT ResourceAttributes['telemetry.sdk.name'] AS sdk, ResourceAttributes['telemetry.sdk.language'] AS language,
      ResourceAttributes['telemetry.sdk.version'] AS version, ResourceAttributes['telemetry.distro.name'] AS distro,
      uniqExact(Service) AS services, uniqExact(Service, Instance) AS instances, count() AS spans
    FROM ${spans}
    GROUP BY sdk, language, version, distro ORDER BY spans DESC LIMIT 200`,
    }),
  )
  .withPanel(
    rows({
      title: 'Instances',
      description: 'The most quiet first: what has stopped to send stands on top',
      width: 12,
      sql: `
    SELECT Service AS service, Instance AS instance, Version AS version, max(ReceivedAt) AS seen, count() AS spans,
      sum(toUInt64(DroppedAttributes) + DroppedEvents + DroppedLinks) AS dropped
    FROM ${spans}
    GROUP BY service, instance, version ORDER BY seen LIMIT 200`,
    }),
  )
