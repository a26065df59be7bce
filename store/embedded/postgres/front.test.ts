import { createConnection } from 'node:net'
import { Client, Pool, type PoolClient } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestEngines, type TestEngines } from '../testing.ts'
import { message, startupMessage } from './messages.ts'

let engines: TestEngines
let pool: Pool
const isEmbedded = !process.env['DATABASE_URL']
const idleTransactionMs = 400

beforeAll(async () => {
  engines = await startTestEngines({ idleTransactionMs })
  pool = new Pool({ connectionString: engines.databaseUrl, max: 8 })
  pool.on('error', () => undefined)
  await pool.query('CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)')
})
afterAll(async () => {
  await pool?.end()
  await engines?.stop()
})
beforeEach(async () => {
  await pool.query('TRUNCATE account')
  await pool.query('INSERT INTO account VALUES (1, 0), (2, 0)')
})

async function balance(id: number): Promise<number> {
  const { rows } = await pool.query<{ balance: number }>('SELECT balance FROM account WHERE id = $1', [id])
  return rows[0]?.balance ?? Number.NaN
}

async function inTransaction(work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}

test('concurrent transactions do not see one another half done', async () => {
  await Promise.all(
    Array.from({ length: 100 }, () =>
      inTransaction(async (client) => {
        const { rows } = await client.query<{ balance: number }>('SELECT balance FROM account WHERE id = 1 FOR UPDATE')
        await client.query('UPDATE account SET balance = $1 WHERE id = $2', [(rows[0]?.balance ?? 0) + 1, 1])
      }),
    ),
  )
  expect(await balance(1)).toBe(100)
})

test('concurrent statements with parameters keep them apart', async () => {
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, n) => {
      const { rows } =
        n % 2 === 0
          ? await pool.query<{ n: number }>('SELECT $1::int AS n', [n])
          : await pool.query<{ n: number }>('SELECT length($1::text) AS n, $2::text AS s', ['x'.repeat(n), "it's"])
      return rows[0]?.n
    }),
  )
  expect(answers).toEqual(Array.from({ length: 300 }, (_, n) => n))
})

test('an error is the statement’s own and the connection goes on', async () => {
  const client = await pool.connect()
  await expect(client.query('SELECT $1::int / 0', [1])).rejects.toMatchObject({ code: '22012' })
  await client.query('BEGIN')
  await expect(client.query('INSERT INTO account VALUES (1, 0)')).rejects.toMatchObject({ code: '23505' })
  await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' })
  await client.query('ROLLBACK')
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  client.release()
})

test('a big answer arrives whole', async () => {
  const { rows } = await pool.query('SELECT repeat($1, 1000) AS s FROM generate_series(1, 20000)', ['x'])
  expect(rows).toHaveLength(20_000)
})

test('a client that dies in a transaction leaves nothing and blocks nobody', async () => {
  const client = new Client({ connectionString: engines.databaseUrl })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('BEGIN')
  await client.query('UPDATE account SET balance = -1 WHERE id = 1')
  const waiting = balance(1)
  // What a killed process does: its socket closes without a word.
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
  expect(await waiting).toBe(0)
})

test('a client that dies in the middle of a message blocks nobody', async () => {
  const { hostname, port, username, password } = new URL(engines.databaseUrl)
  const socket = createConnection(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(startupMessage({ user: username, database: new URL(engines.databaseUrl).pathname.slice(1) }))
  socket.write(message('p', password))
  socket.write(message('Q', 'BEGIN'))
  socket.write(message('P', '', 'SELECT 1', Buffer.from([0, 0])).subarray(0, 9))
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.destroy()
  expect(await balance(1)).toBe(0)
})

test.runIf(isEmbedded)('an idle transaction is ended in favour of those who wait', async () => {
  const client = new Client({ connectionString: engines.databaseUrl })
  const ended = new Promise<Error>((resolve) => client.on('error', resolve))
  await client.connect()
  await client.query('BEGIN')
  await client.query('UPDATE account SET balance = -1 WHERE id = 2')
  const startedAt = performance.now()
  expect(await balance(2)).toBe(0)
  expect(performance.now() - startedAt).toBeLessThan(idleTransactionMs * 5)
  expect(await ended).toMatchObject({ code: '25P03' })
})

test('without user and password nobody gets in', async () => {
  for (const wrong of [{ password: 'wrong' }, { username: 'nobody' }]) {
    const url = new URL(engines.databaseUrl)
    Object.assign(url, wrong)
    const client = new Client({ connectionString: url.href })
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' })
    await client.end()
  }
})

test('another database is named in the refusal', async () => {
  const client = new Client({
    connectionString: Object.assign(new URL(engines.databaseUrl), { pathname: '/nowhere' }).toString(),
  })
  await expect(client.connect()).rejects.toMatchObject({ code: '3D000' })
  await client.end()
})

test.runIf(isEmbedded)('who speaks before the password, or not the protocol, is not heard', async () => {
  const { hostname, port } = new URL(engines.databaseUrl)
  for (const bytes of [
    Buffer.concat([startupMessage({ user: 'headwater', database: 'postgres' }), message('Q', 'DROP TABLE account')]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0, 0, 0, 1]),
  ]) {
    const socket = createConnection(Number(port), hostname)
    socket.write(bytes)
    const answer = Buffer.concat(await socket.toArray())
    expect(answer.toString('latin1')).toMatch(/password authentication failed|Message length/)
  }
  expect(await balance(1)).toBe(0)
})

test.runIf(isEmbedded)('COPY FROM STDIN is refused, not fatal', async () => {
  await expect(pool.query('COPY account FROM STDIN')).rejects.toMatchObject({ code: '0A000' })
  await expect(pool.query({ text: 'COPY account FROM STDIN', values: [] })).rejects.toThrow('use INSERT')
  expect(await balance(1)).toBe(0)
})

test('a named statement is prepared once and used again', async () => {
  const client = await pool.connect()
  for (const n of [1, 2, 3]) {
    const { rows } = await client.query({ name: 'double', text: 'SELECT $1::int * 2 AS n', values: [n] })
    expect(rows).toEqual([{ n: n * 2 }])
  }
  client.release()
})
