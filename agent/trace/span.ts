import {
  type AttributeValue,
  type Attributes,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  diag,
} from '@opentelemetry/api'
import type { Hop } from '../flow/hop.ts'
import { spanHop } from '../flow/hop.ts'
import { asText } from './as-text.ts'
import { AttributeList, type AttributeLimits } from './attribute-list.ts'
import { isBefore, isTimeInput, millisecondsOf, momentOf, nowMs } from './clock.ts'

/** Who made a span. */
export interface Scope {
  readonly name: string
  readonly version: string
  readonly schemaUrl: string
}

export interface SpanLimits {
  span: AttributeLimits
  event: AttributeLimits
  link: AttributeLimits
  eventsMax: number
  linksMax: number
}

export interface SpanEvent {
  name: string
  time: number | HrTime
  attributes: AttributeList
}

export interface SpanLink {
  context: SpanContext
  attributes: AttributeList
}

/** What becomes of a span. */
export interface SpanSink {
  /** It is about to end, and may still be changed. */
  ending(span: RecordedSpan): void
  ended(span: RecordedSpan): void
}

/** What a span is at its start. */
export interface SpanStart {
  name: string
  kind: SpanKind
  spanContext: SpanContext
  parent: SpanContext | undefined
  startTime: TimeInput | undefined
  scope: Scope
}

/** A span that is recorded, as the API's specification wants it. Times are milliseconds since 1970 or as the caller gave them. */
export class RecordedSpan implements Span {
  name: string
  readonly kind: SpanKind
  readonly parentSpanContext: SpanContext | undefined
  readonly instrumentationScope: Scope
  readonly startedAt: number | HrTime
  endedAt: number | HrTime | undefined = undefined
  status: SpanStatus = unset
  readonly attributeList = new AttributeList()
  events: SpanEvent[] = none
  links: SpanLink[] = none
  droppedEventsCount = 0
  droppedLinksCount = 0;
  [spanHop]: Hop | undefined = undefined
  readonly #spanContext: SpanContext
  readonly #isStartGiven: boolean
  readonly #limits: SpanLimits
  readonly #sink: SpanSink

  constructor(start: SpanStart, limits: SpanLimits, sink: SpanSink) {
    this.name = start.name
    this.kind = start.kind
    this.parentSpanContext = start.parent
    this.instrumentationScope = start.scope
    this.startedAt = start.startTime === undefined ? nowMs() : momentOf(start.startTime)
    this.#spanContext = start.spanContext
    this.#isStartGiven = start.startTime !== undefined
    this.#limits = limits
    this.#sink = sink
  }

  spanContext(): SpanContext {
    return this.#spanContext
  }

  isRecording(): boolean {
    return this.endedAt === undefined
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.#isOpen()) this.attributeList.set(key, value, this.#limits.span)
    return this
  }

