import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'

export type { ClickHouseClient } from '@clickhouse/client'

const connectionsMax = 12
/** Less than the three seconds after which older servers end a connection that nobody uses. */
const idleMaxMs = 2_500

/**
 * The stock client for a URL such as `http://user:password@host:8123/database`; the database defaults to `headwater`.
 * JSON integers stay numbers, times are UTC text, and an answer may take two minutes: a large tick of settling does;
 * who waits for a person bounds its questions itself.
 */
export function connectClickHouse(url: string): ClickHouseClient {
  const parsed = new URL(url)
  const database = decodeURIComponent(parsed.pathname.slice(1)) || 'headwater'
  const username = decodeURIComponent(parsed.username) || 'default'
  const password = decodeURIComponent(parsed.password)
  parsed.pathname = ''
  parsed.username = ''
  parsed.password = ''
  const Agent = parsed.protocol === 'https:' ? HttpsAgent : HttpAgent
  return createClient({
    url: parsed,
    database,
    username,
    password,
    application: 'headwater',
    request_timeout: 120_000,
    max_open_connections: connectionsMax,
    // Idle connections end by the agent's clock. The client's own (1.23.1) loses sight of its timer when a request is
    // aborted before it has its connection, and then ends that connection under a later request: "socket hang up".
    http_agent: new Agent({ keepAlive: true, maxSockets: connectionsMax, timeout: idleMaxMs }),
    keep_alive: { enabled: true, idle_socket_ttl: 0 },
    // Whoever asks tells what failed, once.
    log: { level: ClickHouseLogLevel.OFF },
    // Long lists of services do not fit into a URL.
    use_multipart_params_auto: true,
    compression: { request: false, response: false },
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 0,
      date_time_input_format: 'best_effort',
      // On by default of late; an insert that bears a deduplication token must be the block that it is.
      async_insert: 0,
      // A lost write must fail loudly where the server can be a cluster.
      wait_end_of_query: 1,
    },
  })
}

/** The name of the client's database, for statements that cannot do without it. */
export function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || 'headwater'
}
