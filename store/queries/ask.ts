// Every question to an engine passes here: bounded in time, with parameters, and with one error for an engine that is away.
import type { Store } from '../connect.ts'

/** An engine did not answer, or had no room for the question. Nothing is wrong with the question; ask again later. */
export class EngineAway extends Error {
  override name = 'EngineAway'
  readonly engine: 'ClickHouse' | 'PostgreSQL'

  constructor(engine: EngineAway['engine'], deed: string, cause: unknown) {
    super(`Cannot ${deed}: ${engine} is away or busy (${messageOf(cause)})`, { cause })
    this.engine = engine
  }
}

export interface Question {
  /** Completes "Cannot …". */
  deed: string
  query: string
  params?: Record<string, unknown>
  secondsMax?: number
}

/** Rows of one ClickHouse query. Times come as RFC 3339 in UTC, with as many digits as the column has. */
export async function askClickHouse<Row>(
  { clickhouse }: Pick<Store, 'clickhouse'>,
  { deed, query, params = {}, secondsMax = 10 }: Question,
): Promise<Row[]> {
  try {
    const answer = await clickhouse.query({
      query,
      query_params: params,
      format: 'JSONEachRow',
      clickhouse_settings: {
        max_execution_time: secondsMax,
        date_time_output_format: 'iso',
      },
    })
    return await answer.json<Row>()
  } catch (cause) {
    if (isAway(cause, clickhouseBusyCodes)) throw new EngineAway('ClickHouse', deed, cause)
    throw new Error(`Cannot ${deed}: ClickHouse says ${messageOf(cause)}`, { cause })
  }
}

/** The answer of one PostgreSQL query. */
export async function askPostgres<Answer>(deed: string, query: () => Promise<Answer>): Promise<Answer> {
  try {
    return await query()
  } catch (cause) {
    if (isAway(cause, postgresBusyCodes)) throw new EngineAway('PostgreSQL', deed, cause)
    throw new Error(`Cannot ${deed}: PostgreSQL says ${messageOf(cause)}`, { cause })
  }
}

/** TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED, QUERY_WAS_CANCELLED. */
const clickhouseBusyCodes = new Set(['159', '202', '241', '394'])
/** Connection exceptions, too many connections, shutdown, starting up, statement cancelled. */
const postgresBusyCodes = new Set(['08000', '08003', '08006', '08001', '53300', '57P01', '57P02', '57P03', '57014'])
const awayMessage = /socket hang up|timeout|timed out|connection terminated|connection error|not queryable|aborted/i

function isAway(error: unknown, busyCodes: ReadonlySet<string>): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (busyCodes.has(code) || /^E[A-Z]+$/.test(code)) return true
  // A typed answer of the engine has a code of its own; only a lost connection has none.
  if (code === '' && awayMessage.test(error.message)) return true
  if (error instanceof AggregateError) return error.errors.some((inner) => isAway(inner, busyCodes))
  return error.cause !== undefined && isAway(error.cause, busyCodes)
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
