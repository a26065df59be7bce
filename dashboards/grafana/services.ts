import { choice, dashboard, figure, quantileMs, rows, safely, series } from './parts.ts'

const calls = `Kind IN ('entry', 'sync', 'async') AND $__timeFilter(Window) AND $__conditionalAll(Service IN (\${service:singlequote}), $service)`
const joined = `chain_health_metrics ARRAY JOIN mapKeys(Duration) AS bucket, mapValues(Duration) AS calls`

/** How the services do that are called. */
export const services = dashboard({
  uid: 'headwater-services',
  title: 'services',
  description: 'Calls into services: how many, how many fail, how long they take, and who calls whom',
})
  .withVariable(
    choice({
      name: 'service',
      label: 'Service',
      sql: `SELECT DISTINCT Service FROM chain_health_metrics WHERE $__timeFilter(Window) AND ${safely('Service')} ORDER BY Service LIMIT 1000`,
    }),
  )
  .withPanel(
    figure({
      title: 'Services',
      description: 'That were called',
      width: 6,
      sql: `SELECT uniqExact(Service) AS services FROM chain_health_metrics WHERE ${calls}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Calls per second',
      description: 'Mean over the range',
      unit: 'cps',
      width: 6,
      sql: `SELECT sum(Calls) / greatest(1, toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime)) AS rate FROM chain_health_metrics WHERE ${calls}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Failing',
      description: 'Share of the calls',
      unit: 'percentunit',
      width: 6,
      badFrom: 0.05,
      sql: `SELECT sum(Errors) / greatest(1, sum(Calls)) AS share FROM chain_health_metrics WHERE ${calls}`,
    }),
  )
  .withPanel(
    figure({
      title: '95 % take at most',
      description: 'Right within 2.5 %',
      unit: 'ms',
      width: 6,
      sql: `SELECT ${quantileMs(0.95)} AS p95 FROM ${joined} WHERE ${calls}`,
    }),
  )
  .withPanel(
    series({
      title: 'Calls per second',
      description: 'By service',
      unit: 'cps',
      width: 12,
      sql: `
    SELECT $__timeInterval(Window) AS time, Service AS service, sum(Calls) / greatest(60, $__interval_s) AS rate
    FROM chain_health_metrics
    WHERE ${calls}
    GROUP BY time, service ORDER BY time, service`,
    }),
  )
  .withPanel(
    series({
      title: 'Failing',
      description: 'Share of the calls, by service',
      unit: 'percentunit',
      width: 12,
      sql: `
    SELECT $__timeInterval(Window) AS time, Service AS service, sum(Errors) / greatest(1, sum(Calls)) AS share
    FROM chain_health_metrics
    WHERE ${calls}
    GROUP BY time, service ORDER BY time, service`,
    }),
  )
  .withPanel(
    series({
      title: '95 % take at most',
      description: 'By service',
      unit: 'ms',
      width: 12,
      sql: `
    SELECT $__timeInterval(Window) AS time, Service AS service, ${quantileMs(0.95)} AS p95
    FROM ${joined}
    WHERE ${calls}
    GROUP BY time, service ORDER BY time, service`,
    }),
  )
  .withPanel(
    series({
      title: 'Where errors begin',
      description: 'Failing calls per second none of whose own calls fails, by service',
      unit: 'cps',
      width: 12,
      sql: `
    SELECT $__timeInterval(Window) AS time, Service AS service, sum(OriginErrors) / greatest(60, $__interval_s) AS rate
    FROM chain_health_metrics
    WHERE ${calls}
    GROUP BY time, service ORDER BY time, service`,
    }),
  )
  .withPanel(
    rows({
      title: 'Operations',
      description: 'The most called',
      width: 24,
      units: { failing: 'percentunit', p50: 'ms', p95: 'ms', p99: 'ms' },
      sql: `
    SELECT service, operation, total AS calls, failing, p50, p95, p99, seen
    FROM (
      SELECT Service AS service, Operation AS operation, sum(Calls) AS total, sum(Errors) / greatest(1, sum(Calls)) AS failing,
        max(Window) AS seen
      FROM chain_health_metrics WHERE ${calls} GROUP BY service, operation
    ) AS counts
    LEFT JOIN (
      SELECT Service AS service, Operation AS operation, ${quantileMs(0.5)} AS p50, ${quantileMs(0.95)} AS p95, ${quantileMs(0.99)} AS p99
      FROM ${joined} WHERE ${calls} GROUP BY service, operation
    ) AS durations USING (service, operation)
    ORDER BY calls DESC LIMIT 200`,
    }),
  )
  .withPanel(
    rows({
      title: 'Who calls whom',
      description: 'Between services, and to peers that send no spans',
      width: 12,
      units: { failing: 'percentunit' },
      sql: `
    SELECT Caller AS caller, Service AS service, Kind AS kind, sum(Calls) AS calls,
      greatest(sum(Errors), sum(ClientErrors)) / greatest(1, sum(Calls)) AS failing
    FROM chain_health_metrics
    WHERE $__timeFilter(Window) AND Kind NOT IN ('entry', 'publish') AND Caller != ''
      AND $__conditionalAll((Service IN (\${service:singlequote}) OR Caller IN (\${service:singlequote})), $service)
    GROUP BY caller, service, kind ORDER BY calls DESC LIMIT 200`,
    }),
  )
  .withPanel(
    rows({
      title: 'Last errors',
      description: 'Calls in which an error began',
      width: 12,
      sql: `
    SELECT Time AS time, Service AS service, Operation AS operation, ErrorType AS error, substringUTF8(Message, 1, 200) AS message,
      TraceId AS trace
    FROM chain_dependency_events FINAL
    WHERE $__timeFilter(Time) AND OriginError = 1 AND $__conditionalAll(Service IN (\${service:singlequote}), $service)
    ORDER BY Time DESC LIMIT 100`,
    }),
  )
