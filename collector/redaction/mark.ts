// What stands where a secret stood. Redaction leaves marks alone, so that doing it twice changes nothing more.

/** In place of a secret. */
export const masked = '[redacted]'

/** In place of a card number, of which people go on to need the last four digits. */
export const maskedCard = (lastFour: string): string => `[redacted card …${lastFour}]`

/** Before the hex digits of a hash. */
export const hashPrefix = 'hmac:'
export const hashDigits = 32

/** A new expression that finds every mark, one after another. */
export const marks = (): RegExp => /\[redacted(?: card …\d{4})?\]|hmac:[0-9a-f]{32}/g

/** Whether the whole text is one hash. */
export const isHash = (text: string): boolean => /^hmac:[0-9a-f]{32}$/.test(text)

const maskedBytes = new TextEncoder().encode(masked)
const prefixBytes = new TextEncoder().encode(hashPrefix)

/** Whether a value is nothing but one mark. A card's never is: its parameter goes whole. */
export function isMark(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from === masked.length) return holds(bytes, from, maskedBytes)
  return to - from === hashPrefix.length + hashDigits && holds(bytes, from, prefixBytes)
}

function holds(bytes: Uint8Array, from: number, expected: Uint8Array): boolean {
  for (let at = 0; at < expected.length; at += 1) if (bytes[from + at] !== expected[at]) return false
  return true
}
