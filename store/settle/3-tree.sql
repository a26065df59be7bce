-- Gives each span its place in its trace: its parent, the entry into the service above it, its children, its self time.
INSERT INTO settled_tree
WITH
    spans AS (
        SELECT TraceId, SpanId, ParentSpanId, StartNs, EndNs, Service, SpanKind, Failed, Refused, Fresh, PeerAddress,
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
    -- The entry above each span, found by pointer jumping: five rounds reach 32 levels. A round takes up[up[i]] for all i at once
    -- by sorting, since a lambda that captures an array gets a copy of it per element: 40 GB for a trace of 100,000 spans.
    -- Sorted together, what a position points to (position, 0, up[position]) precedes those who ask for it (up[i], 1, i).
    entries AS (
        SELECT TraceId AS EntryTraceId, pair.1 AS EntryFor, pair.2 AS EntryPosition
        FROM (
            SELECT
                TraceId,
                arrayMap(x -> x.2, arraySort(groupArray((Position, if(IsEntry, Position, ParentPosition))))) AS up1,
                arrayFold(
                    (up, round) -> arrayMap(
                        sorted -> arrayMap(x -> toUInt32(bitAnd(x, 4294967295)), arraySort(arrayFilter(
                            (answer, x) -> bitTest(x, 32),
                            arrayMap(
                                (x, told) -> bitShiftLeft(bitAnd(x, 4294967295), 32) + bitAnd(told, 4294967295),
                                sorted, arrayFill(x -> NOT bitTest(x, 32), sorted)),
                            sorted))),
                        [arraySort(arrayConcat(
                            arrayMap((u, i) -> bitShiftLeft(toUInt64(i), 33) + u, up, arrayEnumerate(up)),
                            arrayMap((u, i) -> bitShiftLeft(toUInt64(u), 33) + 4294967296 + i, up, arrayEnumerate(up))))])[1],
                    range(5), up1) AS up32,
                arrayZip(arrayEnumerate(up32), up32) AS pairs
            FROM joined
            GROUP BY TraceId
        )
        ARRAY JOIN pairs AS pair
    ),
    -- Calls that were refused by a callee that is well: whoever fails with one of these does so by itself.
    refused AS (
        SELECT TraceId, ParentSpanId
        FROM spans
        WHERE (TraceId, ParentSpanId) IN (SELECT TraceId, SpanId FROM spans WHERE Refused AND Failed)
        GROUP BY TraceId, ParentSpanId
        HAVING max(SpanKind = 'Server') AND NOT max(Failed)
    ),
    children AS (
        SELECT
            TraceId AS ChildTraceId,
            ParentSpanId AS ChildOf,
            -- A consumer works in its own time, not in its parent's.
            groupArrayIf((StartNs, EndNs), SpanKind != 'Consumer') AS Intervals,
            maxIf(Failed, SpanKind != 'Consumer' AND (TraceId, SpanId) NOT IN refused) AS ChildFailed,
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
    -- Duration minus the union of the children's intervals, clipped to the span: all their ends in order, and the stretches
    -- between two of them in which at least one child runs. A fold over the intervals would take 4 KiB for each.
    greatest(0, EndNs - StartNs - arraySum(
        (stretch, running) -> if(running > 0, stretch, 0),
        arrayDifference(arraySort(
            arrayConcat(
                arrayMap(x -> greatest(StartNs, least(x.1, EndNs)), Intervals),
                arrayMap(x -> greatest(StartNs, least(x.2, EndNs)), Intervals)) AS ends)),
        arrayPopBack(arrayPushFront(arrayCumSum(arraySort(
            (step, at) -> at,
            arrayConcat(arrayMap(x -> toInt64(1), Intervals), arrayMap(x -> toInt64(-1), Intervals)),
            ends)), toInt64(0))))) AS SelfNs
FROM joined
LEFT JOIN entries ON EntryTraceId = TraceId AND EntryFor = Position
LEFT JOIN children ON ChildTraceId = TraceId AND ChildOf = SpanId
ORDER BY TraceId, SpanId
