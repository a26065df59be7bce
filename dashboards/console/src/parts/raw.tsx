// Text that came with telemetry: anybody may have written it. It stands by itself in its own direction, and characters that
// would reorder or hide what is around them are shown as what they are.
import { useState } from 'react'

/** Control characters but line feed and tab, and characters that change the direction or width of text. */
const unseen = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** The text with such characters as their codes. */
export function visible(text: string): string {
  return text.replace(unseen, (character) =>
    character === '\n' || character === '\t'
      ? character
      : character === '\r'
        ? ''
        : `⟨U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}⟩`,
  )
}

/** A short text, cut where it is longer than a line has room for. */
export function Raw({
  text,
  most = 200,
  empty = '',
}: {
  text: string | null | undefined
  most?: number
  empty?: string
}) {
  if (text === null || text === undefined || text === '') return <span className="muted">{empty}</span>
  const cut = text.length > most
  return (
    <bdi title={cut ? visible(text.slice(0, 2_000)) : undefined}>{visible(cut ? `${text.slice(0, most)}…` : text)}</bdi>
  )
}

const foldedChars = 1_200

/** A text of many lines, such as a stack trace; the first part of it, until it is asked for. */
export function RawBlock({ text }: { text: string }) {
  const [isWhole, setWhole] = useState(false)
  const isLong = text.length > foldedChars
  return (
    <>
      <pre className="raw" tabIndex={0}>
        <bdi>{visible(isLong && !isWhole ? `${text.slice(0, foldedChars)}…` : text.slice(0, 200_000))}</bdi>
      </pre>
      {isLong && (
        <button type="button" className="link" onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Show less' : `Show all ${text.length.toLocaleString('en')} characters`}
        </button>
      )}
    </>
  )
}