  /** Says what the agent must know of every span, whatever else there is. */
  setExemptAttribute(key: string, value: AttributeValue): void {
    if (this.#isOpen()) this.attributeList.setExempt(key, value)
  }

  setAttributes(attributes: Attributes): this {
    if (this.#isOpen()) this.attributeList.setAll(attributes, this.#limits.span)
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (!this.#isOpen()) return this
    if (this.#limits.eventsMax === 0) {
      this.droppedEventsCount += 1
      return this
    }
    if (this.events === none) this.events = []
    if (this.events.length >= this.#limits.eventsMax) {
      this.events.shift()
      this.droppedEventsCount += 1
    }
    const attributes = new AttributeList()
    const isTime = isTimeInput(attributesOrTime)
    if (!isTime) attributes.setAll(attributesOrTime, this.#limits.event)
    const at = time ?? (isTime ? attributesOrTime : undefined)
    this.events.push({ name: asText(name), time: at === undefined ? nowMs() : momentOf(at), attributes })
    return this
  }

  addLink(link: Link): this {
    if (!this.#isOpen() || !isLink(link)) return this
    if (this.#limits.linksMax === 0) {
      this.droppedLinksCount += 1
      return this
    }
    if (this.links === none) this.links = []
    if (this.links.length >= this.#limits.linksMax) {
      this.links.shift()
      this.droppedLinksCount += 1
    }
    const attributes = new AttributeList()
    attributes.setAll(link.attributes, this.#limits.link)
    attributes.dropped += countOf(link.droppedAttributesCount)
    this.links.push({ context: link.context, attributes })
    return this
  }

  addLinks(links: Link[]): this {
    if (Array.isArray(links)) for (const link of links) this.addLink(link)
    return this
  }

  /** OK is final, unset changes nothing, and only an error has a message. */
  setStatus(status: SpanStatus): this {
    if (!this.#isOpen() || this.status.code === SpanStatusCode.OK) return this
    const { code, message } = status ?? unset
    if (code === SpanStatusCode.ERROR) this.status = typeof message === 'string' ? { code, message } : { code }
    else if (code === SpanStatusCode.OK) this.status = { code }
    return this
  }

  updateName(name: string): this {
    if (this.#isOpen() && typeof name === 'string') this.name = name
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { code, name, message, stack } = describe(exception)
    const type = typeof code === 'number' ? String(code) : asText(code) || asText(name)
    if (type === '' && asText(message) === '') return
    const attributes: Attributes = {}
    if (type !== '') attributes['exception.type'] = type
    if (asText(message) !== '') attributes['exception.message'] = message
    if (asText(stack) !== '') attributes['exception.stacktrace'] = stack
    this.addEvent('exception', attributes, time)
  }

  end(endTime?: TimeInput): void {
    if (!this.#isOpen()) return
    this.#sink.ending(this)
    const at = endTime === undefined ? this.#now() : momentOf(endTime)
    this.endedAt = isBefore(at, this.startedAt) ? this.startedAt : at
    const dropped = this.attributeList.dropped + this.droppedEventsCount + this.droppedLinksCount
    if (dropped > 0) diag.warn(`The span "${this.name}" has no room for ${dropped} of its attributes, events and links`)
    this.#sink.ended(this)
  }

  // What follows is for instrumentations that look at the SDK's own span.

  get ended(): boolean {
    return this.endedAt !== undefined
  }

  get attributes(): Attributes {
    return this.attributeList.toObject()
  }

  get startTime(): HrTime {
    return hrTimeOf(this.startedAt)
  }

  get endTime(): HrTime {
    return hrTimeOf(this.endedAt ?? 0)
  }

  get droppedAttributesCount(): number {
    return this.attributeList.dropped
  }

  /** With a start of the caller's own choice, even time that went by says nothing. */
  #now(): number {
    return this.#isStartGiven ? Date.now() : nowMs()
  }

  #isOpen(): boolean {
    if (this.endedAt === undefined) return true
    diag.warn(`The span "${this.name}" (${this.#spanContext.spanId}) has ended and is not changed any more`)
    return false
  }
}

const unset: SpanStatus = { code: SpanStatusCode.UNSET }
/** Most spans have neither events nor links. */
const none: never[] = []

/** What an exception says about itself; anything can be thrown. */
function describe(exception: unknown): { code?: unknown; name?: unknown; message?: unknown; stack?: unknown } {
  if (typeof exception === 'string') return { message: exception }
  return typeof exception === 'object' && exception !== null ? exception : {}
}

function isLink(link: Link | undefined): link is Link {
  return typeof link?.context === 'object' && link.context !== null
}

/** OTLP counts with 32 bits. */
function countOf(count: unknown): number {
  return typeof count === 'number' && count > 0 ? Math.min(Math.floor(count), 0xffffffff) : 0
}

function hrTimeOf(moment: number | HrTime): HrTime {
  if (typeof moment === 'object') return moment
  const seconds = Math.floor(millisecondsOf(moment) / 1e3)
  return [seconds, Math.round((moment - seconds * 1e3) * 1e6)]
}
