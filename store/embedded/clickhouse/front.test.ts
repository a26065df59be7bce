// What the stock client may expect of a server, asked of the embedded front, or of the server that CLICKHOUSE_URL names.

import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { ClickHouseLogLevel, createClient, TupleParam, type ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startTestEngines, type TestEngines } from '../testing.ts'

let engines: TestEngines
let client: ClickHouseClient
const isEmbedded = !process.env['CLICKHOUSE_URL']

beforeAll(async () => {
  engines = await startTestEngines({ queriesMax: 6, queriesWaitingMax: 40, bodyBytesMax: 30 << 20 })
  client = createClient({
    url: engines.clickhouseUrl,
    request_timeout: 30_000,
    // The tests provoke errors; the client need not print them.
    log: { level: ClickHouseLogLevel.OFF },
    max_open_connections: 40,
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  })
})
afterAll(async () => {
  await client?.close()
  await engines?.stop()
})

async function rowsOf<Row>(query: string, query_params?: Record<string, unknown>): Promise<Row[]> {
  const result = await client.query({ query, format: 'JSONEachRow', ...(query_params && { query_params }) })
  return result.json<Row>()
}

let tables = 0
async function createTable(columns: string, engine = 'MergeTree ORDER BY tuple()'): Promise<string> {
  tables += 1
  const table = `t${tables}`
  await client.command({ query: `CREATE TABLE ${table} (${columns}) ENGINE = ${engine}` })
  return table
}

/**
 * A client for a test that aborts. After an abort that comes before the request has its connection, the stock client
 * (1.23.1) ends that connection 2.5 s after it was last free, whoever uses it by then ("socket hang up").
 */
function hastyClient(): ClickHouseClient {
  const hasty = createClient({ url: engines.clickhouseUrl, log: { level: ClickHouseLogLevel.OFF } })
  onTestFinished(() => hasty.close())
  return hasty
}

/** A request as any HTTP client would send it. */
async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(engines.clickhouseUrl)
  const credentials = Buffer.from(`${url.username}:${url.password}`).toString('base64')
  const headers = { authorization: `Basic ${credentials}`, ...(init.headers as Record<string, string>) }
  return fetch(`${url.origin}${path}`, { ...init, headers })
}

const database = () => new URL(engines.clickhouseUrl).pathname.slice(1)

async function untilRunning(queryId: string, isRunning: boolean): Promise<void> {
  // The embedded engine gives queries other IDs inside, but carries ours in a setting.
  const where = `query_id = '${queryId}' OR Settings['cluster_for_parallel_replicas'] = '${queryId}'`
  await expect
    .poll(() => rowsOf(`SELECT 1 FROM system.processes WHERE ${where}`), { timeout: 10_000, interval: 20 })
    .toHaveLength(isRunning ? 1 : 0)
}

const hostile = [
  'a\n\nDROP TABLE t1;\n\nSELECT 1',
  `it's "quoted" \`so\``,
  "'; DROP TABLE t1; --",
  'NUL \0 inside',
  'back\\slash \\n \\0 \\',
  '\\N',
  '{"json": "inside"}\n',
  '/* comment */ -- and more',
  'VALUES (1) FORMAT CSV',
  '𝄞 – ü',
  '',
]
const hostileBytes = Buffer.from([0, 10, 10, 59, 0xff, 0xfe, 0xc3, 0x28, 0x80, 39, 92, 10, 10])

function varint(n: number): Buffer {
  const bytes: number[] = []
  for (let rest = n; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest & 127) | 128)
  }
}
const text = (bytes: Buffer) => Buffer.concat([varint(bytes.length), bytes])

/** A Native block of one String column. */
function nativeBlock(name: string, values: Buffer[]): Buffer {
  const parts = [
    varint(1),
    varint(values.length),
    text(Buffer.from(name)),
    text(Buffer.from('String')),
    ...values.map(text),
  ]
  return Buffer.concat(parts)
}

test('ping, version and database are those of the URL', async () => {
  expect(await client.ping()).toEqual({ success: true })
  expect(await client.ping({ select: true })).toEqual({ success: true })
  expect(await rowsOf('SELECT currentDatabase() AS name')).toEqual([{ name: database() }])
})

