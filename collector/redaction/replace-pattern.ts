import { marks } from './mark.ts'

/**
 * The text with all that the pattern finds replaced; undefined as soon as `replace` says so. Marks of earlier redaction
 * are no finds, and a find that reaches into one takes all of it, so that half a mark is never left.
 */
export function replacePattern(
  text: string,
  pattern: RegExp,
  replace: (found: string) => string | undefined,
): string | undefined {
  pattern.lastIndex = 0
  let match = pattern.exec(text)
  if (match === null) return text

  const whole = Array.from(text.matchAll(marks()), ({ index, 0: mark }) => ({ from: index, to: index + mark.length }))
  const parts: string[] = []
  let kept = 0
  let mark = 0
  for (; match !== null; match = pattern.exec(text)) {
    if (match[0] === '') pattern.lastIndex += 1
    let from = Math.max(match.index, kept)
    let to = match.index + match[0].length
    if (to <= from) continue

    while (mark < whole.length && whole[mark]!.to <= from) mark += 1
    const first = whole[mark]
    if (first !== undefined && first.from <= from && to <= first.to) continue
    if (first !== undefined && first.from < from) from = first.from
    for (let at = mark; at < whole.length && whole[at]!.from < to; at += 1) to = Math.max(to, whole[at]!.to)

    // The pattern sees halves of characters beyond U+FFFF: one half alone would be no text.
    if (isLowHalf(text, from)) from -= 1
    if (isLowHalf(text, to)) to += 1

    const replacement = replace(text.slice(from, to))
    if (replacement === undefined) return undefined
    parts.push(text.slice(kept, from), replacement)
    kept = to
  }
  return parts.join('') + text.slice(kept)
}

const isLowHalf = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  const before = text.charCodeAt(at - 1)
  return code >= 0xdc00 && code < 0xe000 && before >= 0xd800 && before < 0xdc00
}
