-- The OpenTelemetry Collector clickhouseexporter's table: its columns, names, types, order and indexes, so that
-- whoever reads that schema works unchanged. Ours follow below as columns that fill themselves.
CREATE TABLE IF NOT EXISTS otel_traces
(
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),

    -- Ours. Arrival is what settling reads by; the rest saves every reader the same look-ups in the maps.
    ReceivedAt DateTime64(3) DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
    Flags UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    DroppedAttributes UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    DroppedEvents UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    DroppedLinks UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    -- A hint: settling resolves the flow of a trace. Malformed or all-zero identities fall back to the trace.
    FlowId String MATERIALIZED if(match(SpanAttributes['flow.id'], '^[0-9a-f]{32}$') AND SpanAttributes['flow.id'] != repeat('0', 32), SpanAttributes['flow.id'], TraceId) CODEC(ZSTD(1)),
    FlowName LowCardinality(String) MATERIALIZED SpanAttributes['flow.name'] CODEC(ZSTD(1)),
    UserId String MATERIALIZED if(SpanAttributes['user.id'] != '', SpanAttributes['user.id'], SpanAttributes['enduser.id']) CODEC(ZSTD(1)),
    PeerService LowCardinality(String) MATERIALIZED if(SpanAttributes['service.peer.name'] != '', SpanAttributes['service.peer.name'], SpanAttributes['peer.service']) CODEC(ZSTD(1)),
    PeerAddress LowCardinality(String) MATERIALIZED multiIf(
        SpanAttributes['server.address'] != '', concat(SpanAttributes['server.address'], if(SpanAttributes['server.port'] != '', concat(':', SpanAttributes['server.port']), '')),
        SpanAttributes['net.peer.name'] != '', concat(SpanAttributes['net.peer.name'], if(SpanAttributes['net.peer.port'] != '', concat(':', SpanAttributes['net.peer.port']), '')),
        '') CODEC(ZSTD(1)),
    Namespace LowCardinality(String) MATERIALIZED ResourceAttributes['service.namespace'] CODEC(ZSTD(1)),
    Environment LowCardinality(String) MATERIALIZED if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) CODEC(ZSTD(1)),
    Version LowCardinality(String) MATERIALIZED ResourceAttributes['service.version'] CODEC(ZSTD(1)),
    Instance LowCardinality(String) MATERIALIZED if(ResourceAttributes['service.instance.id'] != '', ResourceAttributes['service.instance.id'], ResourceAttributes['host.name']) CODEC(ZSTD(1)),
    -- Which service: `namespace/name@environment`, each part percent-encoded where it bears a separator.
    Service LowCardinality(String) MATERIALIZED concat(
        if(Namespace != '', concat(replaceAll(replaceAll(replaceAll(Namespace, '%', '%25'), '/', '%2F'), '@', '%40'), '/'), ''),
        replaceAll(replaceAll(replaceAll(ServiceName, '%', '%25'), '/', '%2F'), '@', '%40'),
        if(Environment != '', concat('@', replaceAll(replaceAll(replaceAll(Environment, '%', '%25'), '/', '%2F'), '@', '%40')), '')) CODEC(ZSTD(1)),
    -- How many spans a sampled one stands for: OpenTelemetry's rejection threshold `ot=th:` (56 bits, trailing zeros cut).
    Weight Float64 MATERIALIZED if(match(TraceState, '(^|,)ot=([^,]*;)?th:[0-9a-f]{1,14}'),
        1 / greatest(1e-9, 1 - reinterpretAsUInt64(reverse(unhex(concat('00', rightPad(extract(TraceState, '(?:^|,)ot=(?:[^,]*;)?th:([0-9a-f]{1,14})'), 14, '0'))))) / 72057594037927936),
        1) CODEC(ZSTD(1)),

    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1,
    INDEX idx_received_at ReceivedAt TYPE minmax GRANULARITY 1,
    INDEX idx_flow_id FlowId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
TTL toDate(Timestamp) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts
(
    TraceId String CODEC(ZSTD(1)),
    Start DateTime CODEC(Delta, ZSTD(1)),
    End DateTime CODEC(Delta, ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
TTL toDate(Start) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM otel_traces
WHERE TraceId != ''
GROUP BY TraceId;