test('JSONEachRow keeps hostile strings, from an array and from a stream', async () => {
  const table = await createTable('id UInt32, s String')
  const values = hostile.map((s, id) => ({ id, s }))
  await client.insert({ table, values, format: 'JSONEachRow' })
  await client.insert({ table, values: Readable.from(values), format: 'JSONEachRow' })
  const rows = await rowsOf<{ id: number; s: string }>(`SELECT * FROM ${table} ORDER BY id`)
  expect(rows).toEqual(values.flatMap((row) => [row, row]))
})

test('blank lines between JSON rows are blank lines', async () => {
  const table = await createTable('a UInt8')
  const body = `{"a":1}\n\n\n{"a":2}\n\n`
  const query = encodeURIComponent(`INSERT INTO ${table} FORMAT JSONEachRow`)
  expect((await request(`/?database=${database()}&query=${query}`, { method: 'POST', body })).status).toBe(200)
  expect(await rowsOf(`SELECT sum(a) AS sum FROM ${table}`)).toEqual([{ sum: 3 }])
})

test('RowBinary and Native keep every byte', async () => {
  const table = await createTable('s String')
  const values = [...hostile.map((value) => Buffer.from(value)), hostileBytes]
  const insert = (format: string, body: Buffer) =>
    client.exec({
      query: `INSERT INTO ${table} FORMAT ${format}`,
      values: Readable.from([body], { objectMode: false }),
    })
  for (const { stream } of [
    await insert('RowBinary', Buffer.concat(values.map(text))),
    await insert('Native', nativeBlock('s', values)),
  ])
    stream.resume()
  const rows = await rowsOf<{ hex: string; n: number }>(`SELECT hex(s) AS hex, count() AS n FROM ${table} GROUP BY s`)
  expect(new Set(rows.map(({ hex }) => hex))).toEqual(
    new Set(values.map((value) => value.toString('hex').toUpperCase())),
  )
  expect(rows.every(({ n }) => n === 2)).toBe(true)
  const { stream } = await client.exec({ query: `SELECT s FROM ${table} LIMIT 5 FORMAT RowBinary` })
  expect(Buffer.concat(await stream.toArray()).length).toBeGreaterThan(5)
})

test('rows inline in the statement are rows, whatever they hold', async () => {
  const table = await createTable('s String, n UInt8')
  await client.command({ query: `INSERT INTO ${table} VALUES ('a;\n\nSELECT 1', 1), (concat('b', '\\''), 1 + 1)` })
  await client.command({
    query: `INSERT INTO ${table} SETTINGS max_threads = 1 VALUES ({s:String}, {n:UInt8})`,
    query_params: { s: "it's\n\nme", n: 7 },
  })
  await client.command({ query: `INSERT INTO ${table} FORMAT JSONEachRow {"s":"\\n;","n":9}` })
  expect(await rowsOf(`SELECT s, n FROM ${table} ORDER BY n`)).toEqual([
    { s: 'a;\n\nSELECT 1', n: 1 },
    { s: "b'", n: 2 },
    { s: "it's\n\nme", n: 7 },
    { s: '\n;', n: 9 },
  ])
})

test('an insert says what it wrote, an empty one writes nothing, a bad one names the row', async () => {
  const table = await createTable('a UInt8')
  const { summary, query_id } = await client.insert({ table, values: [{ a: 1 }, { a: 2 }], format: 'JSONEachRow' })
  expect(summary?.written_rows).toBe('2')
  expect(query_id).toMatch(/^[0-9a-f-]{36}$/)
  expect((await client.insert({ table, values: [], format: 'JSONEachRow' })).executed).toBe(false)
  const query = encodeURIComponent(`INSERT INTO ${table} FORMAT JSONEachRow`)
  expect((await request(`/?database=${database()}&query=${query}`, { method: 'POST' })).status).toBe(200)
  const bad = client.insert({ table, values: [{ a: 1 }, { a: 'x' }], format: 'JSONEachRow' })
  await expect(bad).rejects.toMatchObject({
    code: expect.stringMatching(/^\d+$/),
    message: expect.not.stringContaining('spool'),
  })
  await expect(client.insert({ table: 'nowhere', values: [{ a: 1 }], format: 'JSONEachRow' })).rejects.toMatchObject({
    code: '60',
    type: 'UNKNOWN_TABLE',
  })
})

test('a repeated insert with the same token counts once', async () => {
  const engine = 'MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100'
  const table = await createTable('a UInt8', engine)
  for (const token of ['x', 'x', 'y'])
    await client.insert({
      table,
      values: [{ a: 1 }],
      format: 'JSONEachRow',
      clickhouse_settings: { insert_deduplication_token: token },
    })
  expect(await rowsOf(`SELECT count() AS n FROM ${table}`)).toEqual([{ n: 2 }])
})

