-- Spans of a shop of 200 services, ten a trace, evenly over {forMs} ms up to {until}. A trace goes through four services and two
-- databases; one in a hundred fails in the last of them, one in twenty belongs to the run of the trace after it.
INSERT INTO otel_traces
    (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
    SpanAttributes, Duration, StatusCode, StatusMessage, `Events.Timestamp`, `Events.Name`, `Events.Attributes`, ReceivedAt)
WITH
    ['orders', 'payments', 'cart', 'catalog', 'search', 'pricing', 'stock', 'shipping', 'billing', 'accounts', 'reviews', 'offers',
        'returns', 'invoices', 'loyalty', 'media', 'mail', 'fraud', 'tax', 'partners'] AS nouns,
    ['gateway', 'api', 'core', 'worker', 'rules', 'history', 'export', 'sync', 'index', 'store'] AS roles,
    ['postgresql:orders', 'postgresql:stock', 'mysql:accounts', 'mongodb:catalog', 'redis', 'elasticsearch'] AS databases,
    intDiv(number, 10) AS t,
    number % 10 + 1 AS s,
    cityHash64(t, {until:DateTime64(3)}) AS chance,
    t % 40 AS flow,
    -- Services by their number: a gateway, then three behind it, of which the last two may be of other parts of the shop.
    intDiv(t, 40) % 3 AS way,
    flow % 20 AS e,
    20 + way * 20 + e AS a,
    80 + way * 20 + if(intDiv(t, 120) % 2 = 0, e, (e + 7) % 20) AS b,
    140 + way * 20 + if(intDiv(t, 240) % 2 = 0, b % 20, (b * 3 + 1) % 20) AS c,
    [e, e, a, a, a, a, b, b, c, c][s] AS service,
    concat(nouns[service % 20 + 1], '-', roles[intDiv(service, 20) + 1]) AS name,
    -- What is called by the client spans.
    ['', concat(nouns[a % 20 + 1], '-', roles[intDiv(a, 20) + 1]), '', '', '', concat(nouns[b % 20 + 1], '-', roles[intDiv(b, 20) + 1]),
        '', concat(nouns[c % 20 + 1], '-', roles[intDiv(c, 20) + 1]), '', ''][s] AS called,
    databases[(if(s = 4, a, c) % 6) + 1] AS database,
    ['Server', 'Client', 'Server', 'Client', 'Internal', 'Client', 'Server', 'Client', 'Server', 'Client'][s] AS kind,
    -- Which span is the parent, and how deep it lies.
    [0, 1, 2, 3, 3, 3, 6, 7, 8, 9][s] AS parent,
    [0, 1, 2, 3, 3, 3, 4, 5, 6, 7][s] AS depth,
    chance % 100 = 0 AS fails,
    fails AND s NOT IN (4, 5, 10) AS failed,
    8e6 * exp(chance % 1000 / 250) AS wholeNs,
    multiIf(s IN (4, 5), 0.02, s = 10, 0.2, 1 - 0.08 * depth) * wholeNs AS ns,
    toUnixTimestamp64Nano(toDateTime64({until:DateTime64(3)}, 9)) - toInt64({forMs:UInt64}) * 1000000
        + toInt64(t / {traces:UInt64} * {forMs:UInt64} * 1e6 + 0.04 * depth * wholeNs + s) AS startNs,
    lower(hex(MD5(concat('trace', toString(t), toString({until:DateTime64(3)}))))) AS id,
    concat('POST /', nouns[e + 1], if(flow < 20, '', '/confirm')) AS route,
    multiIf(kind = 'Server' AND s = 1, route, kind = 'Server', concat('POST /', nouns[service % 20 + 1], '/{id}'),
        s IN (4, 10), concat('SELECT ', splitByChar(':', database)[-1]), kind = 'Client', 'POST', 'calculate') AS operation,
    toString(if(failed, 500, 200)) AS status
SELECT
    fromUnixTimestamp64Nano(startNs) AS Timestamp,
    id AS TraceId,
    leftPad(lower(hex(cityHash64(id, s))), 16, '0') AS SpanId,
    if(parent = 0, '', leftPad(lower(hex(cityHash64(id, parent))), 16, '0')) AS ParentSpanId,
    operation AS SpanName,
    kind AS SpanKind,
    name AS ServiceName,
    map('service.name', name, 'service.version', concat('1.', toString(service % 7), '.0'),
        'service.instance.id', concat(name, '-', toString(chance % 3)), 'deployment.environment.name', 'production',
        'host.name', concat('node-', toString((service + chance % 3) % 24)), 'telemetry.sdk.name', 'opentelemetry',
        'telemetry.sdk.language', 'nodejs', 'telemetry.sdk.version', '2.1.0') AS ResourceAttributes,
    concat('@opentelemetry/instrumentation-', if(s IN (4, 10), 'pg', 'http')) AS ScopeName,
    '0.210.0' AS ScopeVersion,
    mapConcat(
        multiIf(
            kind = 'Server', map('http.request.method', 'POST', 'http.route', operation, 'url.path', concat('/', toString(t)),
                'http.response.status_code', status, 'server.address', name, 'client.address', concat('10.0.', toString(chance % 250), '.7'),
                'user_agent.original', if(s = 1, 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/143.0', 'node')),
            s IN (4, 10), map('db.system.name', splitByChar(':', database)[1], 'db.namespace', splitByChar(':', database)[2],
                'db.operation.name', 'SELECT', 'db.query.text', 'SELECT id, state, total FROM orders WHERE customer = $1 ORDER BY id DESC LIMIT 20'),
            kind = 'Client', map('http.request.method', 'POST', 'server.address', called, 'server.port', '8080',
                'url.full', concat('http://', called, ':8080/', toString(t)), 'http.response.status_code', status, 'service.peer.name', called),
            map('work.items', toString(chance % 30))),
        if(s IN (1, 9), map('order.id', concat('order-', toString(chance)), 'tenant.id', concat('tenant-', toString(chance % 200))),
            CAST(map(), 'Map(String, String)')),
        if(s = 1, map('user.id', concat('user-', toString(chance % 50000)), 'flow.name', route), CAST(map(), 'Map(String, String)')),
        if(t % 20 = 0, map('flow.id', lower(hex(MD5(concat('trace', toString(t + 1), toString({until:DateTime64(3)})))))),
            CAST(map(), 'Map(String, String)'))) AS SpanAttributes,
    toUInt64(ns) AS Duration,
    if(failed, 'Error', 'Unset') AS StatusCode,
    if(failed, concat(name, ' answered with 500'), '') AS StatusMessage,
    if(fails AND s = 9, [fromUnixTimestamp64Nano(startNs + toInt64(ns / 2))], []) AS `Events.Timestamp`,
    if(fails AND s = 9, ['exception'], []) AS `Events.Name`,
    if(fails AND s = 9, [map('exception.type', 'TypeError', 'exception.message', 'Cannot read properties of undefined (reading total)',
        'exception.stacktrace', repeat('    at total (file:///app/orders/total.js:17:21)\n', 12))], []) AS `Events.Attributes`,
    fromUnixTimestamp64Milli(intDiv(startNs + toInt64(ns), 1000000) + 1000) AS ReceivedAt
FROM numbers({traces:UInt64} * 10)
