// A request of ClickHouse's HTTP interface: who asks, what, with which settings, and the rows that come along.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { pipeline, type Duplex, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { isSameSecret } from '../secret.ts'
import { exception } from './exception.ts'
import { isFollowed, readStatement, type Statement } from './statement.ts'

/** What the front carries out. */
export interface QueryRequest {
  queryId: string
  database: string | undefined
  defaultFormat: string
  settings: Map<string, string>
  params: Map<string, string>
  isReadonly: boolean
  acceptsGzip: boolean
  statement: Statement
  sql: string
  /** An INSERT whose rows follow, inline and in the rest of the body. */
  insert: Insert | undefined
}

/** `INSERT INTO t (a, b)`, `SETTINGS …`, the format's name, and the rows. */
export interface Insert {
  target: string
  clauses: string
  format: string
  rows: AsyncIterable<Buffer>
}

/** Parameters of the interface itself; every other one is a setting of the query. */
const interfaceParams = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'user',
  'password',
  'role',
  'quota_key',
  'session_id',
  'session_timeout',
  'session_check',
  'session_timezone_hint',
  'close_session',
  'compress',
  'decompress',
  'stacktrace',
  'buffer_size',
  'wait_end_of_query',
  'client_protocol_version',
  'enable_http_compression',
  'http_zlib_compression_level',
  'http_response_buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
])

/** As much of a body as may be statement, or a multipart form. */
const statementBytesMax = 1 << 20
const formBytesMax = 16 << 20

/** Throws unless the request bears the user and password, in any of the three ways that ClickHouse takes. */
export function authenticate(request: IncomingMessage, url: URL, account: { user: string; password: string }): void {
  let user = header(request, 'x-clickhouse-user') ?? url.searchParams.get('user') ?? 'default'
  let password = header(request, 'x-clickhouse-key') ?? url.searchParams.get('password') ?? ''
  const basic = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (basic !== undefined) {
    const decoded = Buffer.from(basic, 'base64').toString()
    const colon = decoded.indexOf(':')
    user = colon === -1 ? decoded : decoded.slice(0, colon)
    password = colon === -1 ? '' : decoded.slice(colon + 1)
  }
  const isUser = isSameSecret(user, account.user)
  if (!isSameSecret(password, account.password) || !isUser)
    throw exception(
      'AUTHENTICATION_FAILED',
      `${user}: Authentication failed: password is incorrect, or there is no user with such name.`,
    )
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

function decoderOf(encoding: string): Duplex | undefined {
  switch (encoding) {
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    case 'zstd':
      return createZstdDecompress()
    default:
      throw exception('NOT_IMPLEMENTED', `Unknown content encoding '${encoding}': use gzip, deflate, br, zstd or none`)
  }
}

async function* bodyOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  const decoder = decoderOf((request.headers['content-encoding'] ?? '').trim().toLowerCase())
  // The callback only takes the error off pipeline's hands: the loop below throws it.
  const source: Readable = decoder === undefined ? request : pipeline(request, decoder, () => undefined)
  try {
    // A body that is not read to its end must not take the connection, and so the answer, with it.
    for await (const chunk of source.iterator({ destroyOnReturn: false })) yield chunk as Buffer
  } catch (error) {
    if (decoder === undefined || !(error instanceof Error) || !('errno' in error)) throw error
    throw exception('CANNOT_DECOMPRESS', `Cannot decompress the request body: ${error.message}`, error)
  }
}

/** Takes up to `bytesMax` from the front of a body; the iterator goes on from there. */
async function takeHead(body: AsyncIterator<Buffer>, bytesMax: number): Promise<{ head: Buffer; isWhole: boolean }> {
  const chunks: Buffer[] = []
  let bytes = 0
  while (bytes < bytesMax) {
    const next = await body.next()
    if (next.done === true) return { head: Buffer.concat(chunks), isWhole: true }
    chunks.push(next.value)
    bytes += next.value.length
  }
  return { head: Buffer.concat(chunks), isWhole: false }
}

