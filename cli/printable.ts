// What services send is in every answer, and a terminal does what it is told.

/** Control and format characters, line ends among them. */
const unseen = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** An answer whose texts neither steer a terminal nor begin a line of their own: such characters are told by their numbers. */
export function printable<Answer>(answer: Answer): Answer {
  return JSON.parse(JSON.stringify(answer), (_key, value: unknown) =>
    typeof value === 'string' ? value.replaceAll(unseen, numberOf) : value,
  ) as Answer
}

function numberOf(character: string): string {
  return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`
}
