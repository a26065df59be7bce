// Changes real requests: fields are doubled, deleted, moved, made strange, and then bytes are changed blindly.

import type { KeptSignal } from '../json-to-protobuf.ts'
import type { Chance } from './chance.ts'
import { type FieldNode, type MessageNode, messagesOf, putTogether, takeApart, varint } from './message-tree.ts'

/** The messages that requests are. */
export const requestTypes = {
  traces: 'collector.trace.v1.ExportTraceServiceRequest',
  logs: 'collector.logs.v1.ExportLogsServiceRequest',
} as const

/** Small requests, each with a few records of a large one and what is around them, so that many mutants can be tried. */
export function piecesOf(
  signal: KeptSignal,
  body: Uint8Array,
  { pieces, recordsMax, chance }: { pieces: number; recordsMax: number; chance: Chance },
): Buffer[] {
  const request = takeApart(requestTypes[signal], body)
  const records = messagesOf(request).flatMap(({ fields }) => fields.filter(isRecord))
  return Array.from({ length: pieces }, () => {
    const kept = new Set(Array.from({ length: recordsMax }, () => chance.pick(records)))
    return putTogether(onlyWith(request, kept) ?? request)
  })
}

/** The message without the records that are not kept; undefined when nothing else was in it. */
function onlyWith({ type, fields }: MessageNode, kept: ReadonlySet<FieldNode>): MessageNode | undefined {
  let isLeft = false
  const left = fields.flatMap((field): FieldNode[] => {
    if (isRecord(field)) {
      isLeft ||= kept.has(field)
      return kept.has(field) ? [field] : []
    }
    if (field.message === undefined || !groupTypes.has(field.message.type)) return [field]
    const message = onlyWith(field.message, kept)
    isLeft ||= message !== undefined
    return message === undefined ? [] : [{ ...field, message }]
  })
  return isLeft ? { type, fields: left } : undefined
}

function isRecord({ message }: FieldNode): boolean {
  return message?.type === 'trace.v1.Span' || message?.type === 'logs.v1.LogRecord'
}

const groupTypes = new Set([
  'trace.v1.ResourceSpans',
  'trace.v1.ScopeSpans',
  'logs.v1.ResourceLogs',
  'logs.v1.ScopeLogs',
])

/** A request that was changed at a few places. `other` lends parts. */
export function mutate(signal: KeptSignal, body: Uint8Array, other: Uint8Array, chance: Chance): Buffer {
  const request = takeApart(requestTypes[signal], body)
  const lender = takeApart(requestTypes[signal], other)
  for (let changes = chance.below(5); changes > 0; changes -= 1) changeField(request, lender, chance)
  let bytes = putTogether(request)
  if (chance.oneIn(3)) for (let changes = 1 + chance.below(3); changes > 0; changes -= 1) bytes = mangle(bytes, chance)
  return bytes
}

function changeField(request: MessageNode, lender: MessageNode, chance: Chance): void {
  const messages = messagesOf(request).filter(({ fields }) => fields.length > 0)
  if (messages.length === 0) return
  const owner = chance.pick(messages)
  const { fields } = owner
  const at = chance.below(fields.length)
  const field = fields[at] as FieldNode
  const anywhere = (): number => chance.below(fields.length + 1)
  switch (chance.below(14)) {
    case 0:
      fields.splice(anywhere(), 0, structuredClone(field))
      return
    case 1:
      fields.splice(at, 1)
      return
    case 2: {
      const [moved] = fields.splice(at, 1)
      if (moved) chance.pick(messages).fields.push(moved)
      return
    }
    case 3:
      fields.sort(() => chance.below(3) - 1)
      return
    case 4:
      fields.splice(anywhere(), 0, unknownField(chance))
      return
    case 5:
      field.padding = chance.oneIn(4) ? chance.below(10) : chance.below(4)
      return
    case 6:
      field.wireType = chance.below(8)
      return
    case 7:
      field.field = chance.oneIn(2) ? chance.below(20) : 1 + chance.below(16)
      return
    case 8: {
      const lenders = messagesOf(lender).filter(({ type, fields: lent }) => type === owner.type && lent.length > 0)
      if (lenders.length > 0) fields.splice(anywhere(), 0, structuredClone(chance.pick(chance.pick(lenders).fields)))
      return
    }
    case 9: {
      const values = messages.filter(({ type }) => type === 'common.v1.AnyValue')
      if (values.length > 0) nest(chance.pick(values), 1 + chance.below(chance.oneIn(3) ? 40 : 3), chance)
      return
    }
    default:
      changeContent(field, chance)
  }
}

/** Puts a value into lists and maps of itself. */
function nest(value: MessageNode, depth: number, chance: Chance): void {
  for (let level = 0; level < depth; level += 1) {
    const inner: MessageNode = { type: value.type, fields: value.fields }
    const isList = chance.oneIn(2)
    const entry = isList
      ? inner
      : { type: 'common.v1.KeyValue', fields: [text(1, chance.pick(['a', '', 'b"'])), holding(2, inner)] }
    const list = { type: isList ? 'common.v1.ArrayValue' : 'common.v1.KeyValueList', fields: [holding(1, entry)] }
    value.fields = [holding(isList ? 5 : 6, list)]
  }
}

