import { choice, dashboard, figure, rows, safely, series } from './parts.ts'

// A run is the set of its traces; the first one names it.
const runs = `
    (
      SELECT FlowId, argMin(FlowName, StartedAt) AS flow, min(StartedAt) AS started, max(EndedAt) AS ended, max(Failed) AS failed,
        any(UserId) AS user, argMin(TraceId, StartedAt) AS trace, argMin(EntryService, StartedAt) AS entry, uniqExact(TraceId) AS traces
      FROM chain_execution_traces FINAL
      WHERE $__timeFilter(StartedAt)
      GROUP BY FlowId
    )`
const chosen = `$__conditionalAll(flow IN (\${flow:singlequote}), $flow)`
const tookMs = `(toUnixTimestamp64Nano(ended) - toUnixTimestamp64Nano(started)) / 1e6`

/** How flows do: the kinds of work that users ask for. */
export const flows = dashboard({
  uid: 'headwater-flows',
  title: 'flows',
  description:
    'Runs of flows, over queues and several traces: how many, how many fail, how long they take, whom they hit',
})
  .withVariable(
    choice({
      name: 'flow',
      label: 'Flow',
      sql: `SELECT DISTINCT FlowName FROM chain_execution_traces WHERE $__timeFilter(StartedAt) AND ${safely('FlowName')} ORDER BY FlowName LIMIT 1000`,
    }),
  )
  .withPanel(
    figure({
      title: 'Runs',
      description: 'That began in the range',
      width: 6,
      sql: `SELECT count() AS runs FROM ${runs} WHERE ${chosen}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Failed',
      description: 'Share of the runs',
      unit: 'percentunit',
      badFrom: 0.05,
      width: 6,
      sql: `SELECT countIf(failed) / greatest(1, count()) AS share FROM ${runs} WHERE ${chosen}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Users',
      description: 'Seen in runs',
      width: 6,
      sql: `SELECT uniqExactIf(user, user != '') AS users FROM ${runs} WHERE ${chosen}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Users hit',
      description: 'With a failed run',
      width: 6,
      badFrom: 1,
      sql: `SELECT uniqExactIf(user, user != '' AND failed) AS users FROM ${runs} WHERE ${chosen}`,
    }),
  )
  .withPanel(
    series({
      title: 'Runs per minute',
      description: 'By flow',
      width: 12,
      sql: `
    SELECT $__timeInterval(started) AS time, flow, count() * 60 / $__interval_s AS runs
    FROM ${runs}
    WHERE ${chosen}
    GROUP BY time, flow ORDER BY time, flow`,
    }),
  )
  .withPanel(
    series({
      title: 'Failed',
      description: 'Share of the runs, by flow',
      unit: 'percentunit',
      width: 12,
      sql: `
    SELECT $__timeInterval(started) AS time, flow, countIf(failed) / count() AS share
    FROM ${runs}
    WHERE ${chosen}
    GROUP BY time, flow ORDER BY time, flow`,
    }),
  )
  .withPanel(
    series({
      title: '95 % take at most',
      description: 'From the first span to the last effect, by flow',
      unit: 'ms',
      width: 24,
      sql: `
    SELECT $__timeInterval(started) AS time, flow, round(quantileExact(0.95)(${tookMs}), 3) AS p95
    FROM ${runs}
    WHERE ${chosen}
    GROUP BY time, flow ORDER BY time, flow`,
    }),
  )
  .withPanel(
    rows({
      title: 'Flows',
      description: 'The most frequent',
      width: 24,
      units: { failing: 'percentunit', p50: 'ms', p95: 'ms' },
      sql: `
    SELECT flow, count() AS runs, avg(failed) AS failing, round(quantileExact(0.5)(${tookMs}), 3) AS p50,
      round(quantileExact(0.95)(${tookMs}), 3) AS p95, uniqExactIf(user, user != '') AS users, max(traces) AS traces
    FROM ${runs}
    WHERE ${chosen}
    GROUP BY flow ORDER BY runs DESC LIMIT 200`,
    }),
  )
  .withPanel(
    rows({
      title: 'Failed runs',
      description: 'The last ones',
      width: 24,
      units: { took: 'ms' },
      sql: `
    SELECT started, flow, entry, user, round(${tookMs}, 3) AS took, traces, FlowId AS run, trace
    FROM ${runs}
    WHERE failed AND ${chosen}
    ORDER BY started DESC LIMIT 100`,
    }),
  )
