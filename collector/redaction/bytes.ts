// What the scanners ask about one byte of UTF-8. All that they look for is ASCII; a byte of a longer character is
// neither letter nor digit, so that a card number between ideographs still stands alone.

export const byte = {
  space: 0x20,
  quote: 0x22,
  percent: 0x25,
  ampersand: 0x26,
  apostrophe: 0x27,
  dash: 0x2d,
  dot: 0x2e,
  slash: 0x2f,
  colon: 0x3a,
  equals: 0x3d,
  greater: 0x3e,
  question: 0x3f,
  at: 0x40,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  underscore: 0x5f,
} as const

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

export const isLetter = (code: number): boolean => {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

export const isAlphanumeric = (code: number): boolean => isDigit(code) || isLetter(code)

/** Whether the percent escape of these two hex digits begins at `at`. */
export function isEscape(bytes: Uint8Array, { at, end, hex }: { at: number; end: number; hex: string }): boolean {
  if (at + 3 > end || bytes[at] !== byte.percent || bytes[at + 1] !== hex.charCodeAt(0)) return false
  return (bytes[at + 2]! | 0x20) === (hex.charCodeAt(1) | 0x20)
}
