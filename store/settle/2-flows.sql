-- Which flow run a trace belongs to: any span's flow.id, else the flow of the one trace that it links to, else itself.
-- Its name: as named by a span, else the first trace's, else the operation of its entry.
INSERT INTO settled_flows
WITH
    traces AS (
        SELECT
            s.TraceId AS TraceId,
            argMinIf(s.FlowHint, (s.StartNs, s.SpanId), s.FlowHint != '') AS Hint,
            argMinIf(s.FlowNameHint, (s.StartNs, s.SpanId), s.FlowNameHint != '') AS NameHint,
            -- A client that begins a trace is not named by its call but by what it reached.
            argMin(s.Operation, (s.SpanKind IN ('Client', 'Producer'), s.ParentSpanId != '', s.StartNs, s.SpanId)) AS EntryOperation,
            argMinIf(s.UserId, (s.StartNs, s.SpanId), s.UserId != '') AS User,
            -- A batch that links to several traces starts a run of its own.
            arrayDistinct(arrayFilter(id -> id != '' AND id != s.TraceId, groupArrayArrayIf(s.LinkTraceIds, s.ParentSpanId = '' OR s.SpanKind = 'Consumer'))) AS Linked,
            multiIf(Hint != '', Hint, length(Linked) = 1, Linked[1], s.TraceId) AS Pointer,
            Hint = '' AND length(Linked) = 1 AS Follows
        FROM settled_spans AS s
        WHERE s.Tick = {tick:UInt64}
        GROUP BY s.TraceId
    ),
    -- Traces settled before that these point to.
    earlier AS (
        SELECT e.TraceId AS EarlierTraceId, argMax(e.FlowId, e.Tick) AS EarlierFlowId
        FROM chain_execution_traces AS e
        WHERE e.Tick < {tick:UInt64} AND e.TraceId IN (SELECT Pointer FROM traces)
        GROUP BY e.TraceId
    ),
    once AS (
        SELECT
            TraceId, NameHint, EntryOperation, User, Follows,
            multiIf(NOT Follows, Pointer, EarlierFlowId != '', EarlierFlowId, NextPointer != '', NextPointer, Pointer) AS Target
        FROM traces
        LEFT JOIN earlier ON EarlierTraceId = Pointer
        LEFT JOIN (SELECT TraceId AS NextTraceId, Pointer AS NextPointer FROM traces) AS next ON NextTraceId = Pointer
    ),
    -- A link to a trace of the same tick that itself follows a link.
    twice AS (
        SELECT TraceId, NameHint, EntryOperation, User, multiIf(NOT Follows, Target, NextTarget != '', NextTarget, Target) AS Flow
        FROM once
        LEFT JOIN (SELECT TraceId AS NextTraceId, Target AS NextTarget FROM once) AS next ON NextTraceId = Target
    )
SELECT
    {tick:UInt64} AS Tick,
    {boundary:DateTime64(3)} AS SettledAt,
    TraceId,
    Flow AS FlowId,
    multiIf(NameHint != '', NameHint, FirstName != '', FirstName, EarlierName != '', EarlierName, EntryOperation) AS FlowName,
    User AS UserId
FROM twice
LEFT JOIN (SELECT TraceId AS FirstTraceId, if(NameHint != '', NameHint, EntryOperation) AS FirstName FROM traces) AS firstNames ON FirstTraceId = Flow
LEFT JOIN (
    SELECT e.FlowId AS EarlierFlow, argMin(e.FlowName, e.StartedAt) AS EarlierName
    FROM chain_execution_traces AS e
    WHERE e.Tick < {tick:UInt64} AND e.FlowId IN (SELECT Flow FROM twice)
    GROUP BY e.FlowId
) AS earlierNames ON EarlierFlow = Flow
ORDER BY TraceId
