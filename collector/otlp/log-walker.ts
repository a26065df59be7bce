// One pass over an ExportLogsServiceRequest that writes the columns of `otel_logs` as it reads: no object per record.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto

import type { ByteColumn, LogBlock } from '@headwater/store'
import type { Redaction } from '../redaction/redaction.ts'
import { type AcceptedWindow, isoText } from './accepted-window.ts'
import { readAnyValueText } from './any-value-text.ts'
import { AttributeWriter } from './attribute-writer.ts'
import { writeOtherFlow } from './flow-id.ts'
import { Names } from './names.ts'
import { Places } from './places.ts'
import { RecordGroups } from './record-groups.ts'
import { isId, writeHex } from './record-parts.ts'
import { Rejections } from './rejections.ts'
import type { Walked, WalkLimits } from './walk.ts'
import { Wire } from './wire.ts'

/** The attribute whose value is a column of its own, too. */
const noted = ['flow.id']

/** Severities are 1 to 24; others are kept as they are while they fit. */
const severityMax = 255

/** A DateTime64(9) ends in 2262. */
const timeHighMax = 0x7fff_ffff

/** Writes requests into a block. One for each block, for the life of the process. */
export class LogWalker {
  readonly #block: LogBlock
  readonly #redaction: Redaction
  readonly #groups: RecordGroups
  readonly #writer: AttributeWriter
  readonly #names: Names
  #wire = new Wire(new Uint8Array(0))
  #window: AcceptedWindow = { fromNs: 0n, toNs: 0n }
  #nowNs = 0n
  #rejections = new Rejections()
  readonly #attributes = new Places()
  readonly #readRecord = (end: number): void => this.#record(end)

  constructor(block: LogBlock, redaction: Redaction, limits: WalkLimits) {
    this.#block = block
    this.#redaction = redaction
    const { keys, names } = block.texts
    this.#names = new Names(names, redaction)
    this.#groups = new RecordGroups(block, { names: this.#names, redaction, limits, what: 'log records' })
    this.#writer = new AttributeWriter(keys, redaction, this.#wire, noted)
  }

