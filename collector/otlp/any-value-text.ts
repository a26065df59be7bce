// The table's maps hold text, so each kind of value has one canonical text. Queries compare with it: it must not change.
//
//   string   as it is                          list, map   JSON without spaces, in their order, where
//   boolean  true, false                                   strings, booleans and integers are JSON's own,
//   integer  decimal, exact to 64 bits                     doubles too, but "NaN", "Infinity", "-Infinity",
//   double   shortest that reads back: 0.1, 1e+21, NaN     bytes are base64 text,
//   bytes    base64 with padding                           a value that was not set is null
//   not set  empty                                         of a key that comes twice, the last value
//
// Here is the general way; what nearly all attributes are, short texts and small integers, the attribute writer does itself.

import type { Redaction } from '../redaction/redaction.ts'
import type { Wire } from './wire.ts'

/** Lists and maps inside a value go this deep; protobuf's own limit of 100 messages allows 31. */
export const nestingMax = 24

/** Stands for what was nested deeper. */
export const nestedTooDeep = `[nested deeper than ${nestingMax}]`

/** Members of lists and maps that one value may have, all levels together: a small body can hold millions. */
export const membersMax = 10_000

/** Stands for those beyond. */
export const membersLeftOut = `[more than ${membersMax} members]`

/** Reads the AnyValue from `wire.at` to `end` as its text; `undefined` when a rule drops it. */
export function readAnyValueText(wire: Wire, end: number, redaction: Redaction): string | undefined {
  return textOf(readMember(wire, end), wire, { redaction, depth: 0, isNested: false, room: { members: membersMax } })
}

/** Which member a value is of, and where its content is. Of several the last one counts, as in every oneof. */
interface Member {
  field: number
  start: number
  end: number
}

const noMember: Member = { field: 0, start: 0, end: 0 }

function readMember(wire: Wire, end: number): Member {
  let member = noMember
  while (wire.at < end) {
    const tag = wire.tag(end)
    switch (tag) {
      case 0x0a:
      case 0x2a:
      case 0x32:
      case 0x3a: {
        const fieldEnd = wire.fieldEnd(end)
        member = { field: tag >>> 3, start: wire.at, end: fieldEnd }
        wire.at = fieldEnd
        break
      }
      case 0x10:
      case 0x18: {
        const start = wire.at
        wire.varint(end)
        member = { field: tag >>> 3, start, end: wire.at }
        break
      }
      case 0x21: {
        const start = wire.fixed(8, end)
        member = { field: 4, start, end: wire.at }
        break
      }
      default:
        wire.skip(tag, end)
    }
  }
  return member
}

interface Place {
  redaction: Redaction
  depth: number
  /** Within a list or map, where texts are JSON. */
  isNested: boolean
  /** Shared by all levels of a value. */
  room: { members: number }
}

function textOf({ field, start, end }: Member, wire: Wire, place: Place): string | undefined {
  const { redaction, depth, isNested } = place
  const { buffer } = wire
  switch (field) {
    case 1: {
      const text = redaction.ofText(buffer.toString('utf8', start, end))
      return isNested && text !== undefined ? JSON.stringify(text) : text
    }
    case 2:
      wire.at = start
      return wire.varint64(end) === 0n ? 'false' : 'true'
    case 3:
      wire.at = start
      return integerText(wire.varint64(end), place)
    case 4: {
      const double = wire.view.getFloat64(start, true)
      return isNested && !Number.isFinite(double) ? `"${double}"` : String(double)
    }
    case 5:
      return depth === nestingMax ? tooDeep(isNested) : listText(start, end, wire, place)
    case 6:
      return depth === nestingMax ? tooDeep(isNested) : mapText(start, end, wire, place)
    case 7: {
      const base64 = buffer.toString('base64', start, end)
      return isNested ? `"${base64}"` : base64
    }
    default:
      return isNested ? 'null' : ''
  }
}

/** A card's number may come as an integer; what is left of it is a text. */
function integerText(integer: bigint, { redaction, isNested }: Place): string | undefined {
  const text = String(integer)
  const kept = redaction.ofText(text)
  return isNested && kept !== undefined && kept !== text ? JSON.stringify(kept) : kept
}

function tooDeep(isNested: boolean): string {
  return isNested ? `"${nestedTooDeep}"` : nestedTooDeep
}

function listText(start: number, end: number, wire: Wire, { redaction, depth, room }: Place): string {
  const items: string[] = []
  wire.at = start
  while (wire.at < end) {
    const tag = wire.tag(end)
    if (tag !== 0x0a) {
      wire.skip(tag, end)
      continue
    }
    if (room.members === 0) {
      items.push(JSON.stringify(membersLeftOut))
      break
    }
    room.members -= 1
    const itemEnd = wire.fieldEnd(end)
    const text = textOf(readMember(wire, itemEnd), wire, { redaction, depth: depth + 1, isNested: true, room })
    if (text !== undefined) items.push(text)
    wire.at = itemEnd
  }
  return `[${items.join(',')}]`
}

function mapText(start: number, end: number, wire: Wire, { redaction, depth, room }: Place): string {
  const entries = new Map<string, string>()
  wire.at = start
  while (wire.at < end) {
    const tag = wire.tag(end)
    if (tag !== 0x0a) {
      wire.skip(tag, end)
      continue
    }
    if (room.members === 0) {
      entries.set(membersLeftOut, 'true')
      break
    }
    room.members -= 1
    const entryEnd = wire.fieldEnd(end)
    const { key, member } = readEntry(wire, entryEnd)
    const action = redaction.ofName(key)
    // The value of a secret is looked at only as far as the rule needs it.
    const text =
      action === 'drop'
        ? undefined
        : action === 'mask'
          ? JSON.stringify(redaction.masked)
          : textOf(member, wire, { redaction, depth: depth + 1, isNested: true, room })
    if (text === undefined) entries.delete(key)
    else entries.set(key, action === 'hash' ? JSON.stringify(redaction.hash(text)) : text)
    wire.at = entryEnd
  }
  return `{${Array.from(entries, ([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
}

function readEntry(wire: Wire, end: number): { key: string; member: Member } {
  let key = ''
  let [valueStart, valueEnd] = [end, end]
  while (wire.at < end) {
    const tag = wire.tag(end)
    if (tag === 0x0a) {
      const keyEnd = wire.fieldEnd(end)
      key = wire.buffer.toString('utf8', wire.at, keyEnd)
      wire.at = keyEnd
    } else if (tag === 0x12) {
      valueEnd = wire.fieldEnd(end)
      valueStart = wire.at
      wire.at = valueEnd
    } else wire.skip(tag, end)
  }
  wire.at = valueStart
  return { key, member: readMember(wire, valueEnd) }
}
