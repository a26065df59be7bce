// The front must know three things about a statement before the engine reads it: whether it is only one, whether rows
// follow it inline (they go to the engine through a file, because the engine's own splitter takes a blank line inside
// the rows for the end of the statement), and in which format it answers. A lexer is enough for that; the grammar
// stays ClickHouse's.

/** What the front must know about a statement. Offsets count bytes. */
export interface Statement {
  /** The first keyword in upper case; empty when there is no statement at all. */
  keyword: string
  /** The format that the statement itself asks its answer to be in. */
  format: string | undefined
  /** A SELECT inside a SELECT may be computed while the plan is made, see `isStreamable`. */
  hasNestedSelect: boolean
  /** Another statement follows after a semicolon. */
  isFollowed: boolean
  /** The statement itself names a file to read or to write, which is for local clients only. */
  file: 'INFILE' | 'OUTFILE' | undefined
  /** For `INSERT … FORMAT x` and `INSERT … VALUES`: where the rows begin, and where `FROM INFILE` belongs. */
  rows: { format: string; startAt: number; clausesAt: number; formatAt: number } | undefined
}

interface Token {
  kind: 'word' | 'quoted' | 'sign'
  text: string
  start: number
  end: number
  depth: number
}

const closingQuotes: Record<string, string> = {
  "'": "'",
  '"': '"',
  '`': '`',
  'â\x80\x98': 'â\x80\x99',
  'â\x80\x9c': 'â\x80\x9d',
}
const blank = /[\s\0]/
const wordStart = /[A-Za-z_]/
const word = /[A-Za-z0-9_$]+/y
const heredoc = /\$[A-Za-z0-9_]*\$/y

function endOfQuoted(sql: string, contentAt: number, closing: string): number {
  for (let at = contentAt; at < sql.length; at += 1) {
    if (sql[at] === '\\' && closing.length === 1) at += 1
    else if (sql.startsWith(closing, at)) return at + closing.length
  }
  return sql.length
}

function* tokensOf(sql: string): Generator<Token> {
  let at = 0
  let depth = 0
  while (at < sql.length) {
    const start = at
    const first = sql.charAt(at)
    heredoc.lastIndex = at
    word.lastIndex = at
    const quote = closingQuotes[first] === undefined ? sql.slice(at, at + 3) : first
    const closing = closingQuotes[quote]
    if (blank.test(first)) {
      at += 1
      continue
    }
    if (sql.startsWith('--', at) || sql.startsWith('#!', at) || sql.startsWith('# ', at)) {
      const newline = sql.indexOf('\n', at)
      at = newline === -1 ? sql.length : newline + 1
      continue
    }
    if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2)
      at = end === -1 ? sql.length : end + 2
      continue
    }
    if (closing !== undefined) {
      at = endOfQuoted(sql, at + quote.length, closing)
      yield { kind: 'quoted', text: sql.slice(start, at), start, end: at, depth }
      continue
    }
    const tag = first === '$' ? heredoc.exec(sql)?.[0] : undefined
    if (tag !== undefined) {
      const end = sql.indexOf(tag, at + tag.length)
      at = end === -1 ? sql.length : end + tag.length
      yield { kind: 'quoted', text: tag, start, end: at, depth }
      continue
    }
    const text = word.exec(sql)?.[0]
    if (text !== undefined) {
      at += text.length
      yield { kind: wordStart.test(first) ? 'word' : 'sign', text, start, end: at, depth }
      continue
    }
    at += 1
    if (first === ')' || first === ']' || first === '}') depth -= 1
    yield { kind: 'sign', text: first, start, end: at, depth }
    if (first === '(' || first === '[' || first === '{') depth += 1
  }
}

/** Rows begin after the format's name, one optional semicolon and one line break, as ClickHouse's parser has it. */
function rowsAfterFormat(sql: string, formatEnd: number): number {
  const gap = /[ \t\f]*;?[ \t\f]*\r?\n?/y
  gap.lastIndex = formatEnd
  gap.exec(sql)
  return gap.lastIndex
}

function isKeyword(token: Token | undefined, keyword: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === keyword
}

