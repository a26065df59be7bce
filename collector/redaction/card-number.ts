// Only numbers that an issuer could have printed count as cards: its first digits, its length, its grouping and the
// check digit (Luhn, ISO/IEC 7812-1) must all be right, so that ids, timestamps and UUIDs are left as they are.

import { byte, isAlphanumeric, isDigit } from './bytes.ts'

/** First four digits, from and to, and how many digits there are in all. */
const issuers = [
  { issuer: 'Visa', from: 4000, to: 4999, digits: 16 },
  { issuer: 'Mastercard', from: 5100, to: 5599, digits: 16 },
  { issuer: 'Mastercard', from: 2221, to: 2720, digits: 16 },
  { issuer: 'American Express', from: 3400, to: 3499, digits: 15 },
  { issuer: 'American Express', from: 3700, to: 3799, digits: 15 },
  { issuer: 'Discover', from: 6011, to: 6011, digits: 16 },
  { issuer: 'Discover', from: 6440, to: 6599, digits: 16 },
  { issuer: 'JCB', from: 3528, to: 3589, digits: 16 },
  { issuer: 'Diners Club', from: 3000, to: 3059, digits: 14 },
  { issuer: 'Diners Club', from: 3600, to: 3699, digits: 14 },
  { issuer: 'Diners Club', from: 3800, to: 3999, digits: 14 },
] as const

const digitsByFirstFour = new Uint8Array(10_000)
for (const { from, to, digits } of issuers) digitsByFirstFour.fill(digits, from, to + 1)

/** Where the digits that begin at `at` stop. */
export function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  let to = at
  while (to < end && isDigit(bytes[to]!)) to += 1
  return to
}

/** Whether so many digits in a row can be a card number or its first group. */
export const mayBeginCard = (length: number): boolean => length === 4 || (length >= 14 && length <= 16)

/**
 * Where a card number ends that begins with the digits from `at` to `to` (a whole run of a length that may begin one); 0 when none does. The
 * text lies from `start` to `end`.
 */
export function cardNumberEnd(
  bytes: Uint8Array,
  { at, to, start, end }: { at: number; to: number; start: number; end: number },
): number {
  const length = to - at
  const first = leadingFour(bytes, at)
  const digits = digitsByFirstFour[first]!
  if (digits === 0 || (length !== 4 && length !== digits)) return 0
  const cardEnd = length === 4 ? groupedEnd(bytes, { at: to, end, digits }) : to
  if (cardEnd === 0) return 0
  return standsAlone(bytes, { at, to: cardEnd, start, end }) && hasCheckDigit(bytes, at, cardEnd) ? cardEnd : 0
}

function leadingFour(bytes: Uint8Array, at: number): number {
  let number = 0
  for (let place = at; place < at + 4; place += 1) number = number * 10 + bytes[place]! - 0x30
  return number
}

// As printed: 4-4-4-4, 4-6-5 (15 digits) and 4-6-4 (14), with one and the same space or dash between.
function groupedEnd(bytes: Uint8Array, { at, end, digits }: { at: number; end: number; digits: number }): number {
  const separator = bytes[at]
  if (at >= end || (separator !== byte.space && separator !== byte.dash)) return 0
  let place = at
  let left = digits - 4
  while (left > 0) {
    const group = digits === 16 ? 4 : Math.min(left, 6)
    if (place >= end || bytes[place] !== separator || digitsEnd(bytes, place + 1, end) !== place + 1 + group) return 0
    place += 1 + group
    left -= group
  }
  return place
}

// A letter or digit beside it makes it part of something else; so does a digit behind a dash, an underscore or a dot
// (a decimal, a traceparent), and a joint on both sides (an id put together of parts). A space does not join.
function standsAlone(
  bytes: Uint8Array,
  { at, to, start, end }: { at: number; to: number; start: number; end: number },
): boolean {
  const before = at > start ? bytes[at - 1]! : byte.space
  const after = to < end ? bytes[to]! : byte.space
  if (isAlphanumeric(before) || isAlphanumeric(after)) return false
  const joinedBefore = isJoint(before) && at - 1 > start ? bytes[at - 2]! : byte.space
  const joinedAfter = isJoint(after) && to + 1 < end ? bytes[to + 1]! : byte.space
  if (isDigit(joinedBefore) || isDigit(joinedAfter)) return false
  return !(isAlphanumeric(joinedBefore) && isAlphanumeric(joinedAfter))
}

const isJoint = (code: number): boolean => code === byte.dash || code === byte.underscore || code === byte.dot

function hasCheckDigit(bytes: Uint8Array, at: number, to: number): boolean {
  let sum = 0
  let doubled = false
  for (let place = to - 1; place >= at; place -= 1) {
    const code = bytes[place]!
    if (!isDigit(code)) continue
    const digit = (code - 0x30) * (doubled ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
    doubled = !doubled
  }
  return sum % 10 === 0
}
