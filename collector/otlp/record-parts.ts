// What spans and log records have in common on the wire: identities, texts, and the messages around them.

import type { ByteColumn } from '@headwater/store'
import type { Places } from './places.ts'
import type { Wire } from './wire.ts'

const hexHigh = new Uint8Array(256)
const hexLow = new Uint8Array(256)
for (let byte = 0; byte < 256; byte += 1) {
  hexHigh[byte] = '0123456789abcdef'.charCodeAt(byte >> 4)
  hexLow[byte] = '0123456789abcdef'.charCodeAt(byte & 15)
}

/** Adds an identity in lowercase hex, as a String value. */
export function writeHex(column: ByteColumn, source: Uint8Array, start: number, end: number): void {
  column.reserve(2 * (end - start) + 1)
  const { bytes } = column
  let at = column.length
  bytes[at++] = 2 * (end - start)
  for (let from = start; from < end; from += 1) {
    const byte = source[from] as number
    bytes[at++] = hexHigh[byte] as number
    bytes[at++] = hexLow[byte] as number
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
