// What a process that dies leaves behind is a request of OTLP, written as our own tracing writes its spans; the next process
// sends it by our own sender. The SDK's exporter can do neither.

import { counters } from '../counters.ts'
import { AttributeList } from '../trace/attribute-list.ts'
import { type EndedSpan, encodeSpan } from '../export/encode-span.ts'
import { type Unsent, flushOnExit } from '../export/exit.ts'
import { leaveLastWords } from '../export/last-words.ts'
import { requestBodies } from '../export/request-body.ts'
import { senderFor } from '../export/sender-for.ts'
import { type SpanGroup, SpanRing } from '../export/span-ring.ts'
import type { Spool } from '../export/spool.ts'
import type { AgentSettings } from '../settings/settings.ts'
import type { Scope } from '../trace/span.ts'
import type { SpanQueue } from './span-queue.ts'
import type { ReadableSpan } from './types.ts'

/** Sends what earlier processes have left in `spool`, and leaves there what `queue` has when this one dies. */
export function leaveSpans(
  queue: SpanQueue,
  { settings, spool, say }: { settings: AgentSettings; spool: Spool; say: (line: string) => void },
): void {
  let toBody = requestBodies(settings.resource)
  const take = (): SpanGroup[] => {
    const spans = queue.takeAll()
    if (spans[0] !== undefined) toBody = requestBodies(spans[0].resource.attributes)
    return groupsOf(spans)
  }
  const sender = senderFor(settings, { ring: new SpanRing({ bytesMax: 0, spansMax: 0 }), toBody, say })
  const unsent: Unsent = {
    hasUnsent: () => queue.hasUnsent() || sender.hasUnsent(),
    drain: async () => void (await Promise.all([queue.drain(), sender.drain()])),
  }
  const takeUnderWay = () => undefined
  flushOnExit(unsent, leaveLastWords({ take, toBody: (groups) => toBody(groups), takeUnderWay, spool, say }))
  sender.sendLeftovers(spool.claim())
}

/** Of all that waits no more is written, the newest; far less is left behind. */
const writtenBytesMax = 1_048_576
const all = { spansMax: Number.POSITIVE_INFINITY, bytesEnough: Number.POSITIVE_INFINITY }

function groupsOf(spans: readonly ReadableSpan[]): SpanGroup[] {
  const ring = new SpanRing({ bytesMax: writtenBytesMax, spansMax: all.spansMax })
  const scopes = new Map<string, Scope>()
  for (const span of spans) {
    const { name, version = '', schemaUrl = '' } = span.instrumentationScope
    const key = `${name}\n${version}\n${schemaUrl}`
    const scope = scopes.get(key) ?? { name, version, schemaUrl }
    scopes.set(key, scope)
    try {
      counters.spansLost += ring.add(scope, encodeSpan(asEnded(span)))
    } catch {
      // Too large, or made of objects that cannot be read.
      counters.spansLost += 1
    }
  }
  return ring.take(all)
}

const unlimited = { countMax: Number.POSITIVE_INFINITY, valueCharsMax: Number.POSITIVE_INFINITY }

function asEnded(span: ReadableSpan): EndedSpan {
  const { name, kind, status, parentSpanContext, droppedEventsCount, droppedLinksCount } = span
  return {
    spanContext: () => span.spanContext(),
    parentSpanContext,
    name,
    kind,
    status,
    startedAt: span.startTime,
    endedAt: span.endTime,
    attributeList: listOf(span.attributes, span.droppedAttributesCount),
    events: span.events.map((event) => ({
      name: event.name,
      time: event.time,
      attributes: listOf(event.attributes, event.droppedAttributesCount),
    })),
    links: span.links.map(({ context, attributes, droppedAttributesCount }) => ({
      context,
      attributes: listOf(attributes, droppedAttributesCount),
    })),
    droppedEventsCount,
    droppedLinksCount,
  }
}

function listOf(attributes: ReadableSpan['attributes'] | undefined, dropped = 0): AttributeList {
  const list = new AttributeList()
  list.setAll(attributes, unlimited)
  list.dropped = dropped
  return list
}