/**
 * Reads the shape of one statement. `sql` is the statement's bytes as latin1, so that offsets are those of the bytes and
 * rows that follow inline need not be text. Words of the rows are never looked at.
 */
export function readStatement(sql: string): Statement {
  const statement: Statement = {
    keyword: '',
    format: undefined,
    hasNestedSelect: false,
    isFollowed: false,
    file: undefined,
    rows: undefined,
  }
  let previous: Token | undefined
  let ended = false
  let canHaveRows = false
  let targetSeen = false
  let clausesAt: number | undefined
  let inSettings = false
  for (const token of tokensOf(sql)) {
    if (ended && token.text !== ';') {
      statement.isFollowed = true
      break
    }
    if (token.text === ';' && token.kind === 'sign') {
      ended = true
      continue
    }
    const upper = token.kind === 'word' ? token.text.toUpperCase() : ''
    if (statement.keyword === '' && upper !== '') {
      statement.keyword = upper
      canHaveRows = upper === 'INSERT'
    } else if (upper === 'SELECT') {
      if (token.depth > 0) statement.hasNestedSelect = true
      // Also `INSERT INTO t (SELECT …)`; a column list holds no keyword that a bracket opens.
      if (token.depth === 0 || previous?.text === '(') canHaveRows = false
    } else if (upper === 'WITH' && targetSeen && (token.depth === 0 || previous?.text === '(')) {
      canHaveRows = false
    }
    if (upper === 'INFILE' && statement.keyword === 'INSERT' && isKeyword(previous, 'FROM')) statement.file = upper
    if (upper === 'OUTFILE' && isKeyword(previous, 'INTO')) statement.file = upper
    if (token.depth === 0) {
      if (canHaveRows && targetSeen) {
        if (upper === 'SETTINGS') clausesAt ??= token.start
        if (upper === 'VALUES' && previous?.text !== '.') {
          const formatAt = token.start
          statement.rows = { format: 'Values', startAt: token.end, clausesAt: clausesAt ?? formatAt, formatAt }
          return statement
        }
        if (token.kind === 'word' && isKeyword(previous, 'FORMAT') && previous !== undefined) {
          const formatAt = previous.start
          const startAt = rowsAfterFormat(sql, token.end)
          statement.rows = { format: token.text, startAt, clausesAt: clausesAt ?? formatAt, formatAt }
          return statement
        }
      } else if (
        canHaveRows &&
        (token.kind === 'quoted' ||
          token.text === '{' ||
          (upper !== '' && !/^(INSERT|INTO|TABLE|FUNCTION)$/.test(upper)))
      ) {
        targetSeen = true
      }
      if (upper !== '' && isKeyword(previous, 'FORMAT')) {
        statement.format = token.text
        inSettings = false
      } else if (upper === 'SETTINGS' && statement.format !== undefined) inSettings = true
      else if (!inSettings) statement.format = undefined
    }
    previous = token
  }
  return statement
}

/** Whether something follows a semicolon: inline VALUES end there, and the engine would drop the rest in silence. */
export function isFollowed(rows: string): boolean {
  let ended = false
  for (const { kind, text } of tokensOf(rows)) {
    const isEnd = kind === 'sign' && text === ';'
    if (ended && !isEnd) return true
    ended ||= isEnd
  }
  return false
}

/** Formats without a header, a footer or separators: written block by block they are the same bytes as written at once. */
const streamableFormats = new Set([
  'JSONEachRow',
  'JSONLines',
  'NDJSON',
  'JSONStringsEachRow',
  'JSONCompactEachRow',
  'JSONCompactStringsEachRow',
  'TabSeparated',
  'TSV',
  'TabSeparatedRaw',
  'TSVRaw',
  'CSV',
  'RowBinary',
  'Native',
  'LineAsString',
  'MsgPack',
])

/**
 * Whether the answer may leave block by block. A nested SELECT keeps it from that: the engine computes scalar
 * subqueries and sets while it opens a stream, on the thread that serves all other requests.
 */
export function isStreamable(statement: Statement, format: string): boolean {
  const reads = statement.keyword === 'SELECT' || statement.keyword === 'WITH'
  return reads && !statement.hasNestedSelect && streamableFormats.has(format)
}
