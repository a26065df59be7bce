import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { firstTestPair, secondTestPair } from './test-certificates.ts'
import { testFolder } from './test-keys.ts'
import { openTls } from './tls.ts'

const { pathOf } = testFolder()
const nowMs = Date.UTC(2026, 10, 27)
const ends: (() => void)[] = []
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  for (const end of ends.splice(0)) end()
  vi.useRealTimers()
})

function write({ cert, key }: { cert: string; key: string }): void {
  writeFileSync(pathOf('a.crt'), cert)
  writeFileSync(pathOf('a.key'), key)
}

function open(at = nowMs) {
  const lines: string[] = []
  const tls = openTls({
    certPath: pathOf('a.crt'),
    keyPath: pathOf('a.key'),
    nowMs: () => at,
    log: (line) => lines.push(line),
  })
  ends.push(() => tls.stop())
  return { tls, lines }
}

/** A server that greets, and how to connect to it. */
async function serve() {
  const { tls, lines } = open()
  const server = createServer(tls.options, (_request, response) => response.end('hello'))
  tls.follow(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const reach = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const ca = [firstTestPair.cert, secondTestPair.cert]
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca, ...options })
    ends.push(() => socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }
  return { reach, lines }
}

async function ask(socket: TLSSocket): Promise<string> {
  const answer = once(socket, 'data')
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const [data] = (await answer) as [Buffer]
  return data.toString().split('\r\n')[0] ?? ''
}

const nameOf = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN

test('a client that trusts the certificate gets an answer, over TLS 1.3 or 1.2 and nothing older', async () => {
  write(firstTestPair)
  const { reach } = await serve()
  const socket = await reach()
  expect([socket.authorized, socket.getProtocol(), await ask(socket)]).toEqual([true, 'TLSv1.3', 'HTTP/1.1 200 OK'])
  expect((await reach({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2')
  const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  await expect(reach(old)).rejects.toThrow(/protocol version/i)
})

test('a renewed pair is served without a restart, and open connections stay open', async () => {
  write(firstTestPair)
  const { reach, lines } = await serve()
  const before = await reach()
  write(secondTestPair)
  vi.advanceTimersByTime(4_000)
  const after = await reach()
  expect([nameOf(before), nameOf(after)]).toEqual([
    'Headwater first test certificate',
    'Headwater second test certificate',
  ])
  expect([await ask(before), await ask(after)]).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK'])
  await expect(reach({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(
    /protocol version/i,
  )
  expect(lines).toEqual([
    `The certificate in ${pathOf('a.crt')} has changed; it is good until 2120-01-01T00:00:00.000Z`,
  ])
})

test('a broken pair is told once, and the one before stays in service', async () => {
  write(firstTestPair)
  const { reach, lines } = await serve()
  write({ cert: secondTestPair.cert, key: firstTestPair.key })
  for (let looks = 0; looks < 5; looks++) vi.advanceTimersByTime(2_000)
  expect(nameOf(await reach())).toBe('Headwater first test certificate')
  expect(lines).toEqual([
    expect.stringMatching(/^Cannot use the certificate in .* What was read before stays in force$/),
  ])
})

test.each([
  [
    'no certificate',
    { ...firstTestPair, cert: 'nonsense' },
    /Cannot understand .*a\.crt: HEADWATER_OTLP_TLS_CERT has to/,
  ],
  ['a torn certificate', { ...firstTestPair, cert: firstTestPair.cert.slice(0, 300) }, /Cannot understand .*a\.crt: /],
  ['no key', { ...firstTestPair, key: 'nonsense' }, /Cannot understand .*a\.key: HEADWATER_OTLP_TLS_KEY has to name/],
  ['the key of another', { ...firstTestPair, key: secondTestPair.key }, /the key in .*a\.key belongs to another; give/],
  ['the two swapped', { cert: firstTestPair.key, key: firstTestPair.cert }, /Cannot understand .*a\.crt: /],
  [
    'a file that is large',
    { ...firstTestPair, key: ' '.repeat(2 ** 20 + 1) },
    /Cannot read .*a\.key: set HEADWATER_OTLP_TLS_KEY to a PEM file/,
  ],
])('%s is refused at the start by file and mend, without a word of the key', (_what, pair, message) => {
  write(pair)
  expect(() => open()).toThrow(message)
  expect(() => open()).not.toThrow(/MIGH|PRIVATE KEY/)
})

test('files that are not there are named with their settings', () => {
  expect(() => open()).toThrow(`Cannot read ${pathOf('a.crt')}: set HEADWATER_OTLP_TLS_CERT to a PEM file`)
  writeFileSync(pathOf('a.crt'), firstTestPair.cert)
  expect(() => open()).toThrow(`Cannot read ${pathOf('a.key')}: set HEADWATER_OTLP_TLS_KEY to a PEM file`)
})

test('a certificate whose time is over or to come is served, with a warning', () => {
  write(firstTestPair)
  expect(open().lines).toEqual([])
  expect(open(Date.UTC(2121, 0, 1)).lines).toEqual([
    `The certificate in ${pathOf('a.crt')} was good until 2120-01-01T00:00:00.000Z; senders refuse it, renew it`,
  ])
  expect(open(Date.UTC(2019, 0, 1)).lines).toEqual([
    `The certificate in ${pathOf('a.crt')} is good from 2020-01-01T00:00:00.000Z only; check this machine's clock`,
  ])
})