test('INSERT … SELECT runs as a command', async () => {
  const table = await createTable('a UInt64')
  const { summary } = await client.command({ query: `INSERT INTO ${table} SELECT number FROM numbers(1000)` })
  expect(summary?.written_rows).toBe('1000')
  expect(await rowsOf(`SELECT sum(a) AS sum FROM ${table}`)).toEqual([{ sum: 499500 }])
})

test('parameters of many types arrive as they left', async () => {
  const values = {
    s: hostile.join('|'),
    i: -5,
    big: 18_446_744_073_709_551_615n,
    f: 1.5,
    b: true,
    none: null,
    when: new Date('2026-11-20T12:34:56.789Z'),
    list: ['a', "b'c", 'd\\', '\n\n;'],
    nested: [[1, 2], []],
    tuple: new TupleParam([1, 'x']),
    map: { k: 'v', "k'": 'ü' },
    name: 'number',
  }
  const [row] = await rowsOf(
    `SELECT {s:String} AS s, {i:Int32} AS i, toString({big:UInt64}) AS big, {f:Float64} AS f, {b:Bool} AS b,
      {none:Nullable(String)} AS none, toString({when:DateTime64(3, 'UTC')}) AS when, {list:Array(String)} AS list,
      {nested:Array(Array(UInt8))} AS nested, {tuple:Tuple(UInt8, String)} AS tuple, {map:Map(String, String)} AS map,
      {name:Identifier} AS name FROM numbers(1)`,
    values,
  )
  expect(row).toEqual({
    ...values,
    big: '18446744073709551615',
    when: '2026-11-20 12:34:56.789',
    tuple: [1, 'x'],
    name: 0,
  })
})

test('parameters too long for a URL come as a form', async () => {
  const list = Array.from({ length: 5_000 }, (_, at) => `value ${at}\n\n;`)
  const result = await client.query({
    query: 'SELECT length({list:Array(String)}) AS n, {list:Array(String)}[5000] AS last',
    query_params: { list },
    use_multipart_params: true,
    format: 'JSONEachRow',
  })
  expect(await result.json()).toEqual([{ n: 5000, last: 'value 4999\n\n;' }])
})

test('concurrent queries keep their parameters apart', async () => {
  const numbers = Array.from({ length: 60 }, (_, at) => at)
  const answers = await Promise.all(
    numbers.slice(0, 40).map((n) => rowsOf<{ n: number }>('SELECT {n:UInt8} AS n', { n })),
  )
  expect(answers.map(([row]) => row?.n)).toEqual(numbers.slice(0, 40))
})

test('what a query sets ends with it, also when it fails', async () => {
  const blockSize = `SELECT getSetting('max_block_size') AS n`
  const [usual] = await rowsOf(blockSize)
  const clickhouse_settings = { max_block_size: '1234' }
  const set = await client.query({ query: blockSize, clickhouse_settings, format: 'JSONEachRow' })
  expect(await set.json()).toEqual([{ n: 1234 }])
  await expect(client.query({ query: 'SELECT nothing', clickhouse_settings })).rejects.toThrow('nothing')
  await client.command({ query: 'SET max_block_size = 4321' })
  await client.command({ query: 'CREATE TEMPORARY TABLE mine (a UInt8)' })
  await client.command({ query: 'USE system' })
  for (let at = 0; at < 8; at += 1) expect(await rowsOf(blockSize)).toEqual([usual])
  expect(await rowsOf('SELECT currentDatabase() AS name')).toEqual([{ name: database() }])
  await expect(rowsOf('SELECT * FROM mine')).rejects.toMatchObject({ code: '60' })
  await expect(rowsOf('SELECT {s:String}')).rejects.toMatchObject({ code: '456' })
})

