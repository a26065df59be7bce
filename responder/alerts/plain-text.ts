// Names, messages and IDs in an alert come from whoever sends spans. They are shown as one line of text and as nothing else.

/** Line ends, tabs and their like in other scripts. */
const blanks = /[\s\u0085\u2028\u2029]+/g
/**
 * What a screen obeys instead of showing: control characters, marks that turn the direction of writing (CVE-2021-42574),
 * characters without width, and tags.
 */
const unseen =
  // oxlint-disable-next-line no-control-regex -- these are what has to go
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/**
 * Makes one line of at most `charsMax` characters out of any text; what is cut off leaves an ellipsis, and what cannot be
 * seen leaves the replacement character.
 *
 * ```ts
 * plainLine('POST\n/pay \u202e', { charsMax: 20 }) // 'POST /pay �'
 * ```
 */
export function plainLine(text: string, { charsMax }: { charsMax: number }): string {
  // A message of a megabyte is not read to its end for the sake of its beginning.
  const head = text.slice(0, charsMax * 4).toWellFormed()
  const line = head.replaceAll(blanks, ' ').replaceAll(unseen, '\ufffd').trim()
  const isCut = text.length > head.length
  // By code points: a grapheme has no bound of its own.
  const points = Array.from(line)
  if (points.length <= charsMax && !isCut) return line
  return `${points.slice(0, charsMax - 1).join('')}…`
}
