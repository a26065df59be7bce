// A body of 20 MiB can hold ten million empty messages, which decoded take gigabytes. So what a body will take is estimated
// before it is decoded, by counting its messages: weights are heap bytes as measured, with the rows made of them.

import protobuf from 'protobufjs'

interface Shape {
  bytes: number
  /** Messages inside, by field number. */
  fields: ReadonlyMap<number, Shape>
}

const message = (bytes: number, fields: Readonly<Record<number, Shape>>): Shape => ({
  bytes,
  fields: new Map(Object.entries(fields).map(([field, shape]) => [Number(field), shape])),
})

const valueFields = new Map<number, Shape>()
const value: Shape = { bytes: 150, fields: valueFields }
const keyValue = message(300, { 2: value })
valueFields.set(5, message(0, { 1: value })).set(6, message(0, { 1: keyValue }))

const span = message(2_200, {
  9: keyValue,
  11: message(400, { 3: keyValue }),
  13: message(400, { 4: keyValue }),
})
const resource = message(0, { 1: keyValue })
const request = message(0, { 1: message(600, { 1: resource, 2: message(400, { 2: span }) }) })

/** Protobufjs refuses what is nested deeper. */
const depthMax = 100

/** Heap bytes, roughly, that an ExportTraceServiceRequest takes with its rows. Throws on bytes that are none. */
export function decodedBytes(format: 'protobuf' | 'json', body: Uint8Array): number {
  return format === 'json' ? bytesOfJson(body) : bytesOfMessage(protobuf.Reader.create(body), body.length, request, 0)
}

function bytesOfMessage(reader: protobuf.Reader, end: number, { bytes, fields }: Shape, depth: number): number {
  if (depth > depthMax) throw new RangeError(`messages are nested deeper than ${depthMax}`)
  let sum = bytes
  while (reader.pos < end) {
    const tag = reader.uint32()
    const shape = (tag & 7) === 2 ? fields.get(tag >>> 3) : undefined
    if (shape === undefined) {
      reader.skipType(tag & 7)
      continue
    }
    const length = reader.uint32()
    const fieldEnd = reader.pos + length
    if (fieldEnd > end) throw new RangeError(`a message of ${length} bytes ends beyond the one around it`)
    sum += bytesOfMessage(reader, fieldEnd, shape, depth + 1)
  }
  if (reader.pos > end) throw new RangeError('a field ends beyond its message')
  return sum
}

const brace = '{'.charCodeAt(0)
const bracket = '['.charCodeAt(0)

/** Counts those in strings too: they are few against what they cost to tell apart. */
function bytesOfJson(body: Uint8Array): number {
  let bytes = 0
  for (const byte of body) {
    if (byte === brace) bytes += 1_000
    else if (byte === bracket) bytes += 100
  }
  return bytes
}
