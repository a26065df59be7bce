-- The flow of most spans is their own trace, so only another flow is stored, and `FlowId` is what readers see of both.
-- Parts that were written before fill the new column from the attributes.
ALTER TABLE otel_traces DROP INDEX IF EXISTS idx_flow_id;
ALTER TABLE otel_traces DROP COLUMN IF EXISTS FlowId;
ALTER TABLE otel_traces ADD COLUMN IF NOT EXISTS OtherFlowId String DEFAULT if(match(SpanAttributes['flow.id'], '^[0-9a-f]{32}$') AND SpanAttributes['flow.id'] != repeat('0', 32) AND SpanAttributes['flow.id'] != TraceId, SpanAttributes['flow.id'], '') CODEC(ZSTD(3)) AFTER DroppedLinks;
-- Written with empty(): as a comparison with '' the index would not serve a filter by FlowId.
ALTER TABLE otel_traces ADD COLUMN IF NOT EXISTS FlowId String ALIAS if(empty(OtherFlowId), TraceId, OtherFlowId) AFTER OtherFlowId;
ALTER TABLE otel_traces ADD INDEX IF NOT EXISTS idx_flow_id FlowId TYPE bloom_filter(0.025) GRANULARITY 1;

-- The collector gives what it has read from the attributes anyway; for other writers the columns still fill themselves.
ALTER TABLE otel_traces
    MODIFY COLUMN FlowName LowCardinality(String) DEFAULT SpanAttributes['flow.name'],
    MODIFY COLUMN UserId String DEFAULT if(SpanAttributes['user.id'] != '', SpanAttributes['user.id'], SpanAttributes['enduser.id']),
    MODIFY COLUMN PeerService LowCardinality(String) DEFAULT if(SpanAttributes['service.peer.name'] != '', SpanAttributes['service.peer.name'], SpanAttributes['peer.service']),
    MODIFY COLUMN PeerAddress LowCardinality(String) DEFAULT multiIf(
        SpanAttributes['server.address'] != '', concat(SpanAttributes['server.address'], if(SpanAttributes['server.port'] != '', concat(':', SpanAttributes['server.port']), '')),
        SpanAttributes['net.peer.name'] != '', concat(SpanAttributes['net.peer.name'], if(SpanAttributes['net.peer.port'] != '', concat(':', SpanAttributes['net.peer.port']), '')),
        ''),
    MODIFY COLUMN Namespace LowCardinality(String) DEFAULT ResourceAttributes['service.namespace'],
    MODIFY COLUMN Environment LowCardinality(String) DEFAULT if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']),
    MODIFY COLUMN Version LowCardinality(String) DEFAULT ResourceAttributes['service.version'],
    MODIFY COLUMN Instance LowCardinality(String) DEFAULT if(ResourceAttributes['service.instance.id'] != '', ResourceAttributes['service.instance.id'], ResourceAttributes['host.name']),
    MODIFY COLUMN Service LowCardinality(String) DEFAULT concat(
        if(Namespace != '', concat(replaceAll(replaceAll(replaceAll(Namespace, '%', '%25'), '/', '%2F'), '@', '%40'), '/'), ''),
        replaceAll(replaceAll(replaceAll(ServiceName, '%', '%25'), '/', '%2F'), '@', '%40'),
        if(Environment != '', concat('@', replaceAll(replaceAll(replaceAll(Environment, '%', '%25'), '/', '%2F'), '@', '%40')), '')),
    MODIFY COLUMN Weight Float64 DEFAULT if(match(TraceState, '(^|,)ot=([^,]*;)?th:[0-9a-f]{1,14}'),
        1 / greatest(1e-9, 1 - reinterpretAsUInt64(reverse(unhex(concat('00', rightPad(extract(TraceState, '(?:^|,)ot=(?:[^,]*;)?th:([0-9a-f]{1,14})'), 14, '0'))))) / 72057594037927936),
        1);

-- What OTLP says of a span beyond the exporter's columns.
ALTER TABLE otel_traces
    ADD COLUMN IF NOT EXISTS ResourceSchemaUrl LowCardinality(String) DEFAULT '' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ResourceDroppedAttributes UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ScopeSchemaUrl LowCardinality(String) DEFAULT '' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ScopeAttributes Map(LowCardinality(String), String) DEFAULT map() CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ScopeDroppedAttributes UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    -- One number an event or link, beside `Events.*` and `Links.*`; empty where the writer does not know.
    ADD COLUMN IF NOT EXISTS EventsDroppedAttributes Array(UInt32) DEFAULT [] CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS LinksDroppedAttributes Array(UInt32) DEFAULT [] CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS LinksFlags Array(UInt32) DEFAULT [] CODEC(ZSTD(1)),
    -- Other spans of the run were shed.
    ADD COLUMN IF NOT EXISTS Partial UInt8 DEFAULT 0 CODEC(ZSTD(1));

-- Lengths of texts within maps stand before the texts again: as columns of their own, eight bytes each, they took 13 of 86
-- bytes a span. What an insert writes is one file until it is merged: 200 files cost as much as the rest of the insert. Merging
-- column by column takes little more than half of the time that row by row takes, for few rows too.
ALTER TABLE otel_traces MODIFY SETTING
    propagate_types_serialization_versions_to_nested_types = 0,
    min_level_for_wide_part = 1,
    vertical_merge_algorithm_min_rows_to_activate = 1,
    non_replicated_deduplication_window = 10000;
