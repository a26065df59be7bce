-- A log record a trace.
INSERT INTO otel_logs (Timestamp, TraceId, SpanId, SeverityText, SeverityNumber, ServiceName, Body, ResourceAttributes, LogAttributes)
SELECT Timestamp, TraceId, SpanId, 'INFO', 9, ServiceName, concat('took ', SpanAttributes['url.path']), ResourceAttributes,
    map('code.function.name', 'handle', 'code.file.path', '/app/orders/handle.js')
FROM otel_traces
WHERE ParentSpanId = '' AND Timestamp > {until:DateTime64(3)} - toIntervalMillisecond({forMs:UInt64}) - toIntervalMinute(1)