  /**
   * Adds the log records of a request to the block; those that bear no time happened now. Throws `WireError` for bytes that
   * are no request and `TooLarge` for one that asks for too much; the block is then as it was before.
   */
  walk(body: Uint8Array, window: AcceptedWindow, nowNs: bigint): Walked {
    const wire = new Wire(body)
    this.#wire = wire
    this.#window = window
    this.#nowNs = nowNs
    this.#rejections = new Rejections()
    this.#writer.begin(wire)
    if (!this.#names.begin()) this.#groups.renumber()
    const mark = this.#block.block.mark()
    try {
      const { records, bytes } = this.#groups.walk(wire, this.#readRecord)
      return { records, bytes, rejections: this.#rejections, shed: {} }
    } catch (error) {
      this.#block.block.rollBack(mark)
      // Names are forgotten when a block is sealed: bad requests alone must not pile them up.
      if (this.#block.block.rows === 0) this.#block.seal()
      throw error
    }
  }

  #record(end: number): void {
    const wire = this.#wire
    const { bytes, view } = wire
    let [timeAt, observedAt, severity, flags, droppedAttributes] = [0, 0, 0, 0, 0]
    let [severityStart, severityEnd, bodyStart, bodyEnd, eventStart, eventEnd] = [0, 0, 0, 0, 0, 0]
    let [traceStart, traceEnd, spanStart, spanEnd] = [0, 0, 0, 0]
    const attributes = this.#attributes
    attributes.clear()
    while (wire.at < end) {
      const tag = wire.tag(end)
      switch (tag) {
        case 0x09:
          timeAt = wire.fixed(8, end)
          break
        case 0x10:
          severity = wire.varint(end)
          break
        case 0x1a:
          severityEnd = wire.fieldEnd(end)
          severityStart = wire.at
          wire.at = severityEnd
          break
        case 0x2a:
          bodyEnd = wire.fieldEnd(end)
          bodyStart = wire.at
          wire.at = bodyEnd
          break
        case 0x32: {
          const fieldEnd = wire.fieldEnd(end)
          attributes.add(wire.at, fieldEnd)
          wire.at = fieldEnd
          break
        }
        case 0x38:
          droppedAttributes = wire.varint(end)
          break
        case 0x45:
          flags = view.getUint32(wire.fixed(4, end), true)
          break
        case 0x4a:
          traceEnd = wire.fieldEnd(end)
          traceStart = wire.at
          wire.at = traceEnd
          break
        case 0x52:
          spanEnd = wire.fieldEnd(end)
          spanStart = wire.at
          wire.at = spanEnd
          break
        case 0x59:
          observedAt = wire.fixed(8, end)
          break
        case 0x62:
          eventEnd = wire.fieldEnd(end)
          eventStart = wire.at
          wire.at = eventEnd
          break
        default:
          wire.skip(tag, end)
      }
    }

    const observedNs = observedAt === 0 ? 0n : view.getBigUint64(observedAt, true)
    const sentNs = timeAt === 0 ? 0n : view.getBigUint64(timeAt, true)
    const timeNs = sentNs || observedNs || this.#nowNs
    if (!this.#isInWindow(sentNs === 0n ? 'observed_time_unix_nano' : 'time_unix_nano', timeNs)) return
    if (observedNs >> 32n > timeHighMax) {
      const text = (): string => `observed_time_unix_nano ${observedNs} is beyond ${(1n << 63n) - 1n}`
      this.#rejections.add('log_time', text)
      return
    }

    const block = this.#block
    addTime(block.timestamp, timeNs)
    addTime(block.observedTimestamp, observedNs)
    // Of an identity that is none the protocol says that the record belongs to nothing, not that it is bad.
    writeHex(block.traceId, bytes, traceStart, isId(bytes, traceStart, traceEnd, 16) ? traceEnd : traceStart)
    writeHex(block.spanId, bytes, spanStart, isId(bytes, spanStart, spanEnd, 8) ? spanEnd : spanStart)
    block.traceFlags.u8(flags & 255)
    block.flags.add(flags)
    block.severityText.add(this.#names.ofWire(wire, severityStart, severityEnd))
    block.severityNumber.u8(severity > severityMax ? 0 : severity)
    this.#body(bodyStart, bodyEnd)
    this.#text(block.eventName, eventStart, eventEnd)
    block.droppedAttributes.add(Math.min(droppedAttributes + attributes.dropped, 0xffff_ffff))
    this.#writer.writeFreeRow(block.logAttributes, attributes)
    const { starts, ends } = this.#writer.noted
    writeOtherFlow(
      block.otherFlowId,
      block.traceId,
      block.logAttributes.values.bytes,
      starts[0] as number,
      ends[0] as number,
    )
    this.#groups.addRow()
    block.block.rows += 1
  }

  #isInWindow(field: string, timeNs: bigint): boolean {
    const { fromNs, toNs } = this.#window
    if (timeNs < fromNs) {
      const text = (): string => `${field} ${timeNs} is before ${isoText(fromNs)}, from when on log records are kept`
      this.#rejections.add('outside_window', text)
      return false
    }
    if (timeNs > toNs) {
      this.#rejections.add('outside_window', () => `${field} ${timeNs} is after ${isoText(toNs)}, a day from now`)
      return false
    }
    return true
  }

  /** Bodies are mostly texts, which are copied as attributes are; others are written as their text. */
  #body(start: number, end: number): void {
    const wire = this.#wire
    const { body } = this.#block
    wire.at = start
    if (end - start > 1 && wire.bytes[start] === 0x0a) {
      wire.at = start + 1
      if (wire.fieldEnd(end) === end) return this.#text(body, wire.at, end)
      wire.at = start
    }
    body.text(readAnyValueText(wire, end, this.#redaction) ?? '')
  }

  #text(column: ByteColumn, start: number, end: number): void {
    if (start === end) column.u8(0)
    else this.#writer.writeText(column, start, end)
  }
}

function addTime(column: LogBlock['timestamp'], ns: bigint): void {
  column.add(Number(ns & 0xffff_ffffn))
  column.add(Number(ns >> 32n))
}
