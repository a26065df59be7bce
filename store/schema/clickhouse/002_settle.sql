-- What settling has taken, one row per distinct span and tick. A tick's further steps read it and nothing else, so they
-- are deterministic whatever arrives meanwhile; and a span found here is never counted again.
CREATE TABLE IF NOT EXISTS settled_spans
(
    Tick UInt64,
    SettledAt DateTime64(3),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    -- Not settled by an earlier tick: counts. Late: its trace was settled by an earlier tick.
    Fresh UInt8,
    Late UInt8,
    FlowHint String CODEC(ZSTD(1)),
    FlowNameHint LowCardinality(String),
    StartNs Int64 CODEC(Delta, ZSTD(1)),
    EndNs Int64 CODEC(Delta, ZSTD(1)),
    Service LowCardinality(String),
    Operation LowCardinality(String),
    SpanKind LowCardinality(String),
    Version LowCardinality(String),
    Instance LowCardinality(String),
    Failed UInt8,
    PeerService LowCardinality(String),
    PeerAddress LowCardinality(String),
    Destination LowCardinality(String),
    UserId String CODEC(ZSTD(1)),
    ErrorType LowCardinality(String),
    Message String CODEC(ZSTD(1)),
    LinkTraceIds Array(String) CODEC(ZSTD(1)),
    LinkSpanIds Array(String) CODEC(ZSTD(1)),
    Weight Float64,
    -- A tick reads its own rows, which older parts cannot hold.
    INDEX idx_tick Tick TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(SettledAt)
ORDER BY (TraceId, SpanId, Tick)
TTL toDateTime(SettledAt) + toIntervalHour(2)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- The flow of each trace that a tick took, resolved once for all its further steps.
CREATE TABLE IF NOT EXISTS settled_flows
(
    Tick UInt64,
    SettledAt DateTime64(3),
    TraceId String CODEC(ZSTD(1)),
    FlowId String CODEC(ZSTD(1)),
    FlowName LowCardinality(String),
    UserId String CODEC(ZSTD(1)),
    INDEX idx_tick Tick TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(SettledAt)
ORDER BY (TraceId, Tick)
TTL toDateTime(SettledAt) + toIntervalHour(2)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- The same spans with their place in the tree: parent, the entry above, children, self time.
CREATE TABLE IF NOT EXISTS settled_tree
(
    Tick UInt64,
    SettledAt DateTime64(3),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    Position UInt32,
    -- 0: the parent is not in the trace as it is known.
    ParentPosition UInt32,
    ParentService LowCardinality(String),
    ParentKind LowCardinality(String),
    ParentFailed UInt8,
    ParentFresh UInt8,
    ParentNs Int64,
    ParentPeerAddress LowCardinality(String),
    IsEntry UInt8,
    -- The nearest span at or above this one that enters a service.
    EntryPosition UInt32,
    -- Has a server or client span below: the call went on.
    GoesOn UInt8,
    -- Failed, and none of its children did.
    OriginError UInt8,
    SelfNs Int64,
    INDEX idx_tick Tick TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(SettledAt)
ORDER BY (TraceId, SpanId, Tick)
TTL toDateTime(SettledAt) + toIntervalHour(2)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;
