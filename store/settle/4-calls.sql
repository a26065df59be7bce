-- One row per call. A hop is an entry into a service (a SERVER or CONSUMER span, or a span whose parent is another service's
-- or absent) with all spans below it in that service. A call is keyed by the callee's entry where there is one, else by the
-- caller's client span.
INSERT INTO chain_dependency_events
WITH
    spans AS (
        SELECT *
        FROM settled_spans
        INNER JOIN (
            SELECT
                TraceId AS TreeTraceId, SpanId AS TreeSpanId, Position, ParentPosition, ParentService, ParentKind, ParentFailed, ParentFresh,
                ParentNs, ParentPeerAddress, IsEntry, EntryPosition, GoesOn, OriginError, SelfNs
            FROM settled_tree
            WHERE Tick = {tick:UInt64}
        ) AS tree ON TreeTraceId = TraceId AND TreeSpanId = SpanId
        WHERE Tick = {tick:UInt64}
    ),
    -- The operation of each entry.
    operations AS (
        SELECT TraceId AS OperationTraceId, Position AS OperationPosition, Operation AS EntryOperation
        FROM spans
        WHERE Position = EntryPosition
    ),
    hops AS (
        SELECT
            TraceId AS HopTraceId,
            EntryPosition AS HopPosition,
            -- Waiting for others is their time: client and producer spans do not count as the hop's own.
            sumIf(SelfNs, SpanKind NOT IN ('Client', 'Producer')) AS HopSelfNs,
            maxIf(OriginError, SpanKind NOT IN ('Client', 'Producer')) AS HopOriginError,
            argMinIf(Message, (NOT OriginError, StartNs, SpanId), Failed AND Message != '') AS HopMessage,
            argMinIf(ErrorType, (NOT OriginError, StartNs, SpanId), Failed AND ErrorType != '') AS HopErrorType
        FROM spans
        GROUP BY TraceId, EntryPosition
    ),
    -- Which service answers at an address, learned from calls whose both ends we saw.
    addresses AS (
        SELECT Address AS KnownAddress, argMax(Service, At) AS AddressService
        FROM (
            SELECT PeerAddress AS Address, Service, Time AS At
            FROM chain_dependency_events
            WHERE Tick < {tick:UInt64} AND Kind = 'sync' AND PeerAddress != ''
                AND Time > {boundary:DateTime64(3)} - toIntervalHour(6)
            UNION ALL
            SELECT ParentPeerAddress AS Address, Service, fromUnixTimestamp64Milli(intDiv(EndNs, 1000000)) AS At
            FROM spans
            WHERE SpanKind = 'Server' AND ParentKind = 'Client' AND ParentPeerAddress != ''
        )
        GROUP BY Address
    ),
    -- Who sent the messages that consumers link to or descend from.
    publishers AS (
        SELECT TraceId AS PublisherTraceId, SpanId AS PublisherSpanId, any(Service) AS PublisherService, max(Operation) AS PublisherOperation, max(EndNs) AS PublisherEndNs
        FROM (
            SELECT TraceId, SpanId, Service, EntryOperation AS Operation, EndNs
            FROM spans
            LEFT JOIN operations ON OperationTraceId = TraceId AND OperationPosition = EntryPosition
            WHERE SpanKind != 'Consumer'
            UNION ALL
            SELECT TraceId, SpanId, Caller AS Service, CallerOperation AS Operation, toUnixTimestamp64Milli(Time) * 1000000 AS EndNs
            FROM chain_dependency_events
            WHERE Tick < {tick:UInt64} AND Kind = 'publish'
                AND TraceId IN (SELECT arrayJoin(LinkTraceIds) FROM spans WHERE SpanKind = 'Consumer')
            UNION ALL
            -- The sender's trace may still be open: take what is there of it.
            SELECT TraceId, SpanId, Service, '' AS Operation, toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) AS EndNs
            FROM otel_traces
            WHERE TraceId IN (SELECT arrayJoin(LinkTraceIds) FROM spans WHERE SpanKind = 'Consumer')
                AND ReceivedAt <= {boundary:DateTime64(3)} AND ReceivedAt > {boundary:DateTime64(3)} - toIntervalHour(2)
        )
        GROUP BY TraceId, SpanId
    ),
    calls AS (
        SELECT
            *,
            IsEntry AND SpanKind NOT IN ('Client', 'Producer') AS IsHop,
            multiIf(
                SpanKind = 'Client', 'peer',
                SpanKind = 'Producer', 'publish',
                SpanKind = 'Consumer', 'async',
                ParentPosition > 0, 'sync',
                SpanKind = 'Server' AND PeerService != '', 'sync',
                'entry') AS Kind,
            -- `service.peer.name` names a service beside ours: same namespace, same environment.
            if(PeerService = '', '', concat(
                extract(toString(Service), '^([^/]*/)'),
                replaceAll(replaceAll(replaceAll(toString(PeerService), '%', '%25'), '/', '%2F'), '@', '%40'),
                extract(toString(Service), '(@[^@]*)$'))) AS PeerKey
        FROM spans
        LEFT JOIN operations ON OperationTraceId = TraceId AND OperationPosition = EntryPosition
        LEFT JOIN hops ON HopTraceId = TraceId AND HopPosition = Position
        LEFT JOIN (
            SELECT TraceId AS AboveTraceId, Position AS AbovePosition, EntryOperation AS ParentEntryOperation
            FROM spans
            INNER JOIN operations ON OperationTraceId = TraceId AND OperationPosition = EntryPosition
        ) AS above ON AboveTraceId = TraceId AND AbovePosition = ParentPosition
        LEFT JOIN (
            SELECT TraceId AS FlowTraceId, FlowId, FlowName, UserId AS TraceUserId FROM settled_flows WHERE Tick = {tick:UInt64}
        ) AS flows ON FlowTraceId = TraceId
        LEFT JOIN publishers ON PublisherTraceId = if(LinkTraceIds[1] != '', LinkTraceIds[1], TraceId)
            AND PublisherSpanId = if(LinkSpanIds[1] != '', LinkSpanIds[1], ParentSpanId)
        LEFT JOIN addresses ON KnownAddress = PeerAddress
        WHERE IsHop OR SpanKind = 'Producer' OR (SpanKind = 'Client' AND NOT GoesOn)
    )
