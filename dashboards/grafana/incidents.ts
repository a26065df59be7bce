import { dashboard, figure, rows, series } from './parts.ts'

// Each change of an incident is a row; the last one is how it is now. Open ones may have begun before the range.
const now = `
    (
      SELECT IncidentId, argMax(State, At) AS state, argMax(Title, At) AS title, argMax(CauseService, At) AS cause,
        argMax(CauseOperation, At) AS operation, argMax(CauseKind, At) AS kind, argMax(Confidence, At) AS confidence,
        max(UsersAffected) AS users, max(RunsAffected) AS runs, min(At) AS opened, max(At) AS changed
      FROM incident_events
      GROUP BY IncidentId
    )`
const inRange = `(state = 'open' OR changed >= $__fromTime) AND opened <= $__toTime`

/** What broke, and whom it hit. */
export const incidents = dashboard({
  uid: 'headwater-incidents',
  title: 'incidents',
  description: 'Incidents with cause and impact, and the anomalies that they rest on',
})
  .withPanel(
    figure({
      title: 'Open',
      description: 'Now',
      width: 6,
      badFrom: 1,
      sql: `SELECT countIf(state = 'open') AS open FROM ${now}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Opened',
      description: 'In the range',
      width: 6,
      sql: `SELECT countIf($__timeFilter(opened)) AS opened FROM ${now}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Users hit',
      description: 'By the largest incident of the range',
      width: 6,
      badFrom: 1,
      sql: `SELECT max(users) AS users FROM ${now} WHERE ${inRange}`,
    }),
  )
  .withPanel(
    figure({
      title: 'Resolved after',
      description: 'Mean of those that were resolved in the range',
      unit: 's',
      width: 6,
      sql: `
    SELECT avg(dateDiff('second', opened, changed)) AS seconds FROM ${now} WHERE state = 'resolved' AND $__timeFilter(changed)`,
    }),
  )
  .withPanel(
    rows({
      title: 'Incidents',
      description: 'Open, or changed in the range',
      width: 24,
      units: { confidence: 'percentunit' },
      sql: `
    SELECT opened, state, title, cause, operation, kind, confidence, users, runs, changed, IncidentId AS incident
    FROM ${now}
    WHERE ${inRange}
    ORDER BY state = 'open' DESC, opened DESC LIMIT 200`,
    }),
  )
  .withPanel(
    series({
      title: 'Anomalies',
      description: 'How many departures from the baseline were told, by signal',
      width: 12,
      sql: `
    SELECT $__timeInterval(DetectedAt) AS time, Signal AS signal, count() AS anomalies
    FROM chain_anomalies
    WHERE $__timeFilter(DetectedAt)
    GROUP BY time, signal ORDER BY time, signal`,
    }),
  )
  .withPanel(
    series({
      title: 'Users hit',
      description: 'By open incident, as known then',
      width: 12,
      sql: `
    SELECT $__timeInterval(At) AS time, substringUTF8(Title, 1, 80) AS title, max(UsersAffected) AS users
    FROM incident_events
    WHERE $__timeFilter(At)
    GROUP BY time, title ORDER BY time, title`,
    }),
  )
  .withPanel(
    rows({
      title: 'What the incidents rest on',
      description: 'Expected against seen; the least likely first',
      width: 24,
      sql: `
    SELECT DetectedAt AS told, Service AS service, Operation AS operation, Signal AS signal, Expected AS expected, Seen AS seen,
      Unit AS unit, PValue AS p, Calls AS calls, Since AS since, IncidentId AS incident
    FROM chain_anomalies
    WHERE $__timeFilter(DetectedAt)
    ORDER BY PValue, DetectedAt DESC LIMIT 200`,
    }),
  )
