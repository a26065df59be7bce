-- Gives each span its place in its trace: its parent, the entry into the service above it, its children, its self time.
INSERT INTO settled_tree
WITH
    spans AS (
        SELECT TraceId, SpanId, ParentSpanId, StartNs, EndNs, Service, SpanKind, Failed, Fresh, PeerAddress,
            toUInt32(row_number() OVER (PARTITION BY TraceId ORDER BY StartNs, SpanId)) AS Position
        FROM settled_spans
        WHERE Tick = {tick:UInt64}
    ),
    joined AS (
        SELECT *, SpanKind IN ('Server', 'Consumer') OR ParentPosition = 0 OR ParentService != Service AS IsEntry
        FROM spans
        LEFT JOIN (
            SELECT
                TraceId AS ParentTraceId, SpanId AS ParentId, Position AS ParentPosition, Service AS ParentService, SpanKind AS ParentKind,
                Failed AS ParentFailed, Fresh AS ParentFresh, EndNs - StartNs AS ParentNs, PeerAddress AS ParentPeerAddress
            FROM spans
        ) AS parents ON ParentTraceId = TraceId AND ParentId = ParentSpanId
    ),
    -- The entry above each span, found by pointer jumping: five rounds reach 32 levels.
    entries AS (
        SELECT TraceId AS EntryTraceId, pair.1 AS EntryFor, pair.2 AS EntryPosition
        FROM (
            SELECT
                TraceId,
                arrayMap(x -> x.2, arraySort(groupArray((Position, if(IsEntry, Position, ParentPosition))))) AS up1,
                arrayMap(x -> up1[x], up1) AS up2,
                arrayMap(x -> up2[x], up2) AS up4,
                arrayMap(x -> up4[x], up4) AS up8,
                arrayMap(x -> up8[x], up8) AS up16,
                arrayMap(x -> up16[x], up16) AS up32,
                arrayZip(arrayEnumerate(up32), up32) AS pairs
            FROM joined
            GROUP BY TraceId
        )
        ARRAY JOIN pairs AS pair
    ),
    children AS (
        SELECT
            TraceId AS ChildTraceId,
            ParentSpanId AS ChildOf,
            -- A consumer works in its own time, not in its parent's.
            arraySort(groupArrayIf((StartNs, EndNs), SpanKind != 'Consumer')) AS Intervals,
            maxIf(Failed, SpanKind != 'Consumer') AS ChildFailed,
            max(SpanKind IN ('Server', 'Client')) AS GoesOn
        FROM spans
        WHERE ParentSpanId != ''
        GROUP BY TraceId, ParentSpanId
    )
SELECT
    {tick:UInt64} AS Tick,
    {boundary:DateTime64(3)} AS SettledAt,
    TraceId,
    SpanId,
    ParentSpanId,
    Position,
    ParentPosition,
    ParentService,
    ParentKind,
    ParentFailed,
    ParentFresh,
    ParentNs,
    ParentPeerAddress,
    IsEntry,
    EntryPosition,
    GoesOn,
    Failed AND NOT ChildFailed AS OriginError,
    -- Duration minus the union of the children's intervals, clipped to the span.
    greatest(0, EndNs - StartNs - tupleElement(arrayFold(
        (acc, x) -> (
            acc.1 + greatest(toInt64(0), least(x.2, EndNs) - greatest(x.1, acc.2)),
            greatest(acc.2, least(x.2, EndNs))),
        Intervals, (toInt64(0), StartNs)), 1)) AS SelfNs
FROM joined
LEFT JOIN entries ON EntryTraceId = TraceId AND EntryFor = Position
LEFT JOIN children ON ChildTraceId = TraceId AND ChildOf = SpanId
ORDER BY TraceId, SpanId
