// ClickHouse's HTTP interface in front of the engine inside this process, so that everything else is a stock client
// with a URL. Each request is a session of its own: `session_id` is taken and means nothing.

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { quote, type Answer, type Chdb, type QueryContext, type Written } from './engine.ts'
import { ClickHouseException, exception, httpStatus, toException } from './exception.ts'
import type { Gate } from './gate.ts'
import { authenticate, readRequest, type Insert, type QueryRequest } from './request.ts'
import type { Spool } from './spool.ts'
import { isStreamable } from './statement.ts'

export interface FrontOptions {
  chdb: Chdb
  spool: Spool
  gate: Gate
  account: { user: string; password: string }
  /** Answers that cannot leave block by block are held in memory; a larger one is refused. */
  answerBytesMax: number
}

/** The HTTP front, not yet listening. */
export interface Front {
  server: Server
  /** Kills what runs and resolves when all of it has ended. */
  close(): Promise<void>
}

const contentTypes = new Map([
  ['JSON', 'application/json; charset=UTF-8'],
  ['JSONCompact', 'application/json; charset=UTF-8'],
  ['JSONEachRow', 'application/x-ndjson; charset=UTF-8'],
  ['JSONCompactEachRow', 'application/x-ndjson; charset=UTF-8'],
  ['CSV', 'text/csv; charset=UTF-8; header=absent'],
  ['CSVWithNames', 'text/csv; charset=UTF-8; header=present'],
  ['TabSeparated', 'text/tab-separated-values; charset=UTF-8'],
  ['TSV', 'text/tab-separated-values; charset=UTF-8'],
  ['Native', 'application/octet-stream'],
  ['RowBinary', 'application/octet-stream'],
  ['Parquet', 'application/octet-stream'],
])

/** A reader who takes nothing for so long gives up its place, which others wait for. */
const readerStallsMaxMs = 60_000

const noBytes = new Uint8Array(0)

type Progress = Partial<Written & Pick<Answer, 'readRows' | 'readBytes'>>

function summary(
  { readRows = 0, readBytes = 0, writtenRows = 0, writtenBytes = 0 }: Progress,
  startedAt: number,
): string {
  return JSON.stringify({
    read_rows: String(readRows),
    read_bytes: String(readBytes),
    written_rows: String(writtenRows),
    written_bytes: String(writtenBytes),
    total_rows_to_read: '0',
    result_rows: String(writtenRows),
    result_bytes: String(writtenBytes),
    elapsed_ns: String(Math.round((performance.now() - startedAt) * 1e6)),
  })
}

/** The last words of an answer that fails after it has begun, in the form that clients of 25.11 and later look for. */
function lateException(text: string, tag: string): string {
  const message = `${text}\n`
  return `\r\n__exception__\r\n${tag}\r\n${message}${Buffer.byteLength(message)} ${tag}\r\n__exception__\r\n`
}

function refuseUnfit({ statement }: QueryRequest): void {
  if (statement.keyword === '')
    throw exception('SYNTAX_ERROR', 'Syntax error: failed at position 1 (end of query): Empty query.')
  if (statement.isFollowed) throw exception('SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed)')
  // SHUTDOWN and KILL signal the whole process group: whoever started us, and what else they run.
  if (statement.keyword === 'SYSTEM')
    throw exception('NOT_IMPLEMENTED', 'SYSTEM statements are not for the embedded ClickHouse')
  if (statement.file === 'OUTFILE') throw exception('INTO_OUTFILE_NOT_ALLOWED', 'INTO OUTFILE is not allowed')
  if (statement.file === 'INFILE')
    throw exception('UNKNOWN_TYPE_OF_QUERY', 'Query has infile and was send directly to server')
}

