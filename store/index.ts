export { type ClickHouseClient, connectClickHouse } from './clickhouse.ts'
export { connectStore, type Store, type StoreUrls } from './connect.ts'
export { checkHealth, type EngineHealth } from './health.ts'
export { migrateClickHouse, migratePostgres, MigrationRefused, type MigrationReport } from './migrate.ts'
export type { Database } from './postgres.ts'
export { otelTraces, type SpanInsert, type SpanRow } from './tables/otel-traces.ts'
export type { AnomalyRow, CallKind, IncidentEventRow } from './tables/facts.ts'
export { EngineAway } from './queries/ask.ts'
export { type FlowRun, readRun, readRunningRuns, readRuns, type RunFilter, runTracesMax } from './queries/executions.ts'
export {
  countClosedGoingOn,
  readIncident,
  readIncidentParts,
  readIncidents,
  readIncidentsDuring,
} from './queries/incidents.ts'
export { type ServiceFilter, servicePattern } from './queries/service-pattern.ts'
export { type CallStatistics, readServices, type ServiceSummary } from './queries/services.ts'
export { exceptionsMax } from './queries/logged-exceptions.ts'
export { namesMax, type OperationName, readOperationNames, readServiceNames } from './queries/names.ts'
export {
  countSpansOf,
  readSpan,
  readSpanOutlines,
  readSpans,
  type SpanOutline,
  spansMax,
  type StoredSpan,
} from './queries/spans.ts'
export type { Cursor, Page, Window } from './queries/window.ts'
export type { BadCall } from './bad-calls.ts'
export { type BadRun, readBadRuns, type RunCall } from './bad-runs.ts'
export {
  type Breakdown,
  type CallPattern,
  type FrequentError,
  readBadPatterns,
  readBreakdown,
  readFrequentErrors,
} from './bad-call-evidence.ts'
export { type FlowImpact, readImpact, type UsualEntry } from './impact.ts'
export {
  readChanges,
  readIncidentRanges,
  readOpenIncidents,
  readResolvedIncidents,
  saveIncident,
  type TrackedIncident,
} from './incidents.ts'
export {
  acknowledgeIncident,
  closeIncident,
  commentOnIncident,
  commentsMax,
  type DeedOutcome,
  judgeIncident,
} from './incident-people.ts'
export { wasReceived } from './reception.ts'
export { readRunCounts, type RunCounts } from './run-counts.ts'
export { readRunUsers, type RunUsers } from './run-users.ts'
export { appendTrail } from './incident-trail.ts'
export { type LogPattern, type ReadLogPatterns, readLogPatterns } from './log-patterns.ts'
export { type Lease, LeaseLost, releaseLease, takeLease } from './lease.ts'
export { type SettleCounts, type SettleRules, settleTick } from './settle.ts'
export {
  type Call,
  type CallsInto,
  type CallState,
  callsOnly,
  collectorWasAlive,
  readCalls,
  readNormalStates,
  readSent,
  readStates,
  readWindows,
  type States,
  statesMax,
  type WindowCounts,
} from './states.ts'
export { readVersions, type VersionSeen } from './versions.ts'
export { readCeasedCalls, readUsualCalls, type UsualCalls } from './ceased-calls.ts'
export { type CountedSeries, type MinuteCount, readCountsByMinute } from './counts-by-minute.ts'
export { type EntryCounts, type EntryOperation, readBusiestEntries, readEntryCounts } from './entry-counts.ts'
export { readTimesAtPlaces, type TimeAtPlace } from './times-at-places.ts'
export {
  type Screen,
  type ScreenedTest,
  type ScreenRules,
  screenSeries,
  type SlowRule,
  type SuspiciousSeries,
} from './screen.ts'
export {
  bothWindows,
  countCallsIn,
  countWindows,
  everyTenSecondsOf,
  minutesOf,
  tenSecondsOf,
  type TimeRange,
  type WindowRange,
  type Windows,
} from './windows.ts'
export { beginTick, finishTick, type Tick, watermarkMs } from './ticks.ts'
export {
  type DataDirectory,
  DataDirectoryInUseError,
  openDataDirectory,
  readRunFile,
  type RunFile,
} from './data-directory.ts'
export { type DiskReport, enforceDiskCap } from './disk-cap.ts'
export { applyRetention } from './retention.ts'
export { readStoreSettings, type StoreSettings } from './settings.ts'
export { listChanges, recordChange } from './queries/changes.ts'
export { readAlsoHit, readCallees, readRunSpans, readUsual, type SameCause, type Usual } from './queries/explain.ts'
export {
  type CallCount,
  type EdgeSummary,
  edgesMax,
  type EdgeTotals,
  type OperationEdge,
  readCallCounts,
  readEdges,
  readEdgeTotals,
  readOperationEdges,
} from './queries/graph.ts'
export { type Place, readThroughPlace, type ThroughPlace } from './queries/impact.ts'
export { requireSchema } from './schema-check.ts'
export { ByteColumn } from './native/byte-column.ts'
export type { GroupedLowCardinality, GroupedMap, GroupedNumber, GroupedText, Groups } from './native/grouped-columns.ts'
export { LogBlock } from './native/log-block.ts'
export type { Entries } from './native/map-column.ts'
export { SpanBlock } from './native/span-block.ts'
export type { TextTable } from './native/text-table.ts'
export { splitBlock } from './native/split-block.ts'
export { insertBlocks, type Inserted } from './insert-blocks.ts'
export { insertLedger } from './insert-ledger.ts'
export { readSeries, type SeriesCounts, type SeriesRead } from './queries/series.ts'
export { type KnownCalls, readKnownCalls } from './queries/known-calls.ts'
export { readScore, type Score, type ScoreBand } from './queries/score.ts'
export { type LedgerSummary, readLedger } from './queries/ledger.ts'
export { CountBlock, type SpanCount } from './native/count-block.ts'
export { readSpanCounts } from './queries/span-counts.ts'
export { type FlowSummary, flowsMax, readFlows } from './queries/flows.ts'
export { type LogRecord, logsMax, readLogs } from './queries/logs.ts'
export { type RecentEdge, readRecentEdges } from './queries/recent-edges.ts'
export {
  type Difference,
  findTraces,
  type FoundSpan,
  type HeatCell,
  heatSpansMax,
  readDifferences,
  readHeat,
  searchSpans,
  type SpanFilter,
} from './queries/search.ts'
export {
  readTraffic,
  readVersionTraffic,
  type TrafficFilter,
  type TrafficPoint,
  type VersionTraffic,
} from './queries/traffic.ts'
export {
  type AlertDestination,
  type AlertKnowledge,
  type AlertMember,
  type AlertThread,
  type AlertThreadChange,
  readAlertableIncidents,
  readAlertDestinations,
  readAlertKnowledge,
  readOpenAlerts,
  saveAlertThread,
  useAlertDestinations,
} from './alerts/planning.ts'
export {
  type AlertAttempt,
  type AlertCounts,
  type AlertDelivery,
  type AlertLogEntry,
  buryAlerts,
  countAlerts,
  disableAlertDestination,
  enableAlertDestination,
  forgetOldAlerts,
  type IncidentAlert,
  readAlertAttempts,
  readAlertLog,
  readAnalysisHealth,
  readDueAlerts,
  readIncidentAlerts,
  recordAlertAttempt,
  type Redelivery,
  redeliverAlerts,
} from './alerts/outbox.ts'
