import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ClickHouseClient, connectClickHouse } from './clickhouse.ts'

// A server that answers each statement with 1, the one it is told to hold only when it is let go.
let server: Server
let client: ClickHouseClient
let hold: { statement: string; came: () => void; go: Promise<void> } | undefined

beforeEach(async () => {
  hold = undefined
  server = createServer((request, response) => void answer(request, response))
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`Cannot tell the port of ${String(address)}`)
  client = connectClickHouse(`http://127.0.0.1:${address.port}`)
})
afterEach(async () => {
  vi.useRealTimers()
  await client.close()
  server.close()
  server.closeAllConnections()
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const statement = await text(request)
  if (hold !== undefined && statement.startsWith(hold.statement)) {
    hold.came()
    await hold.go
  }
  response.end('1\n')
}

async function ask(query: string, abort_signal?: AbortSignal): Promise<string> {
  const { stream } = await client.exec({ query, ...(abort_signal && { abort_signal }) })
  return text(stream)
}

test('a question that is given up before it has a connection does not end a later one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
  expect(await ask('SELECT first')).toBe('1\n')
  const giveUp = new AbortController()
  const givenUp = ask('SELECT given up', giveUp.signal)
  giveUp.abort()
  await expect(givenUp).rejects.toThrow('abort')

  const { promise: came, resolve } = Promise.withResolvers<void>()
  const { promise: go, resolve: letGo } = Promise.withResolvers<void>()
  hold = { statement: 'SELECT later', came: resolve, go }
  const later = ask('SELECT later')
  await came
  vi.advanceTimersByTime(60_000)
  letGo()
  expect(await later).toBe('1\n')
})

test('a connection that nobody uses ends by itself, before servers end it', async () => {
  const [[connection]] = (await Promise.all([once(server, 'connection'), ask('SELECT 1')])) as [[Socket], string]
  await once(connection, 'close')
  expect(await ask('SELECT 2')).toBe('1\n')
})
