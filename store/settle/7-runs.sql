-- One row per trace of a run. The run failed if its entry did, or a consumer of its messages.
INSERT INTO chain_execution_traces
WITH
    spans AS (
        SELECT s.*, s.ParentSpanId = '' OR (s.TraceId, s.ParentSpanId) NOT IN (SELECT TraceId, SpanId FROM settled_spans WHERE Tick = {tick:UInt64}) AS IsRoot
        FROM settled_spans AS s
        WHERE s.Tick = {tick:UInt64}
    )
SELECT
    {tick:UInt64} AS Tick,
    any(f.FlowId) AS FlowId,
    s.TraceId AS TraceId,
    any(f.FlowName) AS FlowName,
    fromUnixTimestamp64Nano(min(s.StartNs)) AS StartedAt,
    fromUnixTimestamp64Nano(max(s.EndNs)) AS EndedAt,
    toUInt64(greatest(0, argMin(s.EndNs - s.StartNs, (NOT s.IsRoot, s.StartNs, s.SpanId)))) AS DurationNs,
    argMin(s.Service, (NOT s.IsRoot, s.StartNs, s.SpanId)) AS EntryService,
    argMin(s.Operation, (NOT s.IsRoot, s.StartNs, s.SpanId)) AS EntryOperation,
    arraySort(groupUniqArray(s.Service)) AS Services,
    toUInt32(count()) AS Spans,
    toUInt32(sum(s.Failed)) AS Errors,
    max(s.Failed AND (s.IsRoot OR s.SpanKind = 'Consumer')) AS Failed,
    any(f.UserId) AS UserId,
    -- A run is known as soon as one span of it was kept, so the likeliest of them says how many runs it stands for.
    min(s.Weight) AS Weight
FROM spans AS s
LEFT JOIN (SELECT TraceId, FlowId, FlowName, UserId FROM settled_flows WHERE Tick = {tick:UInt64}) AS f ON f.TraceId = s.TraceId
GROUP BY s.TraceId
ORDER BY TraceId
