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
    ),
    -- Exceptions that came as log records, the earliest of each span. They are few, so the join leaves out other traces'
    -- sooner than a set of those that are due would be made once more. A trace that goes on for long is settled again when
    -- its first logs are no longer read: what they said is taken from where it was settled before.
    logged AS (
        SELECT
            TraceId AS LogTraceId, SpanId AS LogSpanId,
            argMinIf((Type, Text), (Timestamp, Type, Text), BeforeTick = 0) AS Logged,
            argMaxIf((Type, Text), BeforeTick, BeforeTick > 0) AS Before
        FROM (
            SELECT
                TraceId, SpanId, Timestamp, 0 AS BeforeTick,
                substringUTF8(LogAttributes['exception.type'], 1, 500) AS Type,
                substringUTF8(LogAttributes['exception.message'], 1, 500) AS Text
            FROM otel_logs
            WHERE ReceivedAt > {scanFrom:DateTime64(3)} AND ReceivedAt <= {boundary:DateTime64(3)}
                AND TraceId != '' AND SpanId != ''
                AND (mapContains(LogAttributes, 'exception.type') OR mapContains(LogAttributes, 'exception.message'))
            UNION ALL
            SELECT
                TraceId, SpanId, toDateTime64(0, 9) AS Timestamp, Tick AS BeforeTick,
                toString(ErrorType) AS Type, Message AS Text
            FROM settled_spans
            WHERE Tick < {tick:UInt64} AND (ErrorType != '' OR Message != '')
                -- Due are only traces with a span that was not old enough for the tick before, which ended where this begins.
                AND TraceId IN (
                    SELECT TraceId FROM arrived
                    WHERE ReceivedAt > {closedBefore:DateTime64(3)} - toIntervalMillisecond({openMs:UInt32}))
        )
        GROUP BY TraceId, SpanId
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
    Refused,
    PeerService,
    PeerAddress,
    Destination,
    UserId,
    -- An exception that came with the span is the one that counts: its log record says the same again.
    multiIf(ErrorType != '' OR HasException, ErrorType, Before.1 != '', Before.1, Logged.1) AS ErrorType,
    multiIf(HasException, Message, Before.2 NOT IN ('', Message), Before.2, Logged.2 != '', Logged.2, Message) AS Message,
    LinkTraceIds,
    LinkSpanIds,
    Stands AS Weight
FROM (
    -- What is kept of a span is taken out of it before it is sorted, and texts are cut: a span may be megabytes.
    SELECT
        TraceId, SpanId, ParentSpanId, SpanKind, ReceivedAt,
        -- For how many a span stands that the collector has left out: failed ones are never left out alone, so rates and
        -- tests stay right. What its sender had sampled before is not added up, since failures are sampled there too.
        if(o.Weight = 1 OR position(TraceState, 'ot=') = 0, o.Weight, o.Weight / if(match(TraceState, '(^|,)ot=([^,]*;)?th:[0-9a-f]{1,14}'),
            1 / greatest(1e-9, 1 - reinterpretAsUInt64(reverse(unhex(concat('00', rightPad(extract(TraceState, '(?:^|,)ot=(?:[^,]*;)?th:([0-9a-f]{1,14})'), 14, '0'))))) / 72057594037927936),
            1)) AS Stands,
        if(SpanAttributes['http.response.status_code'] != '', SpanAttributes['http.response.status_code'], SpanAttributes['http.status_code']) AS StatusText,
        if(SpanAttributes['db.system.name'] != '', SpanAttributes['db.system.name'], SpanAttributes['db.system']) AS DbSystem,
        if(SpanAttributes['db.namespace'] != '', SpanAttributes['db.namespace'], SpanAttributes['db.name']) AS DbName,
        has(Events.Name, 'exception') AS HasException,
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
        -- By HTTP's and gRPC's words, what the request did wrong. Waiting too long is none of it.
        SpanKind = 'Client' AND ((toUInt16OrZero(StatusText) BETWEEN 400 AND 499 AND StatusText NOT IN ('408', '499'))
            OR SpanAttributes['rpc.grpc.status_code'] IN ('3', '5', '6', '7', '8', '9', '10', '11', '16')
            OR SpanAttributes['rpc.response.status_code'] IN ('INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED',
                'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNAUTHENTICATED')) AS Refused,
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
) AS spans
LEFT ANY JOIN logged ON LogTraceId = TraceId AND LogSpanId = SpanId
ORDER BY TraceId, SpanId
