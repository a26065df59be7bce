// One pass over an ExportTraceServiceRequest that writes the columns of `otel_traces` as it reads: no object per span.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto

import { ByteColumn, type SpanBlock } from '@headwater/store'
import type { Redaction } from '../redaction/redaction.ts'
import type { Shedder, SpanInHand } from '../sampling/shedder.ts'
import { type AcceptedWindow, isoText } from './accepted-window.ts'
import { AttributeWriter } from './attribute-writer.ts'
import { Names } from './names.ts'
import { flowIdLength, isFlowId, writeOtherFlow } from './flow-id.ts'
import { Places } from './places.ts'
import { idText, isId, isZero, writeHex } from './record-parts.ts'
import { RecordGroups } from './record-groups.ts'
import { type RejectionReason, Rejections } from './rejections.ts'
import { samplingWeight } from './sampling-weight.ts'
import type { Walked, WalkLimits } from './walk.ts'
import { Wire } from './wire.ts'

/** Attributes whose values are columns of their own, too. */
const noted = [
  'flow.id',
  'flow.name',
  'user.id',
  'enduser.id',
  'service.peer.name',
  'peer.service',
  'server.address',
  'server.port',
  'net.peer.name',
  'net.peer.port',
] as const
const at = {
  flowId: 0,
  flowName: 1,
  userId: 2,
  enduserId: 3,
  peerName: 4,
  peerService: 5,
  serverAddress: 6,
  serverPort: 7,
  netPeerName: 8,
  netPeerPort: 9,
} as const

const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer']
const statuses = ['Unset', 'Ok', 'Error']
/** Of a status. */
const errorCode = 2
/** What is longer names nothing. */
const nameBytesMax = 4_096
const colon = ':'.charCodeAt(0)
const timesMax = { high: 0x7fff_ffff }

