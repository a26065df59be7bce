-- One row per call: a flow run's entry into a service (keyed by the callee's span) or, where no callee's span came, the
-- caller's client span. A trace that settles again replaces its rows by the higher tick.
CREATE TABLE IF NOT EXISTS chain_dependency_events
(
    Tick UInt64,
    Deleted UInt8,
    Time DateTime64(3) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    FlowId String CODEC(ZSTD(1)),
    FlowName LowCardinality(String),
    -- entry: nobody called; sync: a call; async: by message; peer: a call whose callee sent no span; publish: a message sent
    Kind LowCardinality(String),
    Service LowCardinality(String),
    Operation LowCardinality(String),
    Version LowCardinality(String),
    Instance LowCardinality(String),
    Caller LowCardinality(String),
    CallerOperation LowCardinality(String),
    ClientSpanId String CODEC(ZSTD(1)),
    PeerAddress LowCardinality(String),
    -- Whether the health states count this call: not one that came after its window had closed, nor one counted before.
    Counted UInt8,
    Failed UInt8,
    OriginError UInt8,
    ClientFailed UInt8,
    DurationNs UInt64 CODEC(ZSTD(1)),
    SelfNs UInt64 CODEC(ZSTD(1)),
    WireNs UInt64 CODEC(ZSTD(1)),
    QueueNs UInt64 CODEC(ZSTD(1)),
    UserId String CODEC(ZSTD(1)),
    ErrorType LowCardinality(String),
    Message String CODEC(ZSTD(1)),
    Weight Float64,
    INDEX idx_tick Tick TYPE minmax GRANULARITY 1,
    INDEX idx_time Time TYPE minmax GRANULARITY 1,
    INDEX idx_flow_id FlowId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(Tick, Deleted)
PARTITION BY toDate(Time)
ORDER BY (TraceId, SpanId)
TTL toDate(Time) + toIntervalDay(180)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- The mergeable state: minutes add up, so windows and tests need no raw spans. Histogram bucket of d ns: ⌊ln(d + 1) / ln 1.05⌋.
CREATE TABLE IF NOT EXISTS chain_health_metrics
(
    Window DateTime CODEC(Delta, ZSTD(1)),
    Service LowCardinality(String),
    Operation LowCardinality(String),
    Kind LowCardinality(String),
    Caller LowCardinality(String),
    CallerOperation LowCardinality(String),
    FlowName LowCardinality(String),
    Version LowCardinality(String),
    Calls SimpleAggregateFunction(sum, UInt64),
    Errors SimpleAggregateFunction(sum, UInt64),
    OriginErrors SimpleAggregateFunction(sum, UInt64),
    ClientErrors SimpleAggregateFunction(sum, UInt64),
    DurationNs SimpleAggregateFunction(sum, UInt64),
    SelfNs SimpleAggregateFunction(sum, UInt64),
    WireNs SimpleAggregateFunction(sum, UInt64),
    Duration SimpleAggregateFunction(sumMap, Map(UInt16, UInt64)),
    Self SimpleAggregateFunction(sumMap, Map(UInt16, UInt64)),
    Wire SimpleAggregateFunction(sumMap, Map(UInt16, UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Window)
ORDER BY (Window, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version)
TTL toDate(Window) + toIntervalDay(180)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- The same per 10 seconds, for the last hour.
CREATE TABLE IF NOT EXISTS chain_health_metrics_10s
(
    Window DateTime CODEC(Delta, ZSTD(1)),
    Service LowCardinality(String),
    Operation LowCardinality(String),
    Kind LowCardinality(String),
    Caller LowCardinality(String),
    CallerOperation LowCardinality(String),
    FlowName LowCardinality(String),
    Version LowCardinality(String),
    Calls SimpleAggregateFunction(sum, UInt64),
    Errors SimpleAggregateFunction(sum, UInt64),
    OriginErrors SimpleAggregateFunction(sum, UInt64),
    ClientErrors SimpleAggregateFunction(sum, UInt64),
    DurationNs SimpleAggregateFunction(sum, UInt64),
    SelfNs SimpleAggregateFunction(sum, UInt64),
    WireNs SimpleAggregateFunction(sum, UInt64),
    Duration SimpleAggregateFunction(sumMap, Map(UInt16, UInt64)),
    Self SimpleAggregateFunction(sumMap, Map(UInt16, UInt64)),
    Wire SimpleAggregateFunction(sumMap, Map(UInt16, UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY toStartOfHour(Window)
ORDER BY (Window, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version)
TTL Window + toIntervalHour(1)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- One row per trace of a flow run; the run is assembled on read. A trace that settles again replaces its row.
CREATE TABLE IF NOT EXISTS chain_execution_traces
(
    Tick UInt64,
    FlowId String CODEC(ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    FlowName LowCardinality(String),
    StartedAt DateTime64(9) CODEC(Delta, ZSTD(1)),
    EndedAt DateTime64(9) CODEC(Delta, ZSTD(1)),
    -- Of the entry span; the trace itself may go on after the answer.
    DurationNs UInt64 CODEC(ZSTD(1)),
    EntryService LowCardinality(String),
    EntryOperation LowCardinality(String),
    Services Array(LowCardinality(String)),
    Spans UInt32,
    Errors UInt32,
    Failed UInt8,
    UserId String CODEC(ZSTD(1)),
    Weight Float64,
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_user_id UserId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(Tick)
PARTITION BY toDate(StartedAt)
ORDER BY (FlowId, TraceId)
TTL toDate(StartedAt) + toIntervalDay(180)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS chain_anomalies
(
    DetectedAt DateTime64(3),
    IncidentId String,
    Service LowCardinality(String),
    Operation LowCardinality(String),
    Caller LowCardinality(String),
    CallerOperation LowCardinality(String),
    Signal LowCardinality(String),
    Since DateTime64(3),
    Expected Float64,
    Seen Float64,
    Unit LowCardinality(String),
    PValue Float64,
    Calls UInt64,
    BaselineCalls UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(DetectedAt)
ORDER BY (Service, DetectedAt)
TTL toDate(DetectedAt) + toIntervalDay(180)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- Each change of an incident; the incident itself lives in PostgreSQL.
CREATE TABLE IF NOT EXISTS incident_events
(
    At DateTime64(3),
    IncidentId String,
    State LowCardinality(String),
    Title String,
    CauseService LowCardinality(String),
    CauseOperation LowCardinality(String),
    CauseKind LowCardinality(String),
    UsersAffected UInt64,
    RunsAffected UInt64,
    Document String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(At)
ORDER BY (IncidentId, At)
TTL toDate(At) + toIntervalDay(180)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- A collector that lives says so, so that its silence is never taken for the silence of services.
CREATE TABLE IF NOT EXISTS collector_heartbeats
(
    At DateTime64(3),
    Collector String,
    SpansReceived UInt64
)
ENGINE = MergeTree
PARTITION BY toDate(At)
ORDER BY (At)
TTL toDateTime(At) + toIntervalDay(2)
SETTINGS non_replicated_deduplication_window = 1000;
