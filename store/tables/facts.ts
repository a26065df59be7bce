import type { InsertRow } from '../columns.ts'

export const chainDependencyEvents = {
  stored: {
    Tick: 'UInt64',
    Deleted: 'UInt8',
    Time: 'DateTime64(3)',
    TraceId: 'String',
    SpanId: 'String',
    FlowId: 'String',
    FlowName: 'LowCardinality(String)',
    Kind: 'LowCardinality(String)',
    Service: 'LowCardinality(String)',
    Operation: 'LowCardinality(String)',
    Version: 'LowCardinality(String)',
    Instance: 'LowCardinality(String)',
    Caller: 'LowCardinality(String)',
    CallerOperation: 'LowCardinality(String)',
    ClientSpanId: 'String',
    PeerAddress: 'LowCardinality(String)',
    Counted: 'UInt8',
    Failed: 'UInt8',
    OriginError: 'UInt8',
    ClientFailed: 'UInt8',
    DurationNs: 'UInt64',
    SelfNs: 'UInt64',
    WireNs: 'UInt64',
    QueueNs: 'UInt64',
    UserId: 'String',
    ErrorType: 'LowCardinality(String)',
    Message: 'String',
    Weight: 'Float64',
  },
} as const

const histogram = 'SimpleAggregateFunction(sumMap, Map(UInt16, UInt64))'
const sum = 'SimpleAggregateFunction(sum, UInt64)'

export const chainHealthMetrics = {
  stored: {
    Window: 'DateTime',
    Service: 'LowCardinality(String)',
    Operation: 'LowCardinality(String)',
    Kind: 'LowCardinality(String)',
    Caller: 'LowCardinality(String)',
    CallerOperation: 'LowCardinality(String)',
    FlowName: 'LowCardinality(String)',
    Version: 'LowCardinality(String)',
    Calls: sum,
    Errors: sum,
    OriginErrors: sum,
    ClientErrors: sum,
    DurationNs: sum,
    SelfNs: sum,
    WireNs: sum,
    Duration: histogram,
    Self: histogram,
    Wire: histogram,
  },
} as const

/** What a call is: `entry` nobody called, `sync` a call, `async` by message, `peer` a call whose callee sent no span, `publish` a message sent. */
export type CallKind = 'entry' | 'sync' | 'async' | 'peer' | 'publish'

export const chainExecutionTraces = {
  stored: {
    Tick: 'UInt64',
    FlowId: 'String',
    TraceId: 'String',
    FlowName: 'LowCardinality(String)',
    StartedAt: 'DateTime64(9)',
    EndedAt: 'DateTime64(9)',
    DurationNs: 'UInt64',
    EntryService: 'LowCardinality(String)',
    EntryOperation: 'LowCardinality(String)',
    Services: 'Array(LowCardinality(String))',
    Spans: 'UInt32',
    Errors: 'UInt32',
    Failed: 'UInt8',
    UserId: 'String',
    Weight: 'Float64',
  },
} as const

export const chainAnomalies = {
  stored: {
    DetectedAt: 'DateTime64(3)',
    IncidentId: 'String',
    Service: 'LowCardinality(String)',
    Operation: 'LowCardinality(String)',
    Caller: 'LowCardinality(String)',
    CallerOperation: 'LowCardinality(String)',
    Signal: 'LowCardinality(String)',
    Since: 'DateTime64(3)',
    Expected: 'Float64',
    Seen: 'Float64',
    Unit: 'LowCardinality(String)',
    PValue: 'Float64',
    Calls: 'UInt64',
    BaselineCalls: 'UInt64',
    MinimumDetectable: 'Nullable(Float64)',
    Query: 'String',
  },
} as const
export type AnomalyRow = InsertRow<typeof chainAnomalies>

export const incidentEvents = {
  stored: {
    At: 'DateTime64(3)',
    IncidentId: 'String',
    State: 'LowCardinality(String)',
    Title: 'String',
    CauseService: 'LowCardinality(String)',
    CauseOperation: 'LowCardinality(String)',
    CauseKind: 'LowCardinality(String)',
    Confidence: 'Float64',
    UsersAffected: 'UInt64',
    RunsAffected: 'UInt64',
    Document: 'String',
  },
} as const
export type IncidentEventRow = InsertRow<typeof incidentEvents>

export const collectorHeartbeats = {
  stored: { At: 'DateTime64(3)', Collector: 'String', SpansReceived: 'UInt64' },
} as const

/** What became of a batch's records. */
export const collectorLedger = {
  stored: {
    Time: 'DateTime',
    Collector: 'String',
    Batch: 'String',
    Key: 'LowCardinality(String)',
    Signal: 'LowCardinality(String)',
    Outcome: 'LowCardinality(String)',
    Reason: 'LowCardinality(String)',
    Records: 'UInt64',
  },
} as const
export type LedgerRow = InsertRow<typeof collectorLedger>

/** What came before any of it was shed. */
export const collectorSpanCounts = {
  stored: {
    Window: 'DateTime',
    Collector: 'LowCardinality(String)',
    Service: 'LowCardinality(String)',
    Operation: 'LowCardinality(String)',
    Kind: 'LowCardinality(String)',
    Spans: sum,
    Errors: sum,
    Duration: histogram,
  },
} as const
