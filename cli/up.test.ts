// One Headwater from its first start to its last, as a user would meet it: real processes, real engines, plain OTLP.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { childrenOf, isAlive, run, type Run, start } from './testing.ts'

interface RunFile {
  pid: number
  otlpUrl: string
  apiUrl: string
  clickhouseUrl: string
  databaseUrl: string
}

const dataDir = mkdtempSync(join(tmpdir(), 'headwater-cli-'))
const alertsPath = join(dataDir, 'alerts.yaml')
const settings = { HEADWATER_DATA: dataDir, HEADWATER_ALERTS: alertsPath }
const runPath = join(dataDir, 'run.json')
let headwater: Run
let at: RunFile

/** Who is told of incidents, and of Headwater's health. */
const heard: string[] = []
const receiver = createHttpServer((request, response) => {
  heard.push(request.url ?? '')
  request.resume()
  response.writeHead(204).end()
})

async function startUp(): Promise<void> {
  headwater = start(['up'], settings)
  await headwater.says('Headwater is ready')
  at = JSON.parse(readFileSync(runPath, 'utf8')) as RunFile
}

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const address = receiver.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const file = {
    destinations: { team: { type: 'slack', url: `${url}/team` } },
    routes: [{ name: 'all', to: ['team'] }],
    heartbeat: { url: `${url}/beat`, every: '10s' },
  }
  // JSON is YAML.
  writeFileSync(alertsPath, JSON.stringify(file))
  await startUp()
})

afterAll(async () => {
  headwater?.process.kill('SIGKILL')
  await headwater?.ended
  receiver.close()
  receiver.closeAllConnections()
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
})

/** A run of one failed request, as any SDK sends it. */
async function send(otlpUrl: string, traceId = randomBytes(16).toString('hex')) {
  const endNs = BigInt(Date.now()) * 1_000_000n
  const span = {
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'POST /checkout',
    kind: 2,
    startTimeUnixNano: String(endNs - 20_000_000n),
    endTimeUnixNano: String(endNs),
    status: { code: 2, message: 'out of stock' },
  }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${otlpUrl}/v1/traces`, { method: 'POST', headers, body })
  await response.arrayBuffer()
  return { traceId, status: response.status }
}

async function ask(path: string, apiUrl = at.apiUrl): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${apiUrl}${path}`)
  return { status: response.status, body: await response.json() }
}

/** Done once the run is among those that have settled. */
async function settled(traceId: string, apiUrl = at.apiUrl): Promise<void> {
  const list = await until(
    () => ask('/api/v1/executions?status=error', apiUrl),
    ({ body }) => JSON.stringify(body).includes(`"flowId":"${traceId}"`),
  )
  expect(list.body).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ flowId: traceId })]) })
}

/** Asks until the answer is as wanted, almost as fast as it answers: the engines are away for a second only. */
async function until<T>(question: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  const startedMs = performance.now()
  for (;;) {
    const answer = await question()
    if (isWanted(answer) || performance.now() - startedMs > 30_000) return answer
    await sleep(10)
  }
}

test('up says where to send and where to look, and tells only its owner how to reach the engines', () => {
  expect(headwater.stdout()).toContain(`Send spans to   ${at.otlpUrl}/v1/traces`)
  expect(headwater.stdout()).toContain(`Look at         ${at.apiUrl}\n`)
  expect(headwater.stderr()).toBe('')
  expect(at.pid).toBe(headwater.pid)
  expect(statSync(runPath).mode & 0o777).toBe(0o600)
  for (const url of [at.otlpUrl, at.apiUrl, at.clickhouseUrl, at.databaseUrl])
    expect(new URL(url).hostname).toBe('127.0.0.1')
})

test.skipIf(process.platform !== 'linux')(
  'it runs with the options that a collector wants, as the process that was started',
  () => {
    expect(at.pid).toBe(headwater.pid)
    expect(readFileSync(`/proc/${at.pid}/cmdline`, 'utf8')).toContain('--max-semi-space-size=8')
  },
)

test('a plain OTLP request settles into a service and a run, and explain tells its origin', async () => {
  const { traceId, status } = await send(at.otlpUrl)
  expect(status).toBe(200)
  await settled(traceId)

  const services = await ask('/api/v1/services')
  expect(services.body).toMatchObject({ items: [expect.objectContaining({ service: 'shop' })] })
  const executions = await ask('/api/v1/executions?status=error')
  expect(executions.body).toMatchObject({
    items: [{ flowId: traceId, flowName: 'POST /checkout', services: ['shop'] }],
  })

  const told = await run(['explain', traceId, '--json'], settings)
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(told.stdout)).toMatchObject({
    flowId: traceId,
    origin: { traceId, service: 'shop', operation: 'POST /checkout' },
  })
  expect((await run(['explain', traceId], settings)).stdout).toContain('Started at    shop POST /checkout')
  const now = await run(['explain'], settings)
  expect(now).toMatchObject({ code: 0, stderr: '' })
  expect(now.stdout).toMatch(/^(Not enough data yet|No incident is open): /)
  const [from, to] = [-7, -6].map((hours) => new Date(Date.now() + hours * 3_600_000).toISOString())
  const past = await run(['explain', '--from', from ?? '', '--to', to ?? '', '--json'], settings)
  expect(JSON.parse(past.stdout)).toMatchObject({
    state: 'not-enough-data',
    summary: 'Not enough data: no call is known from this time.',
    told: null,
  })
  const unknown = await run(['explain', 'f'.repeat(32)], settings)
  expect(unknown).toMatchObject({ code: 1, stdout: '' })
  expect(unknown.stderr).toMatch(/^headwater: .*f{32}.*\n$/)
})