async function* rowsOf(inline: Buffer, rest: AsyncIterator<Buffer> | undefined): AsyncGenerator<Buffer> {
  if (inline.length > 0) yield inline
  if (rest === undefined) return
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

function decodeSql(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw exception('SYNTAX_ERROR', 'The statement is not valid UTF-8: send such bytes as rows of an INSERT', cause)
  }
}

async function readForm(body: AsyncIterator<Buffer>, contentType: string): Promise<[string, string][]> {
  const { head, isWhole } = await takeHead(body, formBytesMax)
  if (!isWhole) throw exception('TOO_MANY_BYTES', `The multipart form is larger than ${formBytesMax} bytes`)
  try {
    const form = await new Response(new Uint8Array(head), { headers: { 'content-type': contentType } }).formData()
    const fields: [string, string][] = []
    for (const [name, value] of form) {
      if (typeof value !== 'string')
        throw exception('NOT_IMPLEMENTED', `External data in the form field '${name}' is not supported`)
      fields.push([name, value])
    }
    return fields
  } catch (cause) {
    if (cause instanceof TypeError) throw exception('BAD_REQUEST_PARAMETER', 'Cannot read the multipart form', cause)
    throw cause
  }
}

/** Reads a request up to where its rows begin; the rows stay in the connection until they are asked for. */
export async function readRequest(request: IncomingMessage, url: URL): Promise<QueryRequest> {
  const settings = new Map<string, string>()
  const params = new Map<string, string>()
  const own = new Map<string, string>()
  const place = (name: string, value: string) => {
    if (name.startsWith('param_')) params.set(name.slice('param_'.length), value)
    else if (interfaceParams.has(name)) own.set(name, value)
    else settings.set(name, value)
  }
  for (const [name, value] of url.searchParams) place(name, value)

  let body: AsyncIterator<Buffer> = bodyOf(request)
  const contentType = request.headers['content-type'] ?? ''
  if (contentType.startsWith('multipart/form-data')) {
    for (const [name, value] of await readForm(body, contentType)) place(name, value)
    body = rowsOf(Buffer.alloc(0), undefined)
  }
  for (const codec of ['compress', 'decompress'])
    if ((own.get(codec) ?? '0') !== '0')
      throw exception('NOT_IMPLEMENTED', `'${codec}' asks for ClickHouse's own block compression: use gzip`)

  const inUrl = own.get('query')
  let text: Buffer
  let isWhole = true
  let inlineAt = 0
  if (inUrl === undefined || !/\S/.test(inUrl)) {
    const taken = await takeHead(body, statementBytesMax)
    text = taken.head
    isWhole = taken.isWhole
  } else {
    text = Buffer.from(inUrl)
    inlineAt = text.length
  }
  let statement = readStatement(text.toString('latin1'))
  if (inlineAt > 0 && statement.rows === undefined) {
    // The body goes on where the parameter ends.
    const taken = await takeHead(body, statementBytesMax)
    if (/\S/.test(taken.head.toString('latin1'))) {
      text = Buffer.concat([text, Buffer.from('\n'), taken.head])
      statement = readStatement(text.toString('latin1'))
    }
    isWhole = taken.isWhole
  }
  if (statement.rows === undefined && !isWhole)
    throw exception('SYNTAX_ERROR', `Max query size exceeded: the statement is longer than ${statementBytesMax} bytes`)

  const { rows } = statement
  if (rows?.format === 'Values' && isFollowed(text.toString('latin1', rows.startAt)))
    throw exception('SYNTAX_ERROR', 'Cannot read data after semicolon (and multi-statements are not allowed)')
  const part = (start: number, end?: number) => decodeSql(text.subarray(start, end))
  return {
    queryId: own.get('query_id') || randomUUID(),
    database: own.get('database') || header(request, 'x-clickhouse-database') || undefined,
    defaultFormat: own.get('default_format') || header(request, 'x-clickhouse-format') || 'TabSeparated',
    settings,
    params,
    isReadonly: request.method !== 'POST',
    acceptsGzip:
      own.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? ''),
    statement,
    sql: part(0, rows?.startAt),
    insert: rows && {
      target: part(0, rows.clausesAt),
      clauses: part(rows.clausesAt, rows.formatAt),
      format: rows.format,
      rows: rowsOf(text.subarray(rows.startAt), body),
    },
  }
}