SELECT
    {tick:UInt64} AS Tick,
    tombstone AS Deleted,
    fromUnixTimestamp64Milli(intDiv(EndNs, 1000000)) AS Time,
    TraceId,
    if(tombstone, ParentSpanId, SpanId) AS SpanId,
    FlowId,
    FlowName,
    Kind,
    multiIf(
        IsHop, Service,
        Kind = 'publish', arrayFirst(name -> name != '', [toString(Destination), toString(PeerAddress), 'unknown']),
        arrayFirst(name -> name != '', [PeerKey, toString(AddressService), toString(Destination), toString(PeerAddress), 'unknown'])) AS Service,
    Operation,
    if(IsHop, Version, '') AS Version,
    if(IsHop, Instance, '') AS Instance,
    multiIf(
        NOT IsHop, Service,
        Kind = 'async', arrayFirst(name -> name != '', [toString(PublisherService), PeerKey]),
        ParentPosition > 0, ParentService,
        Kind = 'sync', PeerKey,
        '') AS Caller,
    multiIf(
        NOT IsHop, EntryOperation,
        Kind = 'async', PublisherOperation,
        ParentPosition > 0, ParentEntryOperation,
        '') AS CallerOperation,
    multiIf(NOT IsHop, SpanId, Kind = 'sync', ParentSpanId, '') AS ClientSpanId,
    if(IsHop, ParentPeerAddress, PeerAddress) AS PeerAddress,
    Fresh AND (ParentPosition = 0 OR NOT IsHop OR ParentKind != 'Client' OR ParentFresh)
        AND (NOT Late OR toStartOfMinute(fromUnixTimestamp64Milli(intDiv(EndNs, 1000000))) + toIntervalSecond(60 + {closeAfterS:UInt32}) > {closedBefore:DateTime64(3)}) AS Counted,
    Failed,
    if(IsHop, HopOriginError, Failed) AS OriginError,
    if(IsHop, Kind = 'sync' AND ParentKind = 'Client' AND ParentFailed, Failed) AS ClientFailed,
    toUInt64(greatest(0, EndNs - StartNs)) AS DurationNs,
    if(IsHop, toUInt64(HopSelfNs), 0) AS SelfNs,
    multiIf(
        NOT IsHop, toUInt64(greatest(0, EndNs - StartNs)),
        ParentKind = 'Client', toUInt64(greatest(0, ParentNs - (EndNs - StartNs))),
        0) AS WireNs,
    if(Kind = 'async' AND PublisherEndNs > 0, toUInt64(greatest(0, StartNs - PublisherEndNs)), 0) AS QueueNs,
    if(UserId != '', UserId, TraceUserId) AS UserId,
    if(IsHop, HopErrorType, ErrorType) AS ErrorType,
    if(IsHop, HopMessage, Message) AS Message,
    -- A span that was sampled stands for several calls: a whole number of them, the same whenever it is asked, on average the
    -- span's weight. Nobody samples one in more than a million; what claims to must not drown the others.
    floor(least(greatest(calls.Weight, 1), 1000000) AS Claimed)
        + (cityHash64(TraceId, calls.SpanId) / 18446744073709551616 < Claimed - floor(Claimed)) AS Weight
FROM calls
-- A callee's span that came late takes over from the row that its caller's client span had stood in for.
ARRAY JOIN if(Late AND IsHop AND ParentKind = 'Client', [0, 1], [0]) AS tombstone
ORDER BY TraceId, SpanId, Deleted
