import { type JsonFields, parseJson } from './json-fields.ts'
import {
  type Attributes,
  type AttributeValue,
  type ResourceSpans,
  type Span,
  nestedTooDeep,
  nestingMax,
  spanKinds,
  statusCodes,
} from './traces.ts'

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

/** Decodes an ExportTraceServiceRequest in OTLP's JSON; throws an error that names the field if it is none. */
export function decodeJson(body: Uint8Array): ResourceSpans[] {
  return parseJson(body)
    .messages('resourceSpans')
    .map((resourceSpans) => ({
      resource: toAttributes(resourceSpans.message('resource')?.messages('attributes') ?? []),
      scopes: resourceSpans.messages('scopeSpans').map((scopeSpans) => {
        const scope = scopeSpans.message('scope')
        return {
          name: scope?.text('name') ?? '',
          version: scope?.text('version') ?? '',
          spans: scopeSpans.messages('spans').map(toSpan),
        }
      }),
    }))
}

function toSpan(span: JsonFields): Span {
  const status = span.message('status')
  return {
    traceId: span.text('traceId').toLowerCase(),
    spanId: span.text('spanId').toLowerCase(),
    parentSpanId: span.text('parentSpanId').toLowerCase(),
    traceState: span.text('traceState'),
    flags: span.uint32('flags'),
    name: span.text('name'),
    kind: span.enumeration('kind', spanKinds),
    startNs: span.uint64('startTimeUnixNano'),
    endNs: span.uint64('endTimeUnixNano'),
    attributes: toAttributes(span.messages('attributes')),
    droppedAttributes: span.uint32('droppedAttributesCount'),
    events: span.messages('events').map((event) => ({
      timeNs: event.uint64('timeUnixNano'),
      name: event.text('name'),
      attributes: toAttributes(event.messages('attributes')),
    })),
    droppedEvents: span.uint32('droppedEventsCount'),
    links: span.messages('links').map((link) => ({
      traceId: link.text('traceId').toLowerCase(),
      spanId: link.text('spanId').toLowerCase(),
      traceState: link.text('traceState'),
      attributes: toAttributes(link.messages('attributes')),
    })),
    droppedLinks: span.uint32('droppedLinksCount'),
    statusCode: status?.enumeration('code', statusCodes) ?? 0,
    statusMessage: status?.text('message') ?? '',
  }
}

function toAttributes(entries: readonly JsonFields[], depth = 0): Attributes {
  return new Map(entries.map((entry) => [entry.text('key'), toValue(entry.message('value'), depth)]))
}

function toValue(value: JsonFields | undefined, depth: number): AttributeValue {
  if (value === undefined) return undefined
  if (value.get('stringValue') !== undefined) return value.text('stringValue')
  if (value.get('boolValue') !== undefined) return value.boolean('boolValue')
  if (value.get('intValue') !== undefined) return value.integer('intValue', int64)
  if (value.get('doubleValue') !== undefined) return value.double('doubleValue')
  if (value.get('bytesValue') !== undefined) return value.bytes('bytesValue')
  const array = value.message('arrayValue')
  if (array !== undefined) {
    return depth === nestingMax ? nestedTooDeep : array.messages('values').map((item) => toValue(item, depth + 1))
  }
  const entries = value.message('kvlistValue')
  if (entries === undefined) return undefined
  return depth === nestingMax ? nestedTooDeep : toAttributes(entries.messages('values'), depth + 1)
}
