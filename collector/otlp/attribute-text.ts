// The table's maps hold text, so each kind of value has one canonical text. Queries compare with it: it must not change.
//
//   string   as it is                          list, map   JSON without spaces, in their order, where
//   boolean  true, false                                   strings, booleans and integers are JSON's own,
//   integer  decimal, exact to 64 bits                     doubles too, but "NaN", "Infinity", "-Infinity",
//   double   shortest that reads back: 0.1, 1e+21, NaN     bytes are base64 text,
//   bytes    base64 with padding                           a value that was not set is null
//   not set  empty

import type { AttributeValue } from './traces.ts'

/** The one text that an attribute's value is stored as. */
export function attributeText(value: AttributeValue): string {
  if (typeof value === 'string') return value
  if (value === undefined) return ''
  if (typeof value !== 'object') return String(value)
  return value instanceof Uint8Array ? base64(value) : nestedText(value)
}

function nestedText(value: AttributeValue): string {
  if (value === undefined) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (value instanceof Map) {
    const entries = Array.from(value as ReadonlyMap<string, AttributeValue>)
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${nestedText(item)}`).join(',')}}`
  }
  return `[${(value as readonly AttributeValue[]).map(nestedText).join(',')}]`
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
