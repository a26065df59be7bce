// The spans of a small shop for tests on real engines: plain OpenTelemetry services without our agent, so nothing but
// standard attributes. Faults leave nothing in the spans but their effect.
import type { SpanInsert } from '@headwater/store'
import { chance } from './test-table.ts'

export type ShopFault =
  | 'bad-version'
  | 'slow-catalog'
  | 'dead-payments'
  | 'slow-bank'
  | 'silent-mailer'
  /** Seven of ten gateway calls fail before anything else is called. */
  | 'failing-gateway'
  /** Payments refuses one order in twenty. */
  | 'rare-refusals'

export interface FaultTime {
  fault: ShopFault
  fromMs: number
  toMs: number
}

/** A request as it truly went: what impact has to find out. */
export interface ShopRun {
  traceId: string
  flow: 'POST /orders' | 'GET /products'
  user: string
  endMs: number
  /** Failed or slow, because of the fault. */
  isHit: boolean
}

const everyMs = 250
const users = 25

/** The spans of some time, in the order in which requests came, and what became of each request. */
export function shopTime({
  fromMs,
  toMs,
  faults = [],
  seed = 1,
}: {
  fromMs: number
  toMs: number
  faults?: FaultTime[]
  seed?: number
}): { spans: SpanInsert[]; runs: ShopRun[] } {
  const next = chance(seed)
  const spans: SpanInsert[] = []
  const runs: ShopRun[] = []
  for (let atMs = fromMs; atMs < toMs; atMs += everyMs) {
    const isOrder = (atMs / everyMs) % 2 === 0
    const fault = faults.find((time) => atMs >= time.fromMs && atMs < time.toMs && canHit(time.fault, isOrder))?.fault
    const request = { atMs: atMs + Math.floor(next() * 200), user: `user-${Math.floor(next() * users)}`, fault, next }
    const { trace, isHit, flow } = isOrder ? order(request) : browse(request)
    spans.push(...trace)
    const [{ TraceId: traceId, Duration }] = trace
    runs.push({ traceId, flow, user: request.user, endMs: request.atMs + Duration / 1e6, isHit })
  }
  return { spans, runs }
}

/** Of several faults at once each hits its own flow. */
function canHit(fault: ShopFault, isOrder: boolean): boolean {
  return fault === 'failing-gateway' || isOrder !== (fault === 'slow-catalog')
}

interface Request {
  atMs: number
  user: string
  fault: ShopFault | undefined
  next: () => number
}

type Trace = [SpanInsert, ...SpanInsert[]]

function order({ atMs, user, fault, next }: Request): { trace: Trace; isHit: boolean; flow: 'POST /orders' } {
  const traceId = idOf(next, 32)
  const take = (ms: number) => ms * (0.8 + 0.4 * next())
  const ids = Array.from({ length: 8 }, () => idOf(next, 16)) as [string, ...string[]]
  const [gatewayId, toOrdersId = '', ordersId = '', toPaymentsId = '', paymentsId = '', bankId = '', sendId = ''] = ids
  const flow = 'POST /orders'
  if (fault === 'failing-gateway' && next() < 0.7) {
    const failed = server({
      traceId,
      id: gatewayId,
      service: 'gateway',
      name: flow,
      atMs,
      ms: take(5),
      user,
      status: 500,
    })
    return { trace: [failed], isHit: true, flow }
  }
  const isNew = next() < 0.5
  const isDead = fault === 'dead-payments'
  const isRefused =
    (fault === 'bad-version' && isNew) || (fault === 'rare-refusals' && Math.floor(atMs / everyMs) % 40 === 0)
  const isSlow = fault === 'slow-bank' && next() < 0.8
  const isBad = isDead || isRefused
  const bankMs = isSlow ? take(2_000) : take(25)
  const paymentsMs = isDead ? 1 : isRefused ? take(8) : bankMs + take(10)
  const ordersMs = paymentsMs + take(12)
  const gatewayMs = ordersMs + take(12)
  const status = isBad ? 500 : 200
  const payments: SpanInsert[] = [
    server({
      traceId,
      id: paymentsId,
      parent: toPaymentsId,
      service: 'payments',
      name: 'POST /charge',
      atMs: atMs + 8,
      ms: paymentsMs - 2,
      status,
      resource: { 'service.version': isNew ? '2.0.0' : '1.0.0', 'service.instance.id': isNew ? 'pod-b' : 'pod-a' },
      ...(isRefused ? { error: { type: 'TypeError', message: 'amount is not a number' } } : {}),
    }),
  ]
  if (!isRefused)
    payments.push(
      span({
        traceId,
        id: bankId,
        parent: paymentsId,
        kind: 'Client',
        service: 'payments',
        name: 'POST',
        atMs: atMs + 9,
        ms: bankMs,
        attributes: { 'server.address': 'bank.example', 'server.port': '443', 'http.request.method': 'POST' },
      }),
    )
  const trace: Trace = [
    server({ traceId, id: gatewayId, service: 'gateway', name: flow, atMs, ms: gatewayMs, user, status }),
    client({
      traceId,
      id: toOrdersId,
      parent: gatewayId,
      service: 'gateway',
      to: 'orders',
      atMs: atMs + 3,
      ms: ordersMs + 1,
      isFailed: isBad,
    }),
    server({
      traceId,
      id: ordersId,
      parent: toOrdersId,
      service: 'orders',
      name: flow,
      atMs: atMs + 4,
      ms: ordersMs,
      status,
    }),
    client({
      traceId,
      id: toPaymentsId,
      parent: ordersId,
      service: 'orders',
      to: 'payments',
      atMs: atMs + 7,
      ms: paymentsMs,
      isFailed: isBad,
      isRefused: isDead,
    }),
    ...(isDead ? [] : payments),
  ]
  if (!isBad) {
    const sentMs = atMs + 8 + paymentsMs
    const mails = { 'messaging.system': 'rabbitmq', 'messaging.destination.name': 'mails' }
    trace.push(
      span({
        traceId,
        id: sendId,
        parent: ordersId,
        kind: 'Producer',
        service: 'orders',
        name: 'send mails',
        atMs: sentMs,
        ms: 1,
        attributes: mails,
      }),
    )
    if (fault !== 'silent-mailer') {
      trace.push(
        span({
          traceId: idOf(next, 32),
          id: idOf(next, 16),
          kind: 'Consumer',
          service: 'mailer',
          name: 'process mails',
          atMs: sentMs + take(30),
          ms: take(20),
          attributes: mails,
          link: { traceId, id: sendId },
        }),
      )
    }
  }
  return { trace, isHit: isBad || isSlow || fault === 'silent-mailer', flow }
}