/** Writes requests into a block. One for each block, for the life of the process. */
export class SpanWalker {
  readonly #block: SpanBlock
  readonly #groups: RecordGroups
  readonly #shedder: Shedder | undefined
  readonly #inHand: SpanInHand = {
    service: 0,
    operation: 0,
    kind: 0,
    isError: false,
    durationNs: 0,
    endMs: 0,
    weight: 1,
  }
  readonly #writer: AttributeWriter
  readonly #names: Names
  #wire = new Wire(new Uint8Array(0))
  #window: AcceptedWindow = { fromNs: 0n, toNs: 0n }
  #fromHigh = 0
  #toHigh = 0
  #rejections = new Rejections()
  #lastState = Buffer.alloc(0)
  #lastWeight = 1
  #kindNumbers: number[] = []
  #statusNumbers: number[] = []

  readonly #attributes = new Places()
  readonly #events = new Places()
  readonly #links = new Places()
  readonly #inner = new Places()
  readonly #address = new ByteColumn()

  readonly #readSpan = (end: number): void => this.#span(end)

  /** With a shedder, not every good span becomes a row. */
  constructor(block: SpanBlock, redaction: Redaction, limits: WalkLimits, shedder?: Shedder) {
    this.#shedder = shedder
    this.#block = block
    const { keys, names } = block.texts
    this.#writer = new AttributeWriter(keys, redaction, this.#wire, noted)
    this.#names = new Names(names, redaction)
    this.#groups = new RecordGroups(block, { names: this.#names, redaction, limits, what: 'spans' })
    this.#renumber()
  }

  /**
   * Adds the spans of a request to the block. Throws `WireError` for bytes that are no request and `TooLarge` for one that
   * asks for too much; the block is then as it was before.
   */
  walk(body: Uint8Array, window: AcceptedWindow, nowMs = Date.now()): Walked {
    const wire = new Wire(body)
    this.#wire = wire
    this.#window = window
    this.#fromHigh = Number(window.fromNs >> 32n)
    this.#toHigh = Number(window.toNs >> 32n)
    this.#rejections = new Rejections()
    this.#writer.begin(wire)
    if (!this.#names.begin()) this.#renumber()
    const mark = this.#block.block.mark()
    try {
      this.#shedder?.begin(this.#block.texts.names, nowMs)
      const { records, bytes } = this.#groups.walk(wire, this.#readSpan)
      return { records, bytes, rejections: this.#rejections, shed: this.#shedder?.commit() ?? {} }
    } catch (error) {
      this.#block.block.rollBack(mark)
      this.#shedder?.rollBack()
      // Names are forgotten when a block is sealed: bad requests alone must not pile them up.
      if (this.#block.block.rows === 0) this.#block.seal()
      throw error
    }
  }

  /** Names have other numbers now. */
  #renumber(): void {
    this.#groups.renumber()
    this.#kindNumbers = kinds.map((kind) => this.#names.ofText(kind))
    this.#statusNumbers = statuses.map((status) => this.#names.ofText(status))
  }

  #span(end: number): void {
    const wire = this.#wire
    const { bytes, view } = wire
    let traceStart = 0
    let traceEnd = 0
    let idStart = 0
    let idEnd = 0
    let parentStart = 0
    let parentEnd = 0
    let stateStart = 0
    let stateEnd = 0
    let nameStart = 0
    let nameEnd = 0
    let messageStart = 0
    let messageEnd = 0
    let startAt = 0
    let endAt = 0
    let kind = 0
    let code = 0
    let flags = 0
    let droppedAttributes = 0
    let droppedEvents = 0
    let droppedLinks = 0
    const attributes = this.#attributes
    const events = this.#events
    const links = this.#links
    attributes.clear()
    events.clear()
    links.clear()
    while (wire.at < end) {
      // Tags of one byte, which nearly all are, read as they stand.
      let tag = bytes[wire.at] as number
      if (tag < 128) wire.at += 1
      else tag = wire.tag(end)
      switch (tag) {
        case 0x0a:
          traceEnd = wire.fieldEnd(end)
          traceStart = wire.at
          wire.at = traceEnd
          break
        case 0x12:
          idEnd = wire.fieldEnd(end)
          idStart = wire.at
          wire.at = idEnd
          break
        case 0x1a:
          stateEnd = wire.fieldEnd(end)
          stateStart = wire.at
          wire.at = stateEnd
          break
        case 0x22:
          parentEnd = wire.fieldEnd(end)
          parentStart = wire.at
          wire.at = parentEnd
          break
        case 0x2a:
          nameEnd = wire.fieldEnd(end)
          nameStart = wire.at
          wire.at = nameEnd
          break
        case 0x30:
          kind = wire.varint(end)
          break
        case 0x39:
          startAt = wire.fixed(8, end)
          break
        case 0x41:
          endAt = wire.fixed(8, end)
          break
        case 0x4a: {
          const fieldEnd = wire.fieldEnd(end)
          attributes.add(wire.at, fieldEnd)
          wire.at = fieldEnd
          break
        }
        case 0x50:
          droppedAttributes = wire.varint(end)
          break
        case 0x5a: {
          const fieldEnd = wire.fieldEnd(end)
          events.add(wire.at, fieldEnd)
          wire.at = fieldEnd
          break
        }
        case 0x60:
          droppedEvents = wire.varint(end)
          break
        case 0x6a: {
          const fieldEnd = wire.fieldEnd(end)
          links.add(wire.at, fieldEnd)
          wire.at = fieldEnd
          break
        }
        case 0x70:
          droppedLinks = wire.varint(end)
          break
        case 0x7a: {
          const statusEnd = wire.fieldEnd(end)
          while (wire.at < statusEnd) {
            const inner = wire.tag(statusEnd)
            if (inner === 0x12) {
              messageEnd = wire.fieldEnd(statusEnd)
              messageStart = wire.at
              wire.at = messageEnd
            } else if (inner === 0x18) code = wire.varint(statusEnd)
            else wire.skip(inner, statusEnd)
          }
          break
        }
        case 0x85:
          flags = view.getInt32(wire.fixed(4, end), true)
          break
        default:
          wire.skip(tag, end)
      }
    }

    // Nothing here may be a closure: what it captures would be an object for each span.
    if (!isId(bytes, traceStart, traceEnd, 16)) {
      this.#rejectId('trace_id', 'must be 16 bytes that are not all zero', traceStart, traceEnd)
      return
    }
    if (!isId(bytes, idStart, idEnd, 8)) {
      this.#rejectId('span_id', 'must be 8 bytes that are not all zero', idStart, idEnd)
      return
    }
    const hasParent = !isZero(bytes, parentStart, parentEnd)
    if (hasParent && parentEnd - parentStart !== 8) {
      this.#rejectId('parent_span_id', 'must be 8 bytes or empty', parentStart, parentEnd)
      return
    }
    if (!this.#areTimesGood(startAt, endAt)) return
    if (events.count > 0 && !this.#haveEventsTimes()) return
    // As signed numbers: larger ones would be objects.
    const startLow = view.getInt32(startAt, true)
    const startHigh = view.getInt32(startAt + 4, true)
    const endLow = view.getInt32(endAt, true)
    const endHigh = view.getInt32(endAt + 4, true)

    const block = this.#block
    const weight = stateStart === stateEnd ? 1 : this.#weight(stateStart, stateEnd)
    writeHex(block.traceId, bytes, traceStart, traceEnd)
    const entriesBefore = block.spanAttributes.keys.length
    const bytesBefore = block.spanAttributes.values.length
    this.#writer.writeRow(block.spanAttributes, attributes)
    const operation = this.#names.ofWire(wire, nameStart, nameEnd)
    const durationLow = (endLow - startLow) | 0
    const durationHigh = (endHigh - startHigh - (endLow >>> 0 < startLow >>> 0 ? 1 : 0)) | 0
    const shedder = this.#shedder
    if (shedder === undefined) {
      block.weight.addDouble(weight)
      block.partial.u8(0)
    } else {
      const span = this.#inHand
      span.service = this.#groups.service
      span.operation = operation
      span.kind = kind < kinds.length ? kind : 0
      span.isError = code === errorCode
      span.durationNs = (durationHigh >>> 0) * 0x1_0000_0000 + (durationLow >>> 0)
      span.endMs = ((endHigh >>> 0) * 0x1_0000_0000 + (endLow >>> 0)) / 1e6
      span.weight = weight
      if (!this.#isKept(shedder, entriesBefore, bytesBefore)) return
      block.weight.addDouble(shedder.weight)
      block.partial.u8(shedder.isPartial ? 1 : 0)
    }
    block.timestamp.add(startLow)
    block.timestamp.add(startHigh)
    writeHex(block.spanId, bytes, idStart, idEnd)
    writeHex(block.parentSpanId, bytes, parentStart, hasParent ? parentEnd : parentStart)
    this.#text(block.traceState, stateStart, stateEnd)
    block.spanName.add(operation)
    block.spanKind.add(this.#kindNumbers[kind < kinds.length ? kind : 0] as number)
    block.statusCode.add(this.#statusNumbers[code < statuses.length ? code : 0] as number)
    this.#text(block.statusMessage, messageStart, messageEnd)
    block.duration.add(durationLow)
    block.duration.add(durationHigh)
    block.flags.add(flags)
    block.droppedAttributes.add(atMost32Bits(droppedAttributes + attributes.dropped))
    block.droppedEvents.add(atMost32Bits(droppedEvents + events.dropped))
    this.#notedColumns()
    this.#groups.addRow()

    for (let index = 0; index < events.count; index += 1) {
      this.#event(events.starts[index] as number, events.ends[index] as number)
    }
    block.events.add(block.eventName.length)
    let lost = 0
    for (let index = 0; index < links.count; index += 1) {
      // A link to nothing is none; it counts as dropped.
      if (!this.#link(links.starts[index] as number, links.ends[index] as number)) lost += 1
    }
    block.droppedLinks.add(atMost32Bits(droppedLinks + links.dropped + lost))
    block.links.add(block.linkAttributes.offsets.length)
    block.block.rows += 1
  }

  #rejectId(reason: RejectionReason, requirement: string, start: number, end: number): void {
    this.#rejections.add(reason, () => `${reason} ${idText(this.#wire.bytes, start, end)} ${requirement}`)
  }

  /** Whether the span begins, ends after that, and lies in the window; rejects it otherwise. */
  #areTimesGood(startAt: number, endAt: number): boolean {
    if (startAt !== 0 && endAt !== 0) {
      const { view } = this.#wire
      const startHigh = view.getUint32(startAt + 4, true)
      const endHigh = view.getUint32(endAt + 4, true)
      // Who is not within four seconds of an edge is in by the high halves alone.
      const isInOrder =
        endHigh > startHigh || (endHigh === startHigh && view.getUint32(endAt, true) >= view.getUint32(startAt, true))
      if (isInOrder && startHigh > this.#fromHigh && endHigh < this.#toHigh) return true
    }
    return this.#areTimesExactlyGood(this.#timeAt(startAt), this.#timeAt(endAt))
  }

  #areTimesExactlyGood(start: bigint, end: bigint): boolean {
    const rejections = this.#rejections
    const { fromNs, toNs } = this.#window
    if (start === 0n) {
      rejections.add('start_time', () => 'start_time_unix_nano is 0')
      return false
    }
    if (end < start) {
      rejections.add('end_time', () => `end_time_unix_nano ${end} is before start_time_unix_nano ${start}`)
      return false
    }
    if (start < fromNs) {
      const text = (): string =>
        `start_time_unix_nano ${start} is before ${isoText(fromNs)}, from when on spans are kept`
      rejections.add('outside_window', text)
      return false
    }
    if (end > toNs) {
      const [field, time] = start > toNs ? ['start_time_unix_nano', start] : ['end_time_unix_nano', end]
      rejections.add('outside_window', () => `${field} ${time} is after ${isoText(toNs)}, a day from now`)
      return false
    }
    return true
  }

  #timeAt(place: number): bigint {
    return place === 0 ? 0n : this.#wire.view.getBigUint64(place, true)
  }

  /** Whether all events happened before 2262, when a DateTime64(9) ends. */
  #haveEventsTimes(): boolean {
    const wire = this.#wire
    const { count, starts, ends } = this.#events
    for (let index = 0; index < count; index += 1) {
      const end = ends[index] as number
      wire.at = starts[index] as number
      let time = 0
      while (wire.at < end) {
        const tag = wire.tag(end)
        if (tag === 0x09) time = wire.fixed(8, end)
        else wire.skip(tag, end)
      }
      if (time === 0) continue
      const high = wire.view.getUint32(time + 4, true)
      if (high <= timesMax.high) continue
      const low = wire.view.getUint32(time, true)
      this.#rejections.add(
        'event_time',
        () => `events.time_unix_nano ${ns(high, low)} is beyond ${ns(timesMax.high, 0xffff_ffff)}`,
      )
      return false
    }
    return true
  }

  #text(column: ByteColumn, start: number, end: number): void {
    if (start === end) column.u8(0)
    else this.#writer.writeText(column, start, end)
  }

  /** The weight that the tracestate tells. Spans of one service share their tracestates. */
  #weight(start: number, end: number): number {
    const { buffer } = this.#wire
    const known = this.#lastState
    if (known.length !== end - start || known.compare(buffer, start, end) !== 0) {
      this.#lastState = Buffer.from(buffer.subarray(start, end))
      this.#lastWeight = samplingWeight(this.#lastState.toString('latin1'))
    }
    return this.#lastWeight
  }

  /** Asks whether the span in hand is kept; takes back what was written of it if not. */
  #isKept(shedder: Shedder, entriesBefore: number, bytesBefore: number): boolean {
    const { traceId, spanAttributes } = this.#block
    const start = this.#writer.noted.starts[at.flowId] as number
    const end = this.#writer.noted.ends[at.flowId] as number
    const { bytes } = spanAttributes.values
    const isStated = end !== 0 && isFlowId(bytes, start, end)
    const isKept = isStated
      ? shedder.decide(bytes, start, this.#inHand)
      : shedder.decide(traceId.bytes, traceId.length - flowIdLength, this.#inHand)
    if (isKept) return true
    traceId.length -= flowIdLength + 1
    spanAttributes.offsets.length -= 1
    spanAttributes.keys.length = entriesBefore
    spanAttributes.values.length = bytesBefore
    return false
  }

  /** Fills the columns that repeat what attributes of the span say. */
  #notedColumns(): void {
    const block = this.#block
    const { values } = block.spanAttributes
    const { starts, ends } = this.#writer.noted
    writeOtherFlow(
      block.otherFlowId,
      block.traceId,
      values.bytes,
      starts[at.flowId] as number,
      ends[at.flowId] as number,
    )
    block.flowName.add(this.#noted(at.flowName))
    const user = this.#isNoted(at.userId) ? at.userId : at.enduserId
    const [userStart, userEnd] = [starts[user] as number, ends[user] as number]
    if (userEnd === 0) block.userId.u8(0)
    else {
      block.userId.varint(userEnd - userStart)
      block.userId.copy(values.bytes, userStart, userEnd)
    }
    block.peerService.add(this.#noted(this.#isNoted(at.peerName) ? at.peerName : at.peerService))
    const isNew = this.#isNoted(at.serverAddress)
    block.peerAddress.add(
      this.#addressOf(isNew ? at.serverAddress : at.netPeerName, isNew ? at.serverPort : at.netPeerPort),
    )
  }

  /** Whether the attribute came with a text that can be a name. */
  #isNoted(place: number): boolean {
    const { starts, ends } = this.#writer.noted
    const length = (ends[place] as number) - (starts[place] as number)
    return ends[place] !== 0 && length > 0 && length <= nameBytesMax
  }

  #noted(place: number): number {
    if (!this.#isNoted(place)) return this.#names.empty
    const { starts, ends } = this.#writer.noted
    return this.#names.ofColumn(this.#block.spanAttributes.values, starts[place] as number, ends[place] as number)
  }

  #addressOf(addressPlace: number, portPlace: number): number {
    if (!this.#isNoted(addressPlace)) return this.#names.empty
    if (!this.#isNoted(portPlace)) return this.#noted(addressPlace)
    const { starts, ends } = this.#writer.noted
    const { bytes } = this.#block.spanAttributes.values
    const address = this.#address
    address.length = 0
    address.copy(bytes, starts[addressPlace] as number, ends[addressPlace] as number)
    address.u8(colon)
    address.copy(bytes, starts[portPlace] as number, ends[portPlace] as number)
    return this.#names.ofColumn(address, 0, address.length)
  }

  #event(start: number, end: number): void {
    const wire = this.#wire
    const block = this.#block
    const attributes = this.#inner
    attributes.clear()
    let [time, nameStart, nameEnd, dropped] = [0, 0, 0, 0]
    wire.at = start
    while (wire.at < end) {
      const tag = wire.tag(end)
      switch (tag) {
        case 0x09:
          time = wire.fixed(8, end)
          break
        case 0x12:
          nameEnd = wire.fieldEnd(end)
          nameStart = wire.at
          wire.at = nameEnd
          break
        case 0x1a: {
          const fieldEnd = wire.fieldEnd(end)
          attributes.add(wire.at, fieldEnd)
          wire.at = fieldEnd
          break
        }
        case 0x20:
          dropped = wire.varint(end)
          break
        default:
          wire.skip(tag, end)
      }
    }
    block.eventTimestamp.add(time === 0 ? 0 : wire.view.getUint32(time, true))
    block.eventTimestamp.add(time === 0 ? 0 : wire.view.getUint32(time + 4, true))
    block.eventName.add(this.#names.ofWire(wire, nameStart, nameEnd))
    this.#writer.writeFreeRow(block.eventAttributes, attributes)
    block.eventDroppedAttributes.add(atMost32Bits(dropped + attributes.dropped))
  }

  #link(start: number, end: number): boolean {
    const wire = this.#wire
    const { bytes, view } = wire
    const block = this.#block
    const attributes = this.#inner
    attributes.clear()
    let [traceStart, traceEnd, idStart, idEnd, stateStart, stateEnd, dropped, flags] = [0, 0, 0, 0, 0, 0, 0, 0]
    wire.at = start
    while (wire.at < end) {
      const tag = wire.tag(end)
      switch (tag) {
        case 0x0a:
          traceEnd = wire.fieldEnd(end)
          traceStart = wire.at
          wire.at = traceEnd
          break
        case 0x12:
          idEnd = wire.fieldEnd(end)
          idStart = wire.at
          wire.at = idEnd
          break
        case 0x1a:
          stateEnd = wire.fieldEnd(end)
          stateStart = wire.at
          wire.at = stateEnd
          break
        case 0x22: {
          const fieldEnd = wire.fieldEnd(end)
          attributes.add(wire.at, fieldEnd)
          wire.at = fieldEnd
          break
        }
        case 0x28:
          dropped = wire.varint(end)
          break
        case 0x35:
          flags = view.getInt32(wire.fixed(4, end), true)
          break
        default:
          wire.skip(tag, end)
      }
    }
    if (!isId(bytes, traceStart, traceEnd, 16) || !isId(bytes, idStart, idEnd, 8)) return false
    writeHex(block.linkTraceId, bytes, traceStart, traceEnd)
    writeHex(block.linkSpanId, bytes, idStart, idEnd)
    this.#text(block.linkTraceState, stateStart, stateEnd)
    this.#writer.writeRow(block.linkAttributes, attributes)
    block.linkDroppedAttributes.add(atMost32Bits(dropped + attributes.dropped))
    block.linkFlags.add(flags)
    return true
  }
}

function ns(high: number, low: number): bigint {
  return BigInt(high) * 0x1_0000_0000n + BigInt(low)
}

function atMost32Bits(count: number): number {
  return Math.min(count, 0xffff_ffff)
}