test('errors have the server’s code and type', async () => {
  const failing = (query: string) => client.query({ query }).then((result) => result.text())
  await expect(failing('SELEC 1')).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
  await expect(failing('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
  await expect(failing('SELECT nothing')).rejects.toMatchObject({ code: '47', type: 'UNKNOWN_IDENTIFIER' })
  await expect(failing("SELECT throwIf(1, 'boom')")).rejects.toMatchObject({
    code: '395',
    message: expect.stringContaining('boom'),
  })
  await expect(
    client.query({ query: 'SELECT 1', clickhouse_settings: { ['no_such_setting' as 'max_threads']: 1 } }),
  ).rejects.toMatchObject({
    code: '115',
    type: 'UNKNOWN_SETTING',
  })
  const elsewhere = createClient({
    url: Object.assign(new URL(engines.clickhouseUrl), { pathname: '/nowhere' }),
    log: { level: ClickHouseLogLevel.OFF },
  })
  await expect(elsewhere.query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '81', type: 'UNKNOWN_DATABASE' })
  await elsewhere.close()
  await expect(
    failing('SELECT sleepEachRow(0.1) FROM numbers(20) SETTINGS max_execution_time = 0.2'),
  ).rejects.toMatchObject({
    code: '159',
    type: 'TIMEOUT_EXCEEDED',
  })
})

test('several statements are refused, and none of them runs', async () => {
  const table = await createTable('a UInt8')
  await expect(client.command({ query: `SELECT 1; DROP TABLE ${table}` })).rejects.toMatchObject({ code: '62' })
  await expect(client.command({ query: `INSERT INTO ${table} VALUES (1); DROP TABLE ${table}` })).rejects.toThrow(
    'semicolon',
  )
  expect(await rowsOf(`EXISTS ${table}`)).toEqual([{ result: 1 }])
  expect(await (await request('/?query=SELECT+1+;--+and+no+more')).text()).toBe('1\n')
})

test('a wrong password gets nowhere', async () => {
  for (const wrong of [{ password: 'wrong' }, { username: 'nobody' }]) {
    const stranger = createClient({
      url: Object.assign(new URL(engines.clickhouseUrl), wrong),
      log: { level: ClickHouseLogLevel.OFF },
    })
    await expect(stranger.query({ query: 'SELECT 1' })).rejects.toMatchObject({
      code: '516',
      type: 'AUTHENTICATION_FAILED',
    })
    await stranger.close()
  }
})

test('user and password come in a header, as Basic, or in the URL', async () => {
  const { origin, username, password } = new URL(engines.clickhouseUrl)
  const query = 'query=SELECT+1'
  const asHeaders = { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password }
  expect(await (await fetch(`${origin}/?${query}`, { headers: asHeaders })).text()).toBe('1\n')
  expect(await (await fetch(`${origin}/?${query}&user=${username}&password=${password}`)).text()).toBe('1\n')
  expect(await (await request(`/?${query}`)).text()).toBe('1\n')
})

test.runIf(isEmbedded)('nobody gets in without a password', async () => {
  const response = await fetch(`${new URL(engines.clickhouseUrl).origin}/?query=SELECT+1`)
  expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516'])
})

test('GET only reads', async () => {
  const table = await createTable('a UInt8')
  const drop = `/?database=${database()}&query=DROP+TABLE+${table}`
  for (const path of [drop, `${drop}&readonly=0`])
    expect((await request(path)).headers.get('x-clickhouse-exception-code')).toBe('164')
  expect(await rowsOf(`EXISTS ${table}`)).toEqual([{ result: 1 }])
  expect(await (await request('/ping')).text()).toBe('Ok.\n')
})

test('readonly = 1 holds', async () => {
  const table = await createTable('a UInt8')
  const clickhouse_settings = { readonly: '1' } as const
  await expect(client.command({ query: `DROP TABLE ${table}`, clickhouse_settings })).rejects.toMatchObject({
    code: '164',
  })
  await expect(client.command({ query: 'SET readonly = 0', clickhouse_settings })).rejects.toMatchObject({
    code: '164',
  })
})

test('files are neither read nor written for a client', async () => {
  await expect(client.command({ query: `SELECT 1 INTO OUTFILE '/tmp/x' FORMAT CSV` })).rejects.toThrow(/outfile/i)
  const table = await createTable('s String')
  await expect(
    client.command({ query: `INSERT INTO ${table} FROM INFILE '/etc/hostname' FORMAT LineAsString` }),
  ).rejects.toThrow(/infile/i)
})

test.each(['JSON', 'JSONCompact', 'JSONObjectEachRow', 'JSONColumnsWithMetadata'] as const)(
  '%s answers whole',
  async (format) => {
    const result = await client.query({ query: 'SELECT number AS n FROM numbers(3)', format })
    expect(JSON.stringify(await result.json())).toContain('2')
  },
)

test.each([
  'JSONEachRow',
  'JSONCompactEachRow',
  'JSONCompactEachRowWithNamesAndTypes',
  'CSV',
  'CSVWithNames',
  'TabSeparated',
] as const)('%s streams every row once', async (format) => {
  const count = 300_000
  const result = await client.query({ query: `SELECT number AS n, toString(n) AS s FROM numbers(${count})`, format })
  let rows = 0
  for await (const chunk of result.stream()) rows += chunk.length
  expect(rows).toBe(count + (format.includes('NamesAndTypes') ? 2 : format.includes('Names') ? 1 : 0))
})

test('a big answer waits for its reader and does not fill the memory', async () => {
  const { stream } = await client.exec({ query: `SELECT repeat('x', 1000) FROM numbers(300000) FORMAT RowBinary` })
  const pid = engines.embedded?.pid()
  let bytes = 0
  for await (const chunk of stream) {
    if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 300))
    bytes += (chunk as Buffer).length
  }
  expect(bytes).toBe(300_000 * 1_002)
  expect(engines.embedded?.pid()).toBe(pid)
})

