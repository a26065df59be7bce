-- Adds the tick's calls to the ten seconds in which they ended; what is older than an hour is not kept there. A call
-- counts as the calls that it stands for.
INSERT INTO chain_health_metrics_10s
SELECT
    toStartOfInterval(toDateTime(Time), INTERVAL 10 SECOND) AS Window,
    Service,
    Operation,
    Kind,
    Caller,
    CallerOperation,
    FlowName,
    Version,
    sum(Stands) AS Calls,
    sum(Failed * Stands) AS Errors,
    sum(OriginError * Stands) AS OriginErrors,
    sum(ClientFailed * Stands) AS ClientErrors,
    sum(e.DurationNs * Stands) AS DurationNs,
    sum(e.SelfNs * Stands) AS SelfNs,
    sum(e.WireNs * Stands) AS WireNs,
    sumMap(map(toUInt16(floor(log(e.DurationNs + 1) / log(1.05))), Stands)) AS Duration,
    sumMap(map(toUInt16(floor(log(e.SelfNs + 1) / log(1.05))), Stands)) AS Self,
    sumMap(map(toUInt16(floor(log(e.WireNs + 1) / log(1.05))), Stands)) AS Wire
FROM (
    SELECT *, toUInt64(Weight) AS Stands
    FROM chain_dependency_events
    WHERE Tick = {tick:UInt64} AND Counted AND NOT Deleted AND Time > {boundary:DateTime64(3)} - toIntervalHour(1)
    LIMIT 1 BY TraceId, SpanId
) AS e
GROUP BY Window, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version
ORDER BY Window, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version
