// The story that each SDK tells as far as it can; README.md beside the recordings says what is in it.
import { ROOT_CONTEXT, SeverityNumber, SpanKind, SpanStatusCode, createTraceState, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { LoggerProvider } from '@opentelemetry/sdk-logs'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import { everyVariant, logProcessors, spanProcessors } from './exporters.mjs'

const schemaUrl = 'https://opentelemetry.io/schemas/1.40.0'
const startSeconds = 1_795_741_200

/** A moment of the story, so many nanoseconds after it began: 2026-11-27T01:00:00.123456789Z. */
const at = (nanoseconds) => [startSeconds, 123_456_789 + nanoseconds]

const resource = resourceFromAttributes(
  {
    'service.name': 'shop',
    'service.namespace': 'headwater',
    'service.version': '1.2.3-ß',
    'service.instance.id': '627cc493-f310-47de-96bd-71410b7dec09',
    'deployment.environment.name': 'recording',
    'shop.shards': 3,
    'shop.canary': true,
    'shop.load': 0.75,
    'shop.regions': ['eu-north', 'eu-south'],
    'shop.ports': [8080, 8443],
  },
  { schemaUrl },
)

const everyType = {
  'text.plain': 'plain',
  'text.empty': '',
  'text.unicode': 'żółć 漢字 🚀 e\u0301',
  'text.control': 'tab\tline\nbell\u0007escape\u001bdelete\u007f',
  'bool.true': true,
  'bool.false': false,
  'int.zero': 0,
  'int.negative': -42,
  // The largest and the smallest that a number of JavaScript holds exactly.
  'int.largest': Number.MAX_SAFE_INTEGER,
  'int.smallest': Number.MIN_SAFE_INTEGER,
  'double.fraction': 0.1,
  // The next two are integers to JavaScript.
  'double.whole': 2.0,
  'double.negative_zero': -0.0,
  'double.smallest': 5e-324,
  'double.nan': Number.NaN,
  'double.infinity': Number.POSITIVE_INFINITY,
  'double.minus_infinity': Number.NEGATIVE_INFINITY,
  'list.text': ['a', '', '🚀'],
  'list.bool': [true, false],
  'list.int': [-1, 0, Number.MAX_SAFE_INTEGER],
  'list.double': [0.1, -2.5, 1e-300],
  'list.empty': [],
  'list.mixed': ['one', 2, 0.5, true, { four: 4 }],
  bytes: Uint8Array.of(0, 1, 254, 255),
  map: { kind: 'nested', depth: { list: [1, 'two', false], empty: {} } },
  nothing: null,
}

const numbered = (prefix, count) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}.${index + 1}`, index + 1]))

const spanLimits = {
  attributeCountLimit: 32,
  eventCountLimit: 4,
  linkCountLimit: 3,
  attributePerEventCountLimit: 30,
  attributePerLinkCountLimit: 4,
}

const caller = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  traceFlags: 1,
  isRemote: true,
  traceState: createTraceState('rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'),
}
const earlierAttempt = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
  isRemote: true,
  traceState: createTraceState('vendor=opaque:1'),
}
const unsampled = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '00f067aa0ba90201', traceFlags: 0 }

/** What the database driver threw. A recording names no folder of the machine that it was made on. */
function deadlock() {
  const error = new RangeError('deadlock detected: „basket“ 💥')
  error.stack = error.stack.replaceAll(import.meta.dirname, '/srv/shop')
  return error
}

function tellSpans(tracers) {
  const tracer = tracers.getTracer('headwater.story', '0.9.1', { schemaUrl })
  const plain = tracers.getTracer('headwater.plain')
  const inside = (span) => trace.setSpan(ROOT_CONTEXT, span)

  const checkout = tracer.startSpan(
    'POST /checkout',
    {
      kind: SpanKind.SERVER,
      startTime: at(0),
      attributes: { 'http.request.method': 'POST', 'url.path': '/checkout', 'http.response.status_code': 200 },
      links: [
        {
          context: earlierAttempt,
          attributes: { 'link.reason': 'retried', 'link.attempt': 2, 'link.late': [true, false] },
        },
        { context: unsampled },
      ],
    },
    trace.setSpanContext(ROOT_CONTEXT, caller),
  )
  const price = tracer.startSpan('price the basket', { startTime: at(1_000_001) }, inside(checkout))
  price.setAttributes(everyType)
  const query = tracer.startSpan(
    'SELECT shop.basket',
    { kind: SpanKind.CLIENT, startTime: at(2_000_000), attributes: { 'db.system.name': 'postgresql' } },
    inside(price),
  )
  query.addEvent('every type', everyType, at(2_500_000))
  query.addEvent('bare', at(2_500_001))
  const error = deadlock()
  query.recordException(error, at(2_999_999))
  query.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  query.end(at(3_000_000))
  const cache = plain.startSpan('cache get', { startTime: at(3_100_000) }, inside(price))
  cache.end(at(3_200_000))
  price.end(at(4_000_000))

  const publish = tracer.startSpan(
    'orders publish',
    { kind: SpanKind.PRODUCER, startTime: at(5_000_000), attributes: { 'messaging.system': 'mqtt' } },
    inside(checkout),
  )
  publish.end(at(6_000_000))
  const process = tracer.startSpan('orders process', {
    root: true,
    kind: SpanKind.CONSUMER,
    startTime: at(7_000_000),
    links: [{ context: publish.spanContext(), attributes: { 'messaging.batch.message_count': 1 } }],
  })
  process.end(at(8_000_000))

  const crowded = tracer.startSpan(
    'over the limits',
    {
      startTime: at(9_000_000),
      links: Array.from({ length: 5 }, (_, index) => ({
        context: { ...unsampled, spanId: `00f067aa0ba9020${index + 1}` },
        attributes: numbered('link', 6),
      })),
    },
    inside(checkout),
  )
  crowded.setAttributes(numbered('attribute', 40))
  for (let event = 1; event <= 7; event += 1) {
    crowded.addEvent(`event ${event}`, numbered('event', 35), at(9_000_000 + event))
  }
  crowded.end(at(9_500_000))

  const nameless = tracer.startSpan('', { startTime: at(9_700_000) }, inside(checkout))
  nameless.end(at(9_700_000))
  checkout.setStatus({ code: SpanStatusCode.OK })
  checkout.end(at(250_000_001))
  return query
}

function tellLogs(loggers, query) {
  const logger = loggers.getLogger('headwater.story', '0.9.1', {
    schemaUrl,
    attributes: { 'story.teller': 'logger', 'story.part': 2 },
  })
  const context = trace.setSpan(ROOT_CONTEXT, query)
  // Undefined would mean the active context; there is none here.
  const tell = (moment, record) =>
    logger.emit({ timestamp: at(moment), observedTimestamp: at(moment + 500), context: ROOT_CONTEXT, ...record })

  tell(1_000, {
    severityNumber: SeverityNumber.INFO,
    severityText: 'INFO',
    body: 'basket priced: żółć 🚀',
    attributes: everyType,
    context,
  })
  tell(2_000, {
    severityNumber: SeverityNumber.ERROR,
    severityText: 'ERROR',
    eventName: 'shop.checkout.failed',
    body: 'checkout failed',
    exception: deadlock(),
    context,
  })
  tell(3_000, { severityNumber: SeverityNumber.WARN2, severityText: 'warn', body: { ...everyType, deep: everyType } })
  tell(4_000, { severityNumber: SeverityNumber.DEBUG4, body: ['one', 2, 0.5, true, null, ['nested']] })
  tell(5_000, { body: Uint8Array.of(0, 1, 254, 255) })
  tell(6_000, { severityNumber: SeverityNumber.FATAL4, severityText: '', body: 42 })
  tell(7_000, { body: false })
  tell(8_000, { eventName: 'shop.basket.emptied' })
  tell(9_000, { body: 'over the limits', attributes: numbered('attribute', 40) })
  logger.emit({ body: 'when it happened is unknown', observedTimestamp: at(10_000), context: ROOT_CONTEXT })
}

const tracers = new TracerProvider({
  resource,
  spanLimits,
  spanProcessors: spanProcessors('story-traces', everyVariant),
})
const loggers = new LoggerProvider({
  resource,
  logRecordLimits: { attributeCountLimit: 32 },
  processors: logProcessors('story-logs', everyVariant),
})
tellLogs(loggers, tellSpans(tracers))
await tracers.shutdown()
await loggers.shutdown()
