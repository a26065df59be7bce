/** Callers without types hand over anything, and must not be told by an exception. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The first `charsMax` UTF-16 units of `text`, or one less where a character would be cut in two. */
export function cutText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const last = text.charCodeAt(charsMax - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? charsMax - 1 : charsMax)
}
