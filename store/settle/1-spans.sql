-- Takes the traces that are due, with all their spans, each once. Due is a trace with a span not yet settled, once no such
-- span has come for {quietMs} ms, or the first of them is {openMs} ms old.
INSERT INTO settled_spans
WITH
    arrived AS (
        SELECT TraceId, SpanId, ReceivedAt
        FROM otel_traces
        WHERE ReceivedAt > {scanFrom:DateTime64(3)} AND ReceivedAt <= {boundary:DateTime64(3)} AND TraceId != ''
    ),
    known AS (
        SELECT TraceId, cityHash64(TraceId, SpanId) AS Span
        FROM settled_spans
        WHERE Tick < {tick:UInt64} AND TraceId IN (SELECT TraceId FROM arrived)
    ),
    -- Grouped by trace and compared by hash: a minute and a half of arrivals can be a million spans.
    due AS (
        SELECT TraceId
        FROM arrived
        WHERE cityHash64(TraceId, SpanId) NOT IN (SELECT Span FROM known)
        GROUP BY TraceId
        HAVING max(ReceivedAt) <= {boundary:DateTime64(3)} - toIntervalMillisecond({quietMs:UInt32})
            OR min(ReceivedAt) <= {boundary:DateTime64(3)} - toIntervalMillisecond({openMs:UInt32})
    )
SELECT
    {tick:UInt64} AS Tick,
    {boundary:DateTime64(3)} AS SettledAt,
    TraceId,
    SpanId,
    ParentSpanId,
    cityHash64(TraceId, SpanId) NOT IN (SELECT Span FROM known) AS Fresh,
    TraceId IN (SELECT TraceId FROM known) AS Late,
    FlowHint,
    FlowNameHint,
    StartNs,
    EndNs,
    Service,
    Operation,
    SpanKind,
    Version,
    Instance,
    Failed,
    PeerService,
    PeerAddress,
    Destination,
    UserId,
    ErrorType,
    Message,
    LinkTraceIds,
    LinkSpanIds,
    Weight
FROM (
    -- What is kept of a span is taken out of it before it is sorted, and texts are cut: a span may be megabytes.
    SELECT
        TraceId, SpanId, ParentSpanId, SpanKind, ReceivedAt, Weight,
        if(SpanAttributes['http.response.status_code'] != '', SpanAttributes['http.response.status_code'], SpanAttributes['http.status_code']) AS StatusText,
        if(SpanAttributes['db.system.name'] != '', SpanAttributes['db.system.name'], SpanAttributes['db.system']) AS DbSystem,
        if(SpanAttributes['db.namespace'] != '', SpanAttributes['db.namespace'], SpanAttributes['db.name']) AS DbName,
        Events.Attributes[indexOf(Events.Name, 'exception')] AS Exception,
        if(SpanAttributes['flow.id'] = FlowId, FlowId, '') AS FlowHint,
        substringUTF8(o.FlowName, 1, 200) AS FlowNameHint,
        toUnixTimestamp64Nano(Timestamp) AS StartNs,
        toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) AS EndNs,
        substringUTF8(o.Service, 1, 500) AS Service,
        substringUTF8(SpanName, 1, 500) AS Operation,
        substringUTF8(o.Version, 1, 200) AS Version,
        substringUTF8(o.Instance, 1, 200) AS Instance,
        StatusCode = 'Error'
            OR (SpanKind = 'Server' AND toUInt16OrZero(StatusText) >= 500)
            OR (SpanKind = 'Client' AND toUInt16OrZero(StatusText) >= 400) AS Failed,
        substringUTF8(o.PeerService, 1, 500) AS PeerService,
        substringUTF8(o.PeerAddress, 1, 500) AS PeerAddress,
        substringUTF8(multiIf(
            SpanAttributes['messaging.destination.name'] != '', SpanAttributes['messaging.destination.name'],
            DbSystem != '', concat(DbSystem, if(DbName != '', concat(':', DbName), '')),
            SpanAttributes['messaging.system']), 1, 500) AS Destination,
        substringUTF8(o.UserId, 1, 500) AS UserId,
        substringUTF8(if(SpanAttributes['error.type'] != '', SpanAttributes['error.type'], Exception['exception.type']), 1, 500) AS ErrorType,
        substringUTF8(if(Exception['exception.message'] != '', Exception['exception.message'], StatusMessage), 1, 500) AS Message,
        Links.TraceId AS LinkTraceIds,
        Links.SpanId AS LinkSpanIds
    FROM otel_traces AS o
    WHERE TraceId IN due
        AND ReceivedAt <= {boundary:DateTime64(3)}
        AND ReceivedAt > {scanFrom:DateTime64(3)} - toIntervalHour(2)
    ORDER BY TraceId, SpanId, ReceivedAt
    LIMIT 1 BY TraceId, SpanId
)
ORDER BY TraceId, SpanId
