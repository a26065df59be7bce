// What spans and log records have in common on the wire: identities, texts, and the messages around them.

import type { ByteColumn } from '@headwater/store'
import type { Places } from './places.ts'
import type { Wire } from './wire.ts'

/** Two digits at a time, the first one in the low byte. */
const hexDigits = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high = 0, low = 0] = Buffer.from(byte.toString(16).padStart(2, '0'))
  return high | (low << 8)
})

/** Adds an identity in lowercase hex, as a String value. */
export function writeHex(column: ByteColumn, source: Uint8Array, start: number, end: number): void {
  column.reserve(2 * (end - start) + 1)
  const { bytes, view } = column
  let at = column.length
  bytes[at++] = 2 * (end - start)
  for (let from = start; from < end; from += 1) {
    view.setUint16(at, hexDigits[source[from] as number] as number, true)
    at += 2
  }
  column.length = at
}

/** Whether all bytes are 0, as when there are none. */
export function isZero(source: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (source[at] !== 0) return false
  return true
}

/** Whether the field is an identity of that many bytes which are not all zero. */
export function isId(source: Uint8Array, start: number, end: number, length: number): boolean {
  return end - start === length && !isZero(source, start, end)
}

/** Bytes in a message to a person, cut where they are long. */
export function idText(source: Uint8Array, start: number, end: number): string {
  const hex = Buffer.from(source.subarray(start, Math.min(end, start + 20))).toString('hex')
  return `"${hex}${end - start > 20 ? '…' : ''}"`
}

/** Reads a Resource: attributes at 1, their dropped count at 2. */
export function readResource(wire: Wire, end: number, into: { attributes: Places; droppedAttributes: number }): void {
  while (wire.at < end) {
    const tag = wire.tag(end)
    if (tag === 0x0a) {
      const fieldEnd = wire.fieldEnd(end)
      into.attributes.add(wire.at, fieldEnd)
      wire.at = fieldEnd
    } else if (tag === 0x10) into.droppedAttributes = wire.varint(end)
    else wire.skip(tag, end)
  }
}
