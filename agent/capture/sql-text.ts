// What a statement does is told, what it does it with is not: numbers and texts in it may be a customer's. Where it cannot be
// told for sure where a text ends, because that depends on how the server is set up, nothing after it is told.

export type SqlDialect = 'postgresql' | 'mysql'

/** Of a statement no more than this is read and told. */
const charsMax = 2_048

const text = /'(?:[^']|'')*(?:'|$)/
const quoted = /"(?:[^"]|"")*(?:"|$)/
const blockComment = /\/\*[^]*?(?:\*\/|$)/
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/
const number = /\d[\w.]*(?:(?<=[eE])[+-]\d+)?/
const space = /\s+/

/** One token of a statement, of the kind that its group is named after; whatever matches none of them stays. */
const tokens: Readonly<Record<SqlDialect, RegExp>> = {
  postgresql: either({
    comment: [/--[^\n]*/, blockComment],
    literal: [text, /\$(?<tag>[A-Za-z_\u0080-\uffff]\w*)?\$[^]*?(?:\$\k<tag>\$|$)/],
    name: [quoted, /\$\d+/, word],
    number: [number],
    space: [space],
  }),
  mysql: either({
    // Two minus signs begin a comment only before a space.
    comment: [/--(?=\s|$)[^\n]*/, /#[^\n]*/, blockComment],
    literal: [text, quoted],
    name: [/`(?:[^`]|``)*(?:`|$)/, word],
    number: [number],
    space: [space],
  }),
}

/** `sql` with `?` for each literal, without comments, on one line, and cut after 2,048 characters. */
export function withoutLiterals(sql: string, dialect: SqlDialect): string {
  let told = ''
  let from = 0
  const read = sql.slice(0, charsMax)
  for (const { 0: token, index, groups = {} } of read.matchAll(tokens[dialect])) {
    told += read.slice(from, index)
    from = index + token.length
    if (isAmbiguous(token, groups)) return `${told}? …`
    if (groups['literal'] !== undefined || groups['number'] !== undefined) told += '?'
    else if (groups['space'] !== undefined || groups['comment'] !== undefined) told += told.endsWith(' ') ? '' : ' '
    else told += token
  }
  return `${told}${read.slice(from)}`.trim() + (sql.length > charsMax ? ' …' : '')
}

function isAmbiguous(token: string, { literal, comment, name }: Readonly<Record<string, string | undefined>>): boolean {
  // A backslash hides the quote or does not; a comment in a comment counts or does not.
  if (literal !== undefined) return token.includes("\\'") || token.includes('\\"')
  if (comment !== undefined) return token.indexOf('/*', 2) !== -1
  return name !== undefined && /^["`]/.test(token) && (token.length < 2 || token.at(-1) !== token[0])
}

function either(kinds: Readonly<Record<string, readonly RegExp[]>>): RegExp {
  const groups = Object.entries(kinds).map(
    ([kind, forms]) => `(?<${kind}>${forms.map(({ source }) => source).join('|')})`,
  )
  return new RegExp(groups.join('|'), 'g')
}