test('alerts go out from it, and their log is at hand', async () => {
  await expect.poll(() => heard, { timeout: 30_000, interval: 100 }).toContain('/beat')
  const metrics = await (await fetch(`${at.apiUrl}/metrics`)).text()
  expect(metrics).toContain('headwater_alerts_leader 1\n')
  expect(await run(['alert', 'log'], settings)).toEqual({ code: 0, stdout: 'No messages yet\n', stderr: '' })
  expect((await run(['alert', 'enable', 'team'], settings)).stderr).toBe(
    'headwater: Cannot enable "team": no destination of that name is disabled\n',
  )
})

test('doctor and migrate work beside it', async () => {
  const doctor = await run(['doctor', '--json'], settings)
  const { findings } = JSON.parse(doctor.stdout) as { findings: { check: string; status: string }[] }
  expect(findings.map(({ check, status }) => `${check}: ${status}`)).toEqual([
    'node: good',
    'process: good',
    'engines: good',
    'collector: good',
    'ledger: good',
    'analyzer: good',
    'traces: good',
  ])
  expect(doctor.code).toBe(0)
  const migrate = await run(['migrate', '--json'], settings)
  expect(JSON.parse(migrate.stdout)).toEqual([
    { engine: 'clickhouse', applied: [], already: expect.arrayContaining(['001_otel_traces.sql']) },
    { engine: 'postgres', applied: [], already: expect.arrayContaining(['001_state.sql']) },
  ])
})

test('a second up in the same directory names the first one, and leaves it alone', async () => {
  const second = await run(['up'], settings)
  expect(second).toEqual({
    code: 1,
    stdout: '',
    stderr:
      `headwater: Cannot use the data directory ${dataDir}: process ${headwater.pid} (${at.apiUrl}) already runs there. ` +
      'Use that one, stop it, or set HEADWATER_DATA to another directory\n',
  })
  expect((await ask('/readyz')).status).toBe(200)
})

test('a port that is taken is named, with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = String(typeof address === 'object' && address !== null ? address.port : 0)
  try {
    for (const [command, name] of [
      ['collector', 'HEADWATER_OTLP_PORT'],
      ['api', 'HEADWATER_PORT'],
    ] as const) {
      const { code, stdout, stderr } = await run([command], { ...settings, [name]: port })
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(new RegExp(`^headwater: Cannot .*127\\.0\\.0\\.1:${port}: another .*${name}.*\\n$`))
    }
  } finally {
    other.close()
  }
})

test('collector, analyzer, API and alerts run as processes of their own on the same engines', async () => {
  const stations = ['collector', 'analyzer', 'api', 'alerts'].map((command) => start([command], settings))
  const [collector, analyzer, api, alerts] = stations
  try {
    await Promise.all([
      collector?.says('Send spans to'),
      analyzer?.says('one analyzer leads, others wait'),
      api?.says('Look at'),
      alerts?.says('one responder leads, others wait'),
    ])
    const otlpUrl = /Send spans to (\S+)\/v1\/traces/.exec(collector?.stdout() ?? '')?.[1] ?? ''
    const apiUrl = /Look at (\S+);/.exec(api?.stdout() ?? '')?.[1] ?? ''
    const { traceId, status } = await send(otlpUrl)
    expect(status).toBe(200)
    await settled(traceId, apiUrl)
  } finally {
    for (const station of stations) station.process.kill('SIGTERM')
  }
  expect(await Promise.all(stations.map(({ ended }) => ended))).toEqual([0, 0, 0, 0])
})

test('killed engines: readiness names them, the log takes what comes, and all of it recovers by itself', async () => {
  const [engines = 0] = childrenOf(headwater.pid)
  process.kill(engines, 'SIGKILL')
  const isDown = { ready: false, parts: { clickhouse: { ok: false }, postgres: { ok: false } } }
  expect(
    await until(
      () => ask('/readyz'),
      ({ status }) => status === 503,
    ),
  ).toMatchObject({ status: 503, body: isDown })
  // The log takes what comes meanwhile.
  const meanwhile = await send(at.otlpUrl)
  expect(meanwhile.status).toBe(200)
  await expect.poll(async () => (await ask('/readyz')).status, { timeout: 30_000, interval: 100 }).toBe(200)
  const { traceId, status } = await send(at.otlpUrl)
  expect(status).toBe(200)
  await settled(meanwhile.traceId)
  await settled(traceId)
  expect(headwater.stderr()).toMatch(/engines: process \d+ ended \(SIGKILL\)/)
  expect(headwater.stderr()).toContain('engines: back after')
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends everything within five seconds, and the data is there again',
  async (signal) => {
    const before = await ask('/api/v1/executions')
    const [engines = 0] = childrenOf(headwater.pid)
    const askedMs = performance.now()
    process.kill(headwater.pid, signal)
    expect(await headwater.ended).toBe(0)
    expect(performance.now() - askedMs).toBeLessThan(5_000)
    expect(isAlive(engines)).toBe(false)
    expect(() => statSync(runPath)).toThrow('ENOENT')
    await startUp()
    expect(await ask('/api/v1/executions')).toEqual(before)
  },
)

test('the engines end with a parent that is killed', async () => {
  const [engines = 0] = childrenOf(headwater.pid)
  expect(isAlive(engines)).toBe(true)
  process.kill(headwater.pid, 'SIGKILL')
  await headwater.ended
  await expect.poll(() => isAlive(engines), { timeout: 5_000, interval: 50 }).toBe(false)
  expect((await run(['doctor'], settings)).stdout).toContain(`nothing runs in ${dataDir}`)
})
