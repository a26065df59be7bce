-- Takes the traces that are due, with all their spans, each once. Due is a trace with a span not yet settled, once no such
-- span has come for {quietMs} ms, or the first of them is {openMs} ms old.
INSERT INTO settled_spans
WITH
    arrived AS (
        SELECT TraceId, SpanId, min(ReceivedAt) AS At
        FROM otel_traces
        WHERE ReceivedAt > {scanFrom:DateTime64(3)} AND ReceivedAt <= {boundary:DateTime64(3)} AND TraceId != ''
        GROUP BY TraceId, SpanId
    ),
    known AS (
        SELECT TraceId, SpanId
        FROM settled_spans
        WHERE Tick < {tick:UInt64} AND TraceId IN (SELECT TraceId FROM arrived)
    ),
    due AS (
        SELECT TraceId
        FROM arrived
        WHERE (TraceId, SpanId) NOT IN known
        GROUP BY TraceId
        HAVING max(At) <= {boundary:DateTime64(3)} - toIntervalMillisecond({quietMs:UInt32})
            OR min(At) <= {boundary:DateTime64(3)} - toIntervalMillisecond({openMs:UInt32})
    )
SELECT
    {tick:UInt64} AS Tick,
    {boundary:DateTime64(3)} AS SettledAt,
    TraceId,
    SpanId,
    ParentSpanId,
    (TraceId, SpanId) NOT IN known AS Fresh,
    TraceId IN (SELECT TraceId FROM known) AS Late,
    if(SpanAttributes['flow.id'] = FlowId, FlowId, '') AS FlowHint,
    FlowName AS FlowNameHint,
    toUnixTimestamp64Nano(Timestamp) AS StartNs,
    toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) AS EndNs,
    Service,
    SpanName AS Operation,
    SpanKind,
    Version,
    Instance,
    StatusCode = 'Error'
        OR (SpanKind = 'Server' AND toUInt16OrZero(StatusText) >= 500)
        OR (SpanKind = 'Client' AND toUInt16OrZero(StatusText) >= 400) AS Failed,
    PeerService,
    PeerAddress,
    multiIf(
        SpanAttributes['messaging.destination.name'] != '', SpanAttributes['messaging.destination.name'],
        DbSystem != '', concat(DbSystem, if(DbName != '', concat(':', DbName), '')),
        SpanAttributes['messaging.system']) AS Destination,
    UserId,
    if(SpanAttributes['error.type'] != '', SpanAttributes['error.type'], Exception['exception.type']) AS ErrorType,
    substringUTF8(if(Exception['exception.message'] != '', Exception['exception.message'], StatusMessage), 1, 500) AS Message,
    Links.TraceId AS LinkTraceIds,
    Links.SpanId AS LinkSpanIds,
    Weight
FROM (
    SELECT
        *, FlowId, FlowName, UserId, PeerService, PeerAddress, Version, Instance, Service, Weight, ReceivedAt,
        if(SpanAttributes['http.response.status_code'] != '', SpanAttributes['http.response.status_code'], SpanAttributes['http.status_code']) AS StatusText,
        if(SpanAttributes['db.system.name'] != '', SpanAttributes['db.system.name'], SpanAttributes['db.system']) AS DbSystem,
        if(SpanAttributes['db.namespace'] != '', SpanAttributes['db.namespace'], SpanAttributes['db.name']) AS DbName,
        Events.Attributes[indexOf(Events.Name, 'exception')] AS Exception
    FROM otel_traces
    WHERE TraceId IN due
        AND ReceivedAt <= {boundary:DateTime64(3)}
        AND ReceivedAt > {scanFrom:DateTime64(3)} - toIntervalHour(2)
    ORDER BY TraceId, SpanId, ReceivedAt
    LIMIT 1 BY TraceId, SpanId
)
ORDER BY TraceId, SpanId
