// A message taken apart into its fields, to be changed and put together again. Only what the schema says is a message is
// taken apart; what does not read as one stays as bytes.

import protobuf from 'protobufjs'
import { messageType } from './schema.ts'

/** A field as it stands on the wire. */
export interface FieldNode {
  field: number
  wireType: number
  /** What follows the tag (and the length), where the field is not a message. */
  bytes: Uint8Array
  /** Of a field that is a message. */
  message: MessageNode | undefined
  /** Bytes more than needed for the tag and the length. */
  padding: number
}

export interface MessageNode {
  /** Its type in the schema, such as `trace.v1.Span`. */
  type: string
  fields: FieldNode[]
}

const packagePrefix = '.opentelemetry.proto.'

/** Takes a message apart. Throws when the bytes are none. */
export function takeApart(type: string, bytes: Uint8Array): MessageNode {
  const reader = new protobuf.Reader(bytes)
  const schema = messageType(type)
  const fields: FieldNode[] = []
  while (reader.pos < reader.len) {
    const tag = reader.tag()
    const [field, wireType] = [tag >>> 3, tag & 7]
    const start = reader.pos
    if (wireType === 2) {
      const content = reader.bytes()
      const inner = schema.fieldsById[field]?.resolvedType
      const name = inner instanceof protobuf.Type ? inner.fullName.slice(packagePrefix.length) : undefined
      const message = name === undefined ? undefined : takeApart(name, content)
      fields.push({ field, wireType, bytes: content, message, padding: 0 })
    } else {
      reader.skipType(wireType, 0, field)
      fields.push({ field, wireType, bytes: bytes.subarray(start, reader.pos), message: undefined, padding: 0 })
    }
  }
  return { type, fields }
}

/** Puts a message together. */
export function putTogether({ fields }: MessageNode): Buffer {
  return Buffer.concat(
    fields.flatMap(({ field, wireType, bytes, message, padding }) => {
      const content = message === undefined ? bytes : putTogether(message)
      const tag = varint(field * 8 + wireType, padding)
      return wireType === 2 ? [tag, varint(content.length, padding), content] : [tag, content]
    }),
  )
}

/** An integer in groups of seven bits, with zeros more at its end than needed. */
export function varint(value: number | bigint, padding = 0): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  for (let extra = 0; extra < padding; extra += 1) {
    bytes.push((bytes.pop() as number) | 128, 0)
  }
  return Buffer.from(bytes)
}

/** All messages of a tree, itself first. */
export function messagesOf(root: MessageNode): MessageNode[] {
  return [root, ...root.fields.flatMap(({ message }) => (message === undefined ? [] : messagesOf(message)))]
}