test('an error in the middle of an answer reaches the reader with code and type', async () => {
  const result = await client.query({
    query: 'SELECT throwIf(number = 250000) AS t, number FROM numbers(300000)',
    format: 'JSONEachRow',
    clickhouse_settings: { max_block_size: '1000', max_threads: 1, wait_end_of_query: 0 },
  })
  await expect(result.json()).rejects.toMatchObject({ code: '395' })
})

test('gzip both ways', async () => {
  const zipped = createClient({
    log: { level: ClickHouseLogLevel.OFF },
    url: engines.clickhouseUrl,
    compression: { request: true, response: true },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
  })
  const table = await createTable('id UInt32, s String')
  const values = hostile.map((s, id) => ({ id, s }))
  await zipped.insert({ table, values, format: 'JSONEachRow' })
  const result = await zipped.query({ query: `SELECT * FROM ${table} ORDER BY id`, format: 'JSONEachRow' })
  expect(await result.json()).toEqual(values)
  const whole = await zipped.query({ query: 'SELECT count() AS n FROM numbers(10)', format: 'JSON' })
  expect((await whole.json()).data).toEqual([{ n: 10 }])
  const big = await zipped.query({ query: 'SELECT number FROM numbers(300000)', format: 'JSONEachRow' })
  expect(await big.json()).toHaveLength(300_000)
  const failing = zipped.query({ query: 'SELECT nothing' })
  await expect(failing).rejects.toMatchObject({ code: '47' })
  await zipped.close()
})

test('a statement may come zipped, and a broken body is said to be broken', async () => {
  const headers = { 'content-encoding': 'gzip' }
  const fine = await request('/', { method: 'POST', headers, body: gzipSync('SELECT 42') })
  expect(await fine.text()).toBe('42\n')
  const query = encodeURIComponent(`INSERT INTO ${await createTable('s String')} FORMAT LineAsString`)
  const broken = await request(`/?database=${database()}&query=${query}`, {
    method: 'POST',
    headers,
    body: 'not gzip at all',
  })
  expect(broken.ok).toBe(false)
  expect(broken.headers.get('x-clickhouse-exception-code')).toMatch(/^\d+$/)
})

test('an aborted query is killed, however early', async () => {
  const hasty = hastyClient()
  for (const afterMs of [300, 50, 5, 1, 0]) {
    const abort = new AbortController()
    const query_id = randomUUID()
    const query =
      'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number)) SETTINGS max_threads = 1'
    const answer = hasty.query({ query, query_id, abort_signal: abort.signal })
    setTimeout(() => abort.abort(), afterMs)
    await expect(answer).rejects.toThrow('aborted')
    await untilRunning(query_id, false)
  }
}, 60_000)

test('a reader who leaves in the middle ends the query', async () => {
  const query_id = randomUUID()
  const query = 'SELECT number FROM system.numbers'
  const result = await client.query({ query, query_id, format: 'JSONEachRow' })
  for await (const rows of result.stream()) {
    expect(rows.length).toBeGreaterThan(0)
    break
  }
  result.close()
  await untilRunning(query_id, false)
})

test('an insert that is broken off leaves nothing', async () => {
  const table = await createTable('a UInt32')
  const abort = new AbortController()
  const values = Readable.from(
    (async function* () {
      yield { a: 1 }
      abort.abort()
      await new Promise((resolve) => setTimeout(resolve, 50))
      yield { a: 2 }
    })(),
  )
  const inserted = hastyClient().insert({ table, values, format: 'JSONEachRow', abort_signal: abort.signal })
  await expect(inserted).rejects.toThrow('aborted')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(await rowsOf(`SELECT count() AS n FROM ${table}`)).toEqual([{ n: 0 }])
})

