import { dashboard, figure, rows, series } from './parts.ts'

const ledger = `
    (
      SELECT Time, Key, Signal, Outcome, Reason, Records FROM collector_ledger FINAL WHERE $__timeFilter(Time)
    )`
const countOf = (outcome: string) => `SELECT sumIf(Records, Outcome = '${outcome}') AS ${outcome} FROM ${ledger}`

/** Whether what was sent is there: every record is stored, rejected, shed, a repetition or lost. */
export const ingest = dashboard({
  uid: 'headwater-ingest',
  title: 'ingest',
  description:
    'What the collectors received, and what became of it: received = stored + rejected + shed + duplicate + lost + pending',
})
  .withPanel(figure({ title: 'Received', description: 'Records in the range', width: 4, sql: countOf('received') }))
  .withPanel(figure({ title: 'Stored', description: 'Records in ClickHouse', width: 4, sql: countOf('stored') }))
  .withPanel(
    figure({
      title: 'Rejected',
      description: 'With a reason, see below',
      width: 4,
      badFrom: 1,
      sql: countOf('rejected'),
    }),
  )
  .withPanel(figure({ title: 'Shed', description: 'On purpose, over the budget', width: 4, sql: countOf('shed') }))
  .withPanel(
    figure({
      title: 'Lost',
      description: 'Never of what was acknowledged',
      width: 4,
      badFrom: 1,
      sql: countOf('lost'),
    }),
  )
  .withPanel(
    figure({
      title: 'Collectors',
      description: 'That were alive in the last minute of the range',
      width: 4,
      sql: `SELECT uniqExact(Collector) AS collectors FROM collector_heartbeats WHERE At > $__toTime - 60 AND At <= $__toTime`,
    }),
  )
  .withPanel(
    series({
      title: 'Records per second',
      description: 'By what became of them',
      unit: 'cps',
      width: 12,
      sql: `
    SELECT $__timeInterval(Time) AS time, Outcome AS outcome, sum(Records) / $__interval_s AS rate
    FROM ${ledger}
    GROUP BY time, outcome ORDER BY time, outcome`,
    }),
  )
  .withPanel(
    series({
      title: 'Arrival after the end',
      description: '95 % of spans arrive so soon after they have ended',
      unit: 's',
      width: 12,
      sql: `
    SELECT $__timeInterval(ReceivedAt) AS time,
      quantile(0.95)(greatest(0, toUnixTimestamp64Milli(ReceivedAt) / 1e3 - (toUnixTimestamp64Nano(Timestamp) + Duration) / 1e9)) AS p95
    FROM otel_traces
    WHERE $__timeFilter(ReceivedAt)
    GROUP BY time ORDER BY time`,
    }),
  )
  .withPanel(
    rows({
      title: 'By key and signal',
      description: 'The books: what is neither stored nor told otherwise is pending',
      width: 12,
      sql: `
    SELECT Key AS key, Signal AS signal, sumIf(Records, Outcome = 'received') AS received, sumIf(Records, Outcome = 'stored') AS stored,
      sumIf(Records, Outcome = 'rejected') AS rejected, sumIf(Records, Outcome = 'shed') AS shed,
      sumIf(Records, Outcome = 'duplicate') AS duplicate, sumIf(Records, Outcome = 'lost') AS lost
    FROM ${ledger}
    GROUP BY key, signal ORDER BY received DESC LIMIT 200`,
    }),
  )
  .withPanel(
    rows({
      title: 'Reasons',
      description: 'Why records were rejected, shed or lost',
      width: 12,
      sql: `
    SELECT Outcome AS outcome, Reason AS reason, Signal AS signal, sum(Records) AS records
    FROM ${ledger}
    WHERE Reason != ''
    GROUP BY outcome, reason, signal ORDER BY records DESC LIMIT 200`,
    }),
  )
  .withPanel(
    series({
      title: 'Spans per second',
      description: 'By service, as they arrive',
      unit: 'cps',
      width: 12,
      sql: `
    SELECT $__timeInterval(ReceivedAt) AS time, Service AS service, count() / $__interval_s AS rate
    FROM otel_traces
    WHERE $__timeFilter(ReceivedAt)
    GROUP BY time, service ORDER BY time, service`,
    }),
  )
  .withPanel(
    rows({
      title: 'Tables',
      description: 'What they take on disk now',
      width: 12,
      units: { disk: 'bytes' },
      sql: `
    SELECT table, sum(rows) AS records, sum(bytes_on_disk) AS disk, count() AS parts, min(min_time) AS since
    FROM system.parts
    WHERE active AND database = currentDatabase()
    GROUP BY table ORDER BY disk DESC`,
    }),
  )