/** Builds the front. */
export function createFront({ chdb, spool, gate, account, answerBytesMax }: FrontOptions): Front {
  const running = new Map<string, { abort: AbortController; ended: Promise<void> }>()
  let closing = false

  const withVersion = (text: string) => `${text} (version ${chdb.version})`

  async function insert({ target, clauses, format, rows }: Insert, context: QueryContext): Promise<Written> {
    const spooled = await spool.write(rows)
    try {
      const source = `FROM INFILE ${quote(spooled.path)} COMPRESSION 'none'`
      return await chdb.insert(`${target} ${source} ${clauses} FORMAT ${format}`, context)
    } finally {
      await spooled.remove()
    }
  }

  async function answerWhole(request: QueryRequest, context: QueryContext, response: ServerResponse): Promise<void> {
    const startedAt = performance.now()
    const { statement, acceptsGzip } = request
    const format = statement.format ?? request.defaultFormat
    let bytes: Uint8Array = noBytes
    let progress: Progress
    if (request.insert !== undefined) progress = await insert(request.insert, context)
    else if (statement.keyword === 'INSERT') progress = await chdb.insert(request.sql, context)
    else ({ bytes, ...progress } = await chdb.run(request.sql, format, context))
    response.writeHead(200, {
      'Content-Type': contentTypes.get(format) ?? 'text/plain; charset=UTF-8',
      'X-ClickHouse-Format': format,
      'X-ClickHouse-Summary': summary(progress, startedAt),
      ...(acceptsGzip ? { 'Content-Encoding': 'gzip' } : { 'Content-Length': bytes.length }),
    })
    if (acceptsGzip) await pipeline([bytes], createGzip({ level: 1 }), response)
    else response.end(bytes)
  }

  async function answerInBlocks(request: QueryRequest, context: QueryContext, response: ServerResponse): Promise<void> {
    const startedAt = performance.now()
    const { acceptsGzip } = request
    const format = request.statement.format ?? request.defaultFormat
    const blocks = chdb.stream(request.sql, format, context)
    // An error before the first block still has its status.
    const first = await blocks.next()
    const tag = randomBytes(8).toString('hex')
    let failed = false
    async function* body() {
      try {
        for (let next = first; next.done !== true; next = await blocks.next()) {
          const stalled = setTimeout(() => response.destroy(), readerStallsMaxMs)
          yield next.value
          clearTimeout(stalled)
        }
      } catch (error) {
        failed = true
        yield Buffer.from(lateException(withVersion(toException(error).text), tag))
      }
    }
    try {
      response.writeHead(200, {
        'Content-Type': contentTypes.get(format) ?? 'text/plain; charset=UTF-8',
        'X-ClickHouse-Format': format,
        'X-ClickHouse-Exception-Tag': tag,
        'X-ClickHouse-Summary': summary({}, startedAt),
        ...(acceptsGzip ? { 'Content-Encoding': 'gzip' } : {}),
      })
      if (acceptsGzip) {
        const gzip = createGzip({ level: 1, flush: constants.Z_SYNC_FLUSH })
        await pipeline(body(), gzip, response, { end: false })
      } else await pipeline(body(), response, { end: false })
    } finally {
      await blocks.return(undefined)
    }
    // Whoever does not look for the exception in the body sees at least that the answer is cut short.
    if (failed) response.socket?.end()
    else response.end()
  }

  async function answerQuery(incoming: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const abort = new AbortController()
    const stopWatching = finished(response, (error) => {
      if (error) abort.abort()
    })
    const request = await readRequest(incoming, url)
    const { queryId } = request
    response.setHeader('X-ClickHouse-Query-Id', queryId)
    refuseUnfit(request)
    if (closing) throw exception('ABORTED', 'Server is shutting down')
    if (running.has(queryId))
      throw exception('QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING', `Query with id = ${queryId} is already running.`)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    running.set(queryId, { abort, ended })
    try {
      const leave = await gate.enter(abort.signal)
      try {
        const { database, params, isReadonly, statement } = request
        const isStream = isStreamable(statement, statement.format ?? request.defaultFormat)
        const bounded = isStream || request.settings.has('max_result_bytes')
        const settings = bounded
          ? request.settings
          : new Map(request.settings).set('max_result_bytes', `${answerBytesMax}`)
        const context = { queryId, database, settings, params, isReadonly, signal: abort.signal }
        if (isStream) await answerInBlocks(request, context, response)
        else await answerWhole(request, context, response)
      } finally {
        leave()
      }
    } finally {
      stopWatching()
      running.delete(queryId)
      end()
    }
  }

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://localhost')
    response.setHeader('X-ClickHouse-Server-Display-Name', 'headwater')
    response.setHeader('X-ClickHouse-Timezone', chdb.timezone)
    const isRead = incoming.method === 'GET' || incoming.method === 'HEAD'
    if (isRead && (url.pathname === '/ping' || (url.pathname === '/' && !url.searchParams.has('query')))) {
      response.end('Ok.\n')
      return
    }
    if (url.pathname !== '/' || !(isRead || incoming.method === 'POST')) {
      response.writeHead(url.pathname === '/' ? 405 : 404, { 'Content-Type': 'text/plain; charset=UTF-8' })
      response.end(`There is no handle ${incoming.method} ${url.pathname}. Use / or /ping for health checks.\n`)
      return
    }
    authenticate(incoming, url, account)
    await answerQuery(incoming, url, response)
  }

  function refuse(incoming: IncomingMessage, response: ServerResponse, error: ClickHouseException): void {
    // What is left of the body is let through, or the refusal would not arrive.
    incoming.unpipe()
    incoming.resume()
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    response.writeHead(httpStatus(error.code), {
      'Content-Type': 'text/plain; charset=UTF-8',
      'X-ClickHouse-Exception-Code': String(error.code),
    })
    response.end(`${withVersion(error.text)}\n`)
  }

  const server = createServer((incoming, response) => {
    respond(incoming, response).catch((error: unknown) => refuse(incoming, response, toException(error)))
  })
  // Longer than clients keep idle connections, so that they and not we end one: a request never meets a closing socket.
  server.keepAliveTimeout = 60_000

  return {
    server,
    async close() {
      closing = true
      server.close()
      const queries = [...running.values()]
      for (const { abort } of queries) abort.abort()
      await Promise.all(queries.map(({ ended }) => ended))
      server.closeAllConnections()
    },
  }
}
