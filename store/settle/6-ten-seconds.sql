-- Adds the tick's calls to the ten seconds in which they ended; what is older than an hour is not kept there.
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
    count() AS Calls,
    sum(Failed) AS Errors,
    sum(OriginError) AS OriginErrors,
    sum(ClientFailed) AS ClientErrors,
    sum(e.DurationNs) AS DurationNs,
    sum(e.SelfNs) AS SelfNs,
    sum(e.WireNs) AS WireNs,
    sumMap(map(toUInt16(floor(log(e.DurationNs + 1) / log(1.05))), toUInt64(1))) AS Duration,
    sumMap(map(toUInt16(floor(log(e.SelfNs + 1) / log(1.05))), toUInt64(1))) AS Self,
    sumMap(map(toUInt16(floor(log(e.WireNs + 1) / log(1.05))), toUInt64(1))) AS Wire
FROM chain_dependency_events AS e
WHERE Tick = {tick:UInt64} AND Counted AND NOT Deleted AND Time > {boundary:DateTime64(3)} - toIntervalHour(1)
GROUP BY Window, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version
ORDER BY Window, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version