function holding(field: number, message: MessageNode): FieldNode {
  return { field, wireType: 2, bytes: Buffer.alloc(0), message, padding: 0 }
}

function text(field: number, content: string | Uint8Array): FieldNode {
  return { field, wireType: 2, bytes: Buffer.from(content), message: undefined, padding: 0 }
}

/** A field that no message has, a group of such fields perhaps. */
export function unknownField(chance: Chance): FieldNode {
  const field = chance.pick([19, 100, 1_000, 70_000, (1 << 29) - 1])
  const scalar = (wireType: number, bytes: Uint8Array): FieldNode => ({
    field,
    wireType,
    bytes,
    message: undefined,
    padding: 0,
  })
  switch (chance.below(5)) {
    case 0:
      return scalar(0, varint(chance.below(1 << 30), chance.below(4)))
    case 1:
      return scalar(1, chance.bytes(8))
    case 2:
      return scalar(5, chance.bytes(4))
    case 3: {
      // A group: fields, groups in it, and its end.
      const inner = Array.from({ length: chance.below(4) }, () => unknownField(chance))
      const content = putTogether({ type: '', fields: inner })
      return scalar(3, Buffer.concat([content, varint(field * 8 + 4)]))
    }
    default:
      return scalar(2, chance.bytes(chance.below(30)))
  }
}

const extremes = [0n, 1n, 127n, 128n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, -1n]
const texts: readonly (string | Uint8Array)[] = [
  '',
  'x',
  '\u0000',
  'ż'.repeat(70),
  'x'.repeat(300),
  '🚀',
  'a'.repeat(127),
  'a'.repeat(128),
  Buffer.of(0xff),
  Buffer.from('cut \u{1f680}').subarray(0, 6),
  Buffer.from('edb0800a', 'hex'),
  `ot=th:${'c'.repeat(14)}`,
  `ot=th:8,${'v'.repeat(150)}=1`,
  'service.name',
  'deployment.environment',
  'flow.id',
  'flow.name',
  'user.id',
  'peer.service',
  'net.peer.name',
  'server.address',
  'server.port',
  '0'.repeat(32),
  'abcdef0123456789'.repeat(2),
  'password=secret',
  '4111 1111 1111 1111',
]

function changeContent(field: FieldNode, chance: Chance): void {
  field.message = undefined
  switch (field.wireType) {
    case 0: {
      const value = varint(chance.oneIn(4) ? chance.below(300) : chance.pick(extremes))
      // Of an integer that is padded all ten bytes may be used.
      field.bytes = chance.oneIn(3) && value.length < 10 ? padded(value, chance.below(11 - value.length)) : value
      return
    }
    case 1:
      field.bytes = Buffer.alloc(8)
      ;(field.bytes as Buffer).writeBigUInt64LE(BigInt.asUintN(64, chance.pick(extremes)))
      return
    case 5:
      field.bytes = chance.bytes(4)
      return
    default: {
      const length = field.bytes.length
      field.bytes = chance.oneIn(2)
        ? Buffer.from(chance.pick(texts))
        : chance.oneIn(2)
          ? chance.bytes(Math.max(0, Math.min(length, 40) + chance.below(3) - 1))
          : Buffer.alloc(Math.min(length, 40))
    }
  }
}

function padded(value: Buffer, padding: number): Buffer {
  if (padding === 0) return value
  const bytes = Buffer.concat([value, Buffer.alloc(padding, 0x80)])
  bytes[value.length - 1] = (value.at(-1) as number) | 0x80
  bytes[bytes.length - 1] = 0
  return bytes
}

/** Changes bytes without knowing what they are. */
export function mangle(bytes: Buffer, chance: Chance): Buffer {
  const length = bytes.length
  if (length === 0) return chance.bytes(chance.below(4))
  const at = chance.below(length)
  const changed = Buffer.from(bytes)
  switch (chance.below(7)) {
    case 0:
    case 1:
      changed[at] = (changed[at] as number) ^ (1 << chance.below(8))
      return changed
    case 2:
      changed[at] = chance.pick([0, 1, 127, 128, 255, chance.below(256)])
      return changed
    case 3:
      return changed.subarray(0, at)
    case 4:
      return Buffer.concat([changed.subarray(0, at), changed.subarray(Math.min(length, at + 1 + chance.below(16)))])
    case 5:
      return Buffer.concat([changed.subarray(0, at), chance.bytes(1 + chance.below(8)), changed.subarray(at)])
    default: {
      const from = chance.below(length)
      const piece = changed.subarray(from, from + chance.below(64))
      return Buffer.concat([changed.subarray(0, at), piece, changed.subarray(at)])
    }
  }
}
