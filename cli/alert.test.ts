// Alerts are tried before they are needed: without engines, from the file alone.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from './testing.ts'

const directory = mkdtempSync(join(tmpdir(), 'headwater-alert-'))
const file = join(directory, 'alerts.yaml')
const heard: string[] = []
const receiver = createServer((request, response) => {
  heard.push(request.url ?? '')
  request.resume()
  response.writeHead(request.url === '/broken' ? 500 : 200).end(request.url === '/broken' ? 'out of order' : '')
})

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const destinations = { good: { type: 'slack', url: `${url}/good` }, broken: { type: 'slack', url: `${url}/broken` } }
  const routes = [
    { name: 'first', to: ['good'] },
    { name: 'second', to: ['broken'] },
  ]
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ destinations, routes }))
})

afterAll(() => {
  receiver.close()
  rmSync(directory, { recursive: true })
})

test('alert test sends an example to a route, and says what came back', async () => {
  const { code, stdout, stderr } = await run(['alert', 'test', '--route', 'first'], { HEADWATER_ALERTS: file })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['ROUTE', 'DESTINATION', 'MESSAGE', 'RESULT', 'WHAT IT SAID'],
    ['first', 'good', 'opened', 'taken', 'it answered 200'],
    ['first', 'good', 'resolved', 'taken', 'it answered 200'],
    [''],
  ])
  expect(heard).toEqual(['/good', '/good'])
})

test('a destination that does not take it makes the command fail', async () => {
  const { code, stdout } = await run(['alert', 'test', '--json'], { HEADWATER_ALERTS: file })
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    results: [
      { route: 'first', isTaken: true },
      { route: 'first', isTaken: true },
      { route: 'second', destination: 'broken', isTaken: false, says: 'it answered 500: out of order' },
      { route: 'second', isTaken: false },
    ],
  })
})

test('a route that is not there is refused with those that are', async () => {
  const { code, stderr } = await run(['alert', 'test', '--route', 'third'], { HEADWATER_ALERTS: file })
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'headwater: Cannot find the route "third": use one of first, second\n',
  })
})
