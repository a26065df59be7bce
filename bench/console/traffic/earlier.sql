-- The spans, logs and facts from {since} up to {until} once more, {minutes} minutes earlier and under other IDs. What is replaced is named by its table where it is compared.
INSERT INTO otel_traces
WITH text -> lower(hex(MD5(concat(text, toString({minutes:UInt32}))))) AS other
SELECT * REPLACE (
    Timestamp - toIntervalMinute({minutes:UInt32}) AS Timestamp,
    ReceivedAt - toIntervalMinute({minutes:UInt32}) AS ReceivedAt,
    other(TraceId) AS TraceId,
    if(OtherFlowId = '', '', other(OtherFlowId)) AS OtherFlowId,
    mapApply((name, value) -> (name, multiIf(name = 'flow.id', other(value), name = 'order.id', concat('order-', other(value)), value)), SpanAttributes) AS SpanAttributes)
FROM otel_traces AS later
WHERE later.Timestamp > {since:DateTime64(3)} AND later.Timestamp <= {until:DateTime64(3)};

INSERT INTO otel_logs
SELECT * REPLACE (
    Timestamp - toIntervalMinute({minutes:UInt32}) AS Timestamp,
    TimestampTime - toIntervalMinute({minutes:UInt32}) AS TimestampTime,
    ReceivedAt - toIntervalMinute({minutes:UInt32}) AS ReceivedAt,
    lower(hex(MD5(concat(TraceId, toString({minutes:UInt32}))))) AS TraceId)
FROM otel_logs AS later
WHERE later.TimestampTime > {since:DateTime64(3)} AND later.TimestampTime <= {until:DateTime64(3)};

INSERT INTO chain_dependency_events
SELECT * REPLACE (
    Time - toIntervalMinute({minutes:UInt32}) AS Time,
    lower(hex(MD5(concat(TraceId, toString({minutes:UInt32}))))) AS TraceId,
    lower(hex(MD5(concat(FlowId, toString({minutes:UInt32}))))) AS FlowId)
FROM chain_dependency_events AS later
WHERE later.Time > {since:DateTime64(3)} AND later.Time <= {until:DateTime64(3)};

INSERT INTO chain_health_metrics
SELECT * REPLACE (Window - toIntervalMinute({minutes:UInt32}) AS Window)
FROM chain_health_metrics AS later
WHERE later.Window > {since:DateTime64(3)} AND later.Window <= {until:DateTime64(3)};

INSERT INTO chain_execution_traces
SELECT * REPLACE (
    StartedAt - toIntervalMinute({minutes:UInt32}) AS StartedAt,
    EndedAt - toIntervalMinute({minutes:UInt32}) AS EndedAt,
    lower(hex(MD5(concat(TraceId, toString({minutes:UInt32}))))) AS TraceId,
    lower(hex(MD5(concat(FlowId, toString({minutes:UInt32}))))) AS FlowId)
FROM chain_execution_traces AS later
WHERE later.StartedAt > {since:DateTime64(3)} AND later.StartedAt <= {until:DateTime64(3)}
