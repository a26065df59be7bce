import { cutText } from '../trace/as-text.ts'
import type { AttributeList } from '../trace/attribute-list.ts'
import { KnownAttributes } from './known-attributes.ts'
import { ProtobufWriter } from './protobuf.ts'

/** Fields of `AnyValue` and `KeyValue`. */
const any = { text: 1, bool: 2, int: 3, double: 4, array: 5, map: 6, bytes: 7 } as const
const keyValue = { key: 1, value: 2 } as const
const listed = 1

/** Writes attributes as repeated `field`. Texts and bytes are cut after `charsMax`. */
export function writeAttributes(
  writer: ProtobufWriter,
  field: number,
  { keys, values }: AttributeList,
  charsMax: number,
): void {
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    writeKeyValue(writer, field, keys[index] as string, values[index], charsMax)
  }
}

/** The same with what is `known` of attributes that came before, all written as the same field. */
export function writeKnownAttributes(
  writer: ProtobufWriter,
  field: number,
  { keys, values }: AttributeList,
  charsMax: number,
  known: KnownAttributes,
): void {
  // Lists of as many are mostly of the same keys.
  const place = keys.length << 4
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const [key, value] = [keys[index] as string, values[index]]
    // Zero has two forms that are equal.
    if (typeof value !== 'string' && !(typeof value === 'number' && value > 0)) {
      writeKeyValue(writer, field, key, value, charsMax)
      continue
    }
    const knownKey = known.of(key, place + index)
    if (knownKey === undefined) {
      writeKeyValue(writer, field, key, value, charsMax)
      continue
    }
    const bytes = knownKey.find(value)
    if (bytes !== undefined) {
      writer.raw(bytes)
      continue
    }
    const sizeBefore = writer.size
    writeAny(writer, value, charsMax)
    writer.message(keyValue.value, sizeBefore)
    writer.raw(knownKey.field)
    writer.message(field, sizeBefore)
    if (knownKey.isKept(value)) knownKey.keep(value, writer.writtenSince(sizeBefore))
  }
}

/** A memory for `writeKnownAttributes`. */
export function knownAttributes(): KnownAttributes {
  const writer = new ProtobufWriter(keyBytesMax)
  return new KnownAttributes((key) => {
    writer.start()
    writer.text(keyValue.key, key)
    return writer.written()
  })
}

/** Longer keys are not kept. */
const keyBytesMax = 4_096

export function writeKeyValue(
  writer: ProtobufWriter,
  field: number,
  key: string,
  value: unknown,
  charsMax: number,
): void {
  const sizeBefore = writer.size
  writeAny(writer, value, charsMax)
  writer.message(keyValue.value, sizeBefore)
  writer.text(keyValue.key, cutText(key, charsMax))
  writer.message(field, sizeBefore)
}

function writeAny(writer: ProtobufWriter, value: unknown, charsMax: number): void {
  switch (typeof value) {
    case 'string':
      writer.text(any.text, cutText(value, charsMax))
      return
    case 'boolean':
      writer.uint(any.bool, value ? 1 : 0)
      return
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) writer.double(any.double, value)
      else if (value >= 0) writer.uint(any.int, value)
      else writer.int64(any.int, BigInt(value))
      return
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) writer.int64(any.int, value)
      else writer.text(any.text, String(value))
      return
    case 'object':
      writeObject(writer, value, charsMax)
      return
    case 'undefined':
    case 'function':
    case 'symbol':
  }
}

function writeObject(writer: ProtobufWriter, value: object | null, charsMax: number): void {
  if (value === null) return
  if (value instanceof Uint8Array) {
    writer.bytes(any.bytes, value.length > charsMax ? value.subarray(0, charsMax) : value)
    return
  }
  const sizeBefore = writer.size
  if (Array.isArray(value)) {
    for (const each of value.toReversed()) {
      const sizeBeforeEach = writer.size
      writeAny(writer, each, charsMax)
      writer.message(listed, sizeBeforeEach)
    }
    writer.message(any.array, sizeBefore)
  } else {
    for (const [key, each] of Object.entries(value).toReversed()) writeKeyValue(writer, listed, key, each, charsMax)
    writer.message(any.map, sizeBefore)
  }
}
