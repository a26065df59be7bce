// ClickHouse inside this process. Every query gets a connection of its own: opening one costs 0.3 ms, and what a query
// sets (settings, database, parameters, temporary tables) ends with it, also after an error.

import { loadChdbBinding } from '../platform.ts'
import { exception } from './exception.ts'

/** How a query wants to be run. */
export interface QueryContext {
  queryId: string
  database: string | undefined
  settings: ReadonlyMap<string, string>
  /** Values of `{name:Type}`, escaped as in TabSeparated, which is how they come over HTTP. */
  params: ReadonlyMap<string, string>
  isReadonly: boolean
  signal: AbortSignal
}

/** A finished query: its answer, and what it read. */
export interface Answer {
  bytes: Uint8Array
  readRows: number
  readBytes: number
}

/** What an INSERT wrote, into the table and into what its views feed. */
export interface Written {
  writtenRows: number
  writtenBytes: number
}

export interface Chdb {
  version: string
  timezone: string
  /** Runs a statement to its end. */
  run(sql: string, format: string, context: QueryContext): Promise<Answer>
  /** Runs an INSERT that needs nothing but its text. */
  insert(sql: string, context: QueryContext): Promise<Written>
  /** Runs a SELECT whose answer is taken block by block; leaving the loop ends it. */
  stream(sql: string, format: string, context: QueryContext): AsyncGenerator<Uint8Array>
  /** Ends the engine. Nothing may run any more. */
  close(): Promise<void>
}

export interface ChdbOptions {
  path: string
  memoryMaxBytes: number
  queryMemoryMaxBytes: number
  threadsMax: number
}

/** Where a query carries the tag by which KILL finds it: a setting that means nothing to an engine without clusters. */
const tagSetting = 'cluster_for_parallel_replicas'
const killAgainAfterMs = 50
const noPayload = Buffer.alloc(0)

/** A value as an SQL string. */
export function quote(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`
}

/** A name as an SQL identifier. */
function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

function assignments(context: QueryContext): string {
  const all: string[] = []
  for (const [name, value] of context.settings) {
    if (!/^\w+$/.test(name)) throw exception('UNKNOWN_SETTING', `Unknown setting '${name}'`)
    if (name === 'readonly' && value === '0' && context.isReadonly) continue
    if (name !== tagSetting) all.push(`${name} = ${quote(value)}`)
  }
  for (const [name, value] of context.params) {
    if (!/^\w+$/.test(name)) throw exception('BAD_REQUEST_PARAMETER', `Query parameter name '${name}' is not a word`)
    all.push(`param_${name} = ${quote(value)}`)
  }
  all.push(`${tagSetting} = ${quote(context.queryId)}`)
  if (context.isReadonly && (context.settings.get('readonly') ?? '0') === '0') all.push('readonly = 2')
  return all.join(', ')
}

/** Opens ClickHouse on a directory. One directory per process, for the life of the process. */
export async function openChdb(options: ChdbOptions): Promise<Chdb> {
  const connectionArgs = [
    `--max_server_memory_usage=${options.memoryMaxBytes}`,
    `--max_memory_usage=${options.queryMemoryMaxBytes}`,
    `--max_threads=${options.threadsMax}`,
    '--mark_cache_size=16777216',
    // Most answers are short: threads to format them take more than formatting does.
    '--output_format_parallel_formatting=0',
    '--background_pool_size=2',
    '--background_schedule_pool_size=2',
    // Merges can wait; inserts have senders that wait for them.
    '--os_threads_nice_value_merge_mutate=15',
  ]
  const binding = loadChdbBinding()
  const connect = () => binding.CreateConnection(options.path, connectionArgs)
  const control = connect()
  const ask = async (sql: string) =>
    Buffer.from((await binding.QueryAsyncConnection(control, sql, 'TSVRaw')).bytes)
      .toString()
      .trimEnd()
  const version = await ask('SELECT version()')
  const timezone = await ask('SELECT timezone()')

  // A query that is only about to begin cannot be killed yet, so KILL repeats until everything doomed has ended.
  const doomed = new Set<string>()
  let executioner: Promise<void> | undefined
  const killDoomed = async () => {
    while (doomed.size > 0) {
      const tags = [...doomed].map(quote).join(', ')
      await ask(`KILL QUERY WHERE Settings['${tagSetting}'] IN (${tags}) ASYNC`).catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, killAgainAfterMs))
    }
    executioner = undefined
  }

  const doom = (queryId: string) => {
    doomed.add(queryId)
    executioner ??= killDoomed()
  }

  /** Opens a connection that carries the query's context, and the means to end it. */
  async function begin(context: QueryContext) {
    const set = assignments(context)
    const connection = connect()
    const kill = () => doom(context.queryId)
    const end = () => {
      context.signal.removeEventListener('abort', kill)
      doomed.delete(context.queryId)
      binding.CloseConnection(connection)
    }
    try {
      if (context.database !== undefined)
        await binding.QueryAsyncConnection(connection, `USE ${quoteName(context.database)}`, 'Null')
      await binding.QueryAsyncConnection(connection, `SET ${set}`, 'Null')
      if (context.signal.aborted) throw exception('QUERY_WAS_CANCELLED', 'Query was cancelled')
    } catch (error) {
      end()
      throw error
    }
    context.signal.addEventListener('abort', kill)
    return { connection, end }
  }

  return {
    version,
    timezone,
    async run(sql, format, context) {
      const { connection, end } = await begin(context)
      try {
        const result = await binding.QueryAsyncConnection(connection, sql, format)
        return { bytes: result.bytes, readRows: result.rowsRead, readBytes: result.bytesRead }
      } finally {
        end()
      }
    },
    async insert(sql, context) {
      const { connection, end } = await begin(context)
      try {
        const result = await binding.InsertRawAsyncConnection(connection, sql, noPayload, false)
        return { writtenRows: result.rowsWritten, writtenBytes: result.bytesWritten }
      } finally {
        end()
      }
    },
    async *stream(sql, format, context) {
      const { connection, end } = await begin(context)
      try {
        const stream = binding.StreamQuery(connection, sql, format)
        let isOpen = true
        try {
          for (;;) {
            isOpen = false
            const block = await binding.StreamFetch(stream)
            if (block.done) return
            isOpen = true
            yield block.bytes
          }
        } finally {
          if (isOpen) binding.StreamCancel(stream)
        }
      } finally {
        end()
      }
    },
    async close() {
      doomed.clear()
      await executioner
      binding.CloseConnection(control)
    },
  }
}