-- IDs repeat, but far apart: a larger block holds both places. Repetition in the attributes is near, and a higher level buys
-- nothing there.
ALTER TABLE otel_traces
    MODIFY COLUMN TraceId CODEC(ZSTD(3)),
    MODIFY COLUMN SpanId CODEC(ZSTD(3)),
    MODIFY COLUMN ParentSpanId CODEC(ZSTD(3)),
    MODIFY COLUMN ScopeName CODEC(ZSTD(3)),
    MODIFY COLUMN ScopeVersion CODEC(ZSTD(3)),
    MODIFY COLUMN UserId CODEC(ZSTD(3)),
    MODIFY COLUMN Duration CODEC(T64, ZSTD(1));
ALTER TABLE otel_traces MODIFY COLUMN TraceId MODIFY SETTING min_compress_block_size = 2097152, max_compress_block_size = 2097152;
ALTER TABLE otel_traces MODIFY COLUMN OtherFlowId MODIFY SETTING min_compress_block_size = 1048576, max_compress_block_size = 1048576;
ALTER TABLE otel_traces MODIFY COLUMN UserId MODIFY SETTING min_compress_block_size = 1048576, max_compress_block_size = 1048576;

-- Ordered by trace already.
ALTER TABLE otel_traces_trace_id_ts DROP INDEX IF EXISTS idx_trace_id;
ALTER TABLE otel_traces_trace_id_ts MODIFY SETTING non_replicated_deduplication_window = 10000;

-- The clickhouseexporter's table: its columns, names, types, order and indexes. Ours follow as columns that fill themselves.
CREATE TABLE IF NOT EXISTS otel_logs
(
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    TimestampTime DateTime DEFAULT toDateTime(Timestamp) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    TraceFlags UInt8,
    SeverityText LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Body String CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(3)),
    ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    EventName String CODEC(ZSTD(3)),

    ReceivedAt DateTime64(3) DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
    ObservedTimestamp DateTime64(9) DEFAULT Timestamp CODEC(Delta, ZSTD(1)),
    -- All 32 bits; `TraceFlags` has the eight that W3C knows.
    Flags UInt32 DEFAULT TraceFlags CODEC(ZSTD(1)),
    DroppedAttributes UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    ResourceDroppedAttributes UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    ScopeDroppedAttributes UInt32 DEFAULT 0 CODEC(ZSTD(1)),
    -- As in `otel_traces`.
    OtherFlowId String DEFAULT if(match(LogAttributes['flow.id'], '^[0-9a-f]{32}$') AND LogAttributes['flow.id'] != repeat('0', 32) AND LogAttributes['flow.id'] != TraceId, LogAttributes['flow.id'], '') CODEC(ZSTD(3)),
    FlowId String ALIAS if(empty(OtherFlowId), TraceId, OtherFlowId),
    Namespace LowCardinality(String) DEFAULT ResourceAttributes['service.namespace'] CODEC(ZSTD(1)),
    Environment LowCardinality(String) DEFAULT if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) CODEC(ZSTD(1)),
    Version LowCardinality(String) DEFAULT ResourceAttributes['service.version'] CODEC(ZSTD(1)),
    Instance LowCardinality(String) DEFAULT if(ResourceAttributes['service.instance.id'] != '', ResourceAttributes['service.instance.id'], ResourceAttributes['host.name']) CODEC(ZSTD(1)),
    Service LowCardinality(String) DEFAULT concat(
        if(Namespace != '', concat(replaceAll(replaceAll(replaceAll(Namespace, '%', '%25'), '/', '%2F'), '@', '%40'), '/'), ''),
        replaceAll(replaceAll(replaceAll(ServiceName, '%', '%25'), '/', '%2F'), '@', '%40'),
        if(Environment != '', concat('@', replaceAll(replaceAll(replaceAll(Environment, '%', '%25'), '/', '%2F'), '@', '%40')), '')) CODEC(ZSTD(1)),

    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_log_attr_key mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_lower_body lower(Body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8,
    INDEX idx_received_at ReceivedAt TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(TimestampTime)
PRIMARY KEY (ServiceName, TimestampTime)
ORDER BY (ServiceName, TimestampTime, Timestamp)
TTL toDate(TimestampTime) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    propagate_types_serialization_versions_to_nested_types = 0, min_level_for_wide_part = 1,
    vertical_merge_algorithm_min_rows_to_activate = 1;

-- What became of the records of a batch: one row a batch, key, signal, outcome and reason. A row that comes twice is one row.
CREATE TABLE IF NOT EXISTS collector_ledger
(
    Time DateTime CODEC(Delta, ZSTD(1)),
    Collector String CODEC(ZSTD(1)),
    Batch String CODEC(ZSTD(1)),
    Key LowCardinality(String) CODEC(ZSTD(1)),
    Signal LowCardinality(String) CODEC(ZSTD(1)),
    Outcome LowCardinality(String) CODEC(ZSTD(1)),
    Reason LowCardinality(String) CODEC(ZSTD(1)),
    Records UInt64 CODEC(T64, ZSTD(1)),
    INDEX idx_time Time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(Time)
ORDER BY (Collector, Batch, Key, Signal, Outcome, Reason)
TTL toDate(Time) + toIntervalDay(180)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- What came before any of it was shed, per ten seconds, so that rates stay right. Histogram bucket as in chain_health_metrics.
CREATE TABLE IF NOT EXISTS collector_span_counts
(
    Window DateTime CODEC(Delta, ZSTD(1)),
    Collector LowCardinality(String),
    Service LowCardinality(String),
    Operation LowCardinality(String),
    -- The kind of the spans, as in `otel_traces.SpanKind`.
    Kind LowCardinality(String),
    Spans SimpleAggregateFunction(sum, UInt64),
    Errors SimpleAggregateFunction(sum, UInt64),
    Duration SimpleAggregateFunction(sumMap, Map(UInt16, UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(Window)
ORDER BY (Window, Service, Operation, Kind, Collector)
TTL toDate(Window) + toIntervalDay(180)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;