test('the same query ID does not run twice at once', async () => {
  const query_id = randomUUID()
  const query = 'SELECT sleep(1.5)'
  const first = client.query({ query, query_id }).then((result) => result.text())
  await untilRunning(query_id, true)
  await expect(client.query({ query, query_id })).rejects.toMatchObject({ code: '216' })
  await first
})

test('20 queries at once answer right while inserts go on', async () => {
  const table = await createTable('batch UInt32, n UInt32')
  let batches = 0
  const inserts = Array.from({ length: 4 }, async () => {
    for (let at = 0; at < 10; at += 1) {
      const values = Array.from({ length: 500 }, (_, n) => ({ batch: batches, n }))
      batches += 1
      await client.insert({ table, values, format: 'JSONEachRow' })
    }
  })
  const queries = Array.from({ length: 20 }, async (_, at) => {
    for (let round = 0; round < 5; round += 1) {
      const [row] = await rowsOf<{ at: number; n: number }>(
        `SELECT {at:UInt32} AS at, count() % 500 AS n FROM ${table}`,
        { at },
      )
      expect(row).toEqual({ at, n: 0 })
    }
  })
  await Promise.all([...inserts, ...queries])
  expect(await rowsOf(`SELECT count() AS n FROM ${table}`)).toEqual([{ n: 20000 }])
}, 60_000)

test.runIf(isEmbedded)('more queries than may run and wait are refused as ClickHouse does', async () => {
  const crowd = createClient({
    url: engines.clickhouseUrl,
    log: { level: ClickHouseLogLevel.OFF },
    max_open_connections: 80,
  })
  // These run until they are let go: their answers have begun, and nobody reads them.
  const endless = { query: 'SELECT number FROM system.numbers', format: 'JSONEachRow' } as const
  const running = await Promise.all(Array.from({ length: 6 }, () => crowd.query(endless)))
  const { promise: allRefused, resolve } = Promise.withResolvers<void>()
  const refused: unknown[] = []
  const answers = Array.from({ length: 40 + 14 }, () =>
    crowd.query({ query: 'SELECT 1', format: 'TabSeparated' }).then(
      (result) => result.text(),
      (error: unknown) => {
        refused.push(error)
        if (refused.length === 14) resolve()
        return undefined
      },
    ),
  )
  await allRefused
  for (const result of running) result.close()
  const answered = (await Promise.all(answers)).filter((answer) => answer !== undefined)
  expect(answered).toEqual(Array.from({ length: 40 }, () => '1\n'))
  expect(refused).toHaveLength(14)
  for (const error of refused) expect(error).toMatchObject({ code: '202', type: 'TOO_MANY_SIMULTANEOUS_QUERIES' })
  await crowd.close()
})

test.runIf(isEmbedded)('a body that is too large once unpacked is refused, and the connection goes on', async () => {
  const table = await createTable('a UInt8')
  const query = encodeURIComponent(`INSERT INTO ${table} FORMAT JSONEachRow`)
  const body = gzipSync(Buffer.alloc((30 << 20) + 1, '\n'))
  const headers = { 'content-encoding': 'gzip' }
  const response = await request(`/?database=${database()}&query=${query}`, { method: 'POST', headers, body })
  expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([413, '307'])
  expect(await response.text()).toContain(String(30 << 20))
  expect(await rowsOf(`SELECT count() AS n FROM ${table}`)).toEqual([{ n: 0 }])
})

test.runIf(isEmbedded)('a query that wants too much memory fails alone', async () => {
  const query = 'SELECT groupArray(toString(number)) FROM numbers(100000000)'
  await expect(client.query({ query })).rejects.toMatchObject({ code: '241', type: 'MEMORY_LIMIT_EXCEEDED' })
  expect(await rowsOf('SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test.runIf(isEmbedded)('rows that hold bytes which are no text need an INSERT with rows', async () => {
  const response = await request('/', { method: 'POST', body: Buffer.from([...Buffer.from("SELECT '"), 0xff, 39]) })
  expect(await response.text()).toContain('not valid UTF-8')
})

test('SYSTEM statements, which could end the whole process group, are refused', async ({ skip }) => {
  if (!isEmbedded) return skip('a server may be told to end by who is allowed to')
  for (const query of ['SYSTEM SHUTDOWN', 'system /* now */ kill'])
    await expect(client.command({ query })).rejects.toThrow(/not for the embedded/)
})