function browse({ atMs, user, fault, next }: Request): { trace: Trace; isHit: boolean; flow: 'GET /products' } {
  const traceId = idOf(next, 32)
  const ids = [idOf(next, 16), idOf(next, 16), idOf(next, 16)] as const
  const flow = 'GET /products'
  const isFailed = fault === 'failing-gateway' && next() < 0.7
  const isSlow = fault === 'slow-catalog' && next() < 0.6
  const catalogMs = (isSlow ? 700 : 15) * (0.8 + 0.4 * next())
  const gateway = { traceId, id: ids[0], service: 'gateway', name: flow, atMs, user }
  if (isFailed) return { trace: [server({ ...gateway, ms: 4, status: 500 })], isHit: true, flow }
  return {
    trace: [
      server({ ...gateway, ms: catalogMs + 10, status: 200 }),
      client({
        traceId,
        id: ids[1],
        parent: ids[0],
        service: 'gateway',
        to: 'catalog',
        atMs: atMs + 3,
        ms: catalogMs + 2,
        isFailed: false,
      }),
      server({
        traceId,
        id: ids[2],
        parent: ids[1],
        service: 'catalog',
        name: flow,
        atMs: atMs + 4,
        ms: catalogMs,
        status: 200,
      }),
    ],
    isHit: isSlow,
    flow,
  }
}

interface Told {
  traceId: string
  id: string
  parent?: string
  service: string
  name: string
  atMs: number
  ms: number
}

function server({
  user,
  status,
  error,
  ...told
}: Told & {
  user?: string
  status: number
  error?: { type: string; message: string }
  resource?: Record<string, string>
}): SpanInsert {
  const [method = '', route = ''] = told.name.split(' ')
  return span({
    ...told,
    kind: 'Server',
    isFailed: status >= 500,
    ...(error === undefined ? {} : { error }),
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': String(status),
      ...(user === undefined ? {} : { 'user.id': user }),
    },
  })
}

function client({
  to,
  isFailed,
  isRefused = false,
  ...told
}: Omit<Told, 'name'> & { to: string; isFailed: boolean; isRefused?: boolean }): SpanInsert {
  return span({
    ...told,
    kind: 'Client',
    name: 'POST',
    isFailed,
    attributes: {
      'http.request.method': 'POST',
      'server.address': `${to}.internal`,
      'server.port': '8080',
      ...(isRefused ? { 'error.type': 'ECONNREFUSED' } : { 'http.response.status_code': isFailed ? '500' : '200' }),
    },
  })
}

function span({
  traceId,
  id,
  parent = '',
  kind,
  service,
  name,
  atMs,
  ms,
  isFailed = false,
  error,
  attributes,
  resource = {},
  link,
}: Told & {
  kind: 'Server' | 'Client' | 'Producer' | 'Consumer'
  isFailed?: boolean
  error?: { type: string; message: string }
  attributes: Record<string, string>
  resource?: Record<string, string>
  link?: { traceId: string; id: string }
}): SpanInsert {
  const exception = error === undefined ? [] : [{ 'exception.type': error.type, 'exception.message': error.message }]
  return {
    Timestamp: unix(atMs, 9),
    TraceId: traceId,
    SpanId: id,
    ParentSpanId: parent,
    TraceState: '',
    SpanName: name,
    SpanKind: kind,
    ServiceName: service,
    ResourceAttributes: { 'service.name': service, ...resource },
    ScopeName: '',
    ScopeVersion: '',
    SpanAttributes: attributes,
    Duration: Math.round(ms * 1e6),
    StatusCode: isFailed ? 'Error' : 'Unset',
    StatusMessage: '',
    'Events.Timestamp': exception.map(() => unix(atMs + ms, 9)),
    'Events.Name': exception.map(() => 'exception'),
    'Events.Attributes': exception,
    'Links.TraceId': link === undefined ? [] : [link.traceId],
    'Links.SpanId': link === undefined ? [] : [link.id],
    'Links.TraceState': link === undefined ? [] : [''],
    'Links.Attributes': link === undefined ? [] : [{}],
    // Exporters send some seconds later.
    ReceivedAt: unix(atMs + ms + 1_000, 3),
  }
}

function unix(ms: number, digits: number): string {
  return (ms / 1_000).toFixed(digits)
}

function idOf(next: () => number, digits: number): string {
  let id = ''
  while (id.length < digits)
    id += Math.floor(next() * 65_536)
      .toString(16)
      .padStart(4, '0')
  return id
}
