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
    Weight Float64
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(SettledAt)
ORDER BY (TraceId, SpanId, Tick)
TTL toDateTime(SettledAt) + toIntervalHour(2)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;
