// Small services, started by the doctor as a developer's are: the agent and what they need are installed beside them.
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { isAlive, type Run, start } from './testing.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Installation {
  /** By path. */
  files: Record<string, string>
  /** Packages of this workspace's, or, with a version, empty ones that stand for others. */
  packages?: string[]
  hasAgent?: boolean
}

/** A directory with a service in it. */
async function install({ files, packages = [], hasAgent = true }: Installation): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-service-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const modules = join(directory, 'node_modules')
  const link = async (target: string, name: string) => {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(target, join(modules, name))
  }
  if (hasAgent) {
    for (const name of ['agent', 'vocabulary']) {
      const isShipped = (path: string) => !/\/(?:testing|test-[\w-]+|[\w-]+\.test)\.ts$/.test(path)
      await cp(join(root, name), join(directory, 'packages', name), { recursive: true, filter: isShipped })
      await link(join(directory, 'packages', name), `@headwater/${name}`)
    }
    // Its own node_modules, so that it finds nothing that the service has not.
    await link(join(root, 'node_modules/@opentelemetry/api'), '@opentelemetry/api')
  }
  for (const each of packages) {
    const [, name = each, version] = /^(.+)@(\d.*)$/.exec(each) ?? []
    if (version === undefined) {
      await link(join(root, 'node_modules', name), name)
    } else {
      files[`node_modules/${name}/package.json`] = JSON.stringify({ name, version, main: 'index.js' })
      files[`node_modules/${name}/index.js`] = 'exports.connect = () => undefined'
    }
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  return directory
}

/** A collector, and what came to it. */
async function startCollector(status = 200) {
  const requests: { type: string | undefined; bytes: number }[] = []
  const server = createServer((request, response) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => {
      requests.push({ type: request.headers['content-type'], bytes })
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { url: `http://127.0.0.1:${port}`, requests }
}

/** What the services load; the workspace has it for the agent's own tests. */
const imported = (...names: string[]) => names.map((name) => `import ${JSON.stringify(name)}`).join('\n')
const required = (name: string) => `require(${JSON.stringify(name)})`

/** Source of a service that ends as soon as the agent in it has told `text`. */
const untilTold = (text: string) => `
  const fs = process.getBuiltinModule('node:fs')
  setInterval(() => {
    if (fs.readFileSync(process.env.HEADWATER_DOCTOR, 'utf8').includes('${text}')) process.exit()
  }, 20)`

interface Finding {
  check: string
  status: string
  says: string
  mend?: string
  program?: string
}

function diagnose(directory: string, args: string[], settings: Record<string, string> = {}): Run {
  return start(['doctor', ...args], { OTEL_SERVICE_NAME: 'shop', ...settings }, process.execPath, directory)
}

/** The findings by what they are about; the service ends by itself. */
async function findings(directory: string, command: string[], settings: Record<string, string> = {}) {
  const run = diagnose(directory, ['--json', '--seconds', '60', '--', ...command], settings)
  const code = await run.ended
  const found = (JSON.parse(run.stdout()) as { findings: Finding[] }).findings
  return { code, found: Object.fromEntries(found.map((each) => [each.check, each])), stderr: run.stderr() }
}

test('an ES module with Express: what is captured, by what, and whether the collector answers', async () => {
  const collector = await startCollector()
  const directory = await install({
    packages: ['express', 'undici'],
    files: {
      'app.mjs': `
        ${imported('express', 'undici')}
        console.log('to stdout')
        console.error('to stderr')
        ${untilTold('takes spans')}`,
    },
  })
  const command = ['node', '--import', '@headwater/agent/register', 'app.mjs']
  const run = diagnose(directory, ['--seconds', '60', '--', ...command], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  })
  expect(await run.ended).toBe(0)
  expect(run.stderr()).toBe('to stderr\n')
  const said = run.stdout()
  expect(said).toMatch(/^to stdout\n\nok {3}service +node --import \S+ app\.mjs: ended by itself with code 0 after \d/)
  expect(said).toContain(`ok   node       ${process.versions.node} (`)
  expect(said).toMatch(/^ok {3}agent +\S+, lean tracing, as "shop"$/m)
  expect(said).toMatch(/^ok {3}entry +app\.mjs, an ES module$/m)
  expect(said).toMatch(/^ok {3}express +5\.\S+: routes and exceptions, by its channel$/m)
  expect(said).toMatch(/^ok {3}undici +\S+: requests, by the channels of node:http and fetch$/m)
  expect(said).toContain(`takes spans at ${collector.url}/v1/traces (200 OK)`)
  expect(said).toMatch(/^ok {3}trust .*loopback, private and link-local/m)
  expect(said).toMatch(/\n\nNothing to mend\.\n$/)
  expect(collector.requests).toContainEqual({ type: 'application/x-protobuf', bytes: 0 })
})

test('CommonJS with Fastify, and PostgreSQL without its instrumentation', async () => {
  const directory = await install({
    packages: ['fastify', 'pg', 'pino'],
    files: {
      'app.cjs': `
        const fastify = ${required('fastify')}
        const { Client } = ${required('pg')}
        fastify({ logger: true }).ready(() => console.log('ready', typeof Client))`,
    },
  })
  const { code, found, stderr } = await findings(directory, ['node', 'app.cjs'])
  expect(code).toBe(1)
  expect(stderr).toContain('ready function')
  expect(found['service']).toMatchObject({
    status: 'good',
    says: expect.stringContaining('ended by itself with code 0'),
  })
  expect(found['entry']?.says).toBe('app.cjs, CommonJS')
  expect(found['fastify']).toMatchObject({ status: 'good', says: expect.stringMatching(/^5\..*by its channel$/) })
  expect(found['pg']).toMatchObject({
    status: 'bad',
    says: expect.stringMatching(/^8\.\S+: not captured: its instrumentation is not installed$/),
    mend: 'npm i @opentelemetry/instrumentation-pg',
  })
  expect(found['pino']).toMatchObject({ status: 'unknown', mend: expect.stringContaining('HEADWATER_LOG_IDS') })
})

test('an instrumentation that is installed, one that the service has started itself, and one for other versions', async () => {
  const directory = await install({
    packages: [
      'pg',
      '@opentelemetry/instrumentation-pg',
      '@grpc/grpc-js',
      '@opentelemetry/instrumentation-grpc',
      'mysql2@99.0.0',
      '@opentelemetry/instrumentation-mysql2',
    ],
    files: {
      'app.mjs': imported('pg', '@opentelemetry/instrumentation-grpc', '@grpc/grpc-js', 'mysql2'),
    },
  })
  const { code, found } = await findings(directory, ['node', 'app.mjs'])
  expect(code).toBe(1)
  expect(found['pg']).toMatchObject({
    status: 'good',
    says: expect.stringMatching(/by @opentelemetry\/instrumentation-pg$/),
  })
  expect(found['@grpc/grpc-js']).toMatchObject({ status: 'good', says: expect.stringContaining('left to the service') })
  expect(found['mysql2']).toMatchObject({
    status: 'bad',
    says: '99.0.0: not captured: this version is none that @opentelemetry/instrumentation-mysql2 knows',
  })
})

test('flows end at a queue that nobody knows, unless the service carries them itself', async () => {
  const packages = ['mqtt@5.14.1', 'bullmq', 'ioredis', 'amqplib', 'kafkajs']
  const queues = ['mqtt', 'bullmq', 'amqplib', 'kafkajs']
  const files = { 'app.mjs': imported(...queues), 'careful.mjs': imported(...queues, '@headwater/agent') }
  const directory = await install({ packages, files })
  const careless = await findings(directory, ['node', 'app.mjs'])
  expect(careless.code).toBe(1)
  expect(careless.found['mqtt']).toMatchObject({
    status: 'bad',
    says: '5.14.1: not captured: flows end at this queue',
    mend: expect.stringContaining('withProducer'),
  })
  for (const queue of ['bullmq', 'amqplib', 'kafkajs']) {
    expect(careless.found[queue]).toMatchObject({ status: 'good', says: expect.stringContaining('flows go on') })
  }
  const careful = await findings(directory, ['node', 'careful.mjs'])
  expect(careful.found['mqtt']).toMatchObject({ status: 'unknown', says: expect.stringContaining('withConsumer') })
})

test('a service that crashes at its start is told so, with what was found by then', async () => {
  const directory = await install({
    packages: ['express'],
    files: { 'app.cjs': `${required('express')}; throw new TypeError('no paper')` },
  })
  const { code, found, stderr } = await findings(directory, ['node', 'app.cjs'])
  expect(code).toBe(1)
  expect(stderr).toContain('TypeError: no paper')
  expect(found['service']).toMatchObject({
    status: 'bad',
    says: expect.stringMatching(/^node app\.cjs: ended by itself with code 1 after/),
  })
  expect(found['express']).toMatchObject({ status: 'good' })
})

test('a command that is no Node is told that nothing is captured', async () => {
  const directory = await install({ files: {} })
  const { code, found, stderr } = await findings(directory, ['sh', '-c', 'echo served; exit 0'])
  expect(code).toBe(1)
  expect(stderr).toBe('served\n')
  expect(Object.keys(found)).toEqual(['service', 'agent'])
  expect(found['agent']).toMatchObject({
    status: 'bad',
    says: expect.stringContaining('nothing of this service is captured'),
  })
})

test('without the agent nothing is started, and the mend is to install it', async () => {
  const directory = await install({ hasAgent: false, files: { 'app.mjs': `console.log('started')` } })
  const { code, found, stderr } = await findings(directory, ['node', 'app.mjs'])
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  expect(found['agent']).toMatchObject({ status: 'bad', mend: 'npm i @headwater/agent' })
})

test('what was loaded before the agent, what is bundled, and what is wanted but not there', async () => {
  const directory = await install({
    packages: ['pg', 'express', 'mongodb@7.0.0', 'kafkajs'],
    files: {
      'package.json': JSON.stringify({ dependencies: { kafkajs: '2' } }),
      'early.cjs': required('pg'),
      'app.cjs': `
        // node_modules/express/lib/express.js
        // node_modules/mongodb/lib/index.js
        ${untilTold('kafkajs')}`,
    },
  })
  const { code, found } = await findings(directory, ['node', '--require', './early.cjs', 'app.cjs'])
  expect(code).toBe(1)
  expect(found['pg']).toMatchObject({
    status: 'bad',
    says: expect.stringContaining('loaded before the agent'),
    mend: expect.stringContaining('--import'),
  })
  expect(found['express']).toMatchObject({
    status: 'good',
    says: expect.stringMatching(/^bundled into app\.cjs: .*by its channel/),
  })
  expect(found['mongodb']).toMatchObject({
    status: 'bad',
    says: expect.stringContaining('bundled'),
    mend: expect.stringContaining('external'),
  })
  expect(found['kafkajs']).toMatchObject({ status: 'unknown', says: expect.stringContaining('not loaded so far') })
})

test('the command’s own order of loading counts, which the doctor’s would hide', async () => {
  const directory = await install({ files: { 'early.mjs': '', 'app.mjs': '' } })
  const command = ['node', '--import', './early.mjs', '--import', '@headwater/agent/register', 'app.mjs']
  const late = await findings(directory, command)
  expect(late.found['register']).toMatchObject({
    status: 'bad',
    says: expect.stringContaining('after --import ./early.mjs'),
  })
  const without = await findings(directory, ['node', 'app.mjs'])
  expect(without.found['register']).toMatchObject({ status: 'unknown', mend: expect.stringContaining('--import') })
})

test('settings that cannot be used, rules of trust, and a collector that refuses', async () => {
  const collector = await startCollector(401)
  const directory = await install({
    files: { 'app.mjs': untilTold('refuses spans') },
  })
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.replace('//', '//name:hidden@'),
    OTEL_PROPAGATORS: 'b3',
    HEADWATER_TRUST: '10.0.0.0/8,.example.org',
    HEADWATER_SHARED_KEY: 'a key that is long enough',
    OTEL_SERVICE_NAME: '',
  }
  const run = diagnose(directory, ['--seconds', '60', '--', 'node', 'app.mjs'], settings)
  expect(await run.ended).toBe(1)
  const said = run.stdout()
  expect(said).not.toContain('hidden')
  expect(said).toMatch(/^BAD {2}OTEL_PROPAGATORS +.*"b3" is not supported/m)
  expect(said).toMatch(/^ok {3}trust .*flows of peers at 10\.0\.0\.0\/8 go on, and only those signed.*\.example\.org$/m)
  expect(said).toMatch(/^BAD {2}collector +refuses spans at .*: 401 Unauthorized\n +→ put a key/m)
  expect(said).toMatch(/^ \? {3}agent .*\n +→ set OTEL_SERVICE_NAME/m)
})

test('OTEL_SDK_DISABLED captures nothing, and that is said plainly', async () => {
  const directory = await install({ packages: ['express'], files: { 'app.mjs': imported('express') } })
  const { code, found } = await findings(directory, ['node', 'app.mjs'], { OTEL_SDK_DISABLED: 'true' })
  expect(code).toBe(1)
  expect(found['agent']).toMatchObject({
    status: 'bad',
    says: expect.stringContaining('nothing of this process is captured'),
    mend: 'unset OTEL_SDK_DISABLED',
  })
  expect(found['express']).toBeUndefined()
})

test('a Node that is too old captures nothing, and that is said plainly', async () => {
  const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.14.0' } })`
  const directory = await install({ files: { 'old.cjs': old, 'app.mjs': '' } })
  const { code, found } = await findings(directory, ['node', '--require', './old.cjs', 'app.mjs'])
  expect(code).toBe(1)
  expect(found['node']).toMatchObject({
    status: 'bad',
    says: expect.stringContaining('nothing of this process is captured'),
    mend: 'use Node 22.15 or newer',
  })
})

test('the service gets the signal that the doctor gets, and ends as it pleases', async () => {
  const directory = await install({
    files: {
      'app.mjs': `
        const timer = setInterval(() => undefined, 1_000)
        process.on('SIGINT', () => { console.log('saved'); process.exit(7) })
        console.log('up')`,
    },
  })
  const run = diagnose(directory, ['--seconds', '60', '--', 'node', 'app.mjs'], { OTEL_TRACES_EXPORTER: 'none' })
  await run.says('up')
  run.process.kill('SIGINT')
  expect(await run.ended).toBe(0)
  expect(run.stdout()).toMatch(/^up\nsaved\n\nok {3}service +node app\.mjs: ran until you ended it, with code 7/)
})

test('npm and a shell are not the service, and nothing that they have started lives on', async () => {
  const directory = await install({
    packages: ['express'],
    files: {
      'package.json': JSON.stringify({ scripts: { start: 'node app.cjs; echo after' } }),
      'app.cjs': `${required('express')}().listen(0, '127.0.0.1', () => console.log('pid ' + process.pid))`,
    },
  })
  const run = diagnose(directory, ['--seconds', '4', '--', 'npm', 'start'], { OTEL_TRACES_EXPORTER: 'none' })
  expect(await run.ended).toBe(0)
  expect(run.stdout()).toMatch(/^ok {3}service +npm start: ran, and ended .* when it was told to/m)
  const pid = Number(/^pid (\d+)$/m.exec(run.stdout())?.[1])
  expect(isAlive(pid)).toBe(false)
  expect(run.stdout()).toMatch(/^ok {3}entry +app\.cjs, CommonJS$/m)
  expect(run.stdout()).not.toContain('npm-cli')
})

test('a service that does not end is killed, and that is said', async () => {
  const directory = await install({
    files: { 'app.mjs': `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1_000)` },
  })
  const run = diagnose(directory, ['--seconds', '0.5', '--', 'node', 'app.mjs'], { OTEL_TRACES_EXPORTER: 'none' })
  expect(await run.ended).toBe(0)
  expect(run.stdout()).toMatch(/did not end when it was told to, and was killed/)
})

test('a command that cannot be run, and one without --, are refused in a line', async () => {
  const directory = await install({ files: {} })
  for (const [args, line] of [
    [['--', 'no-such-program'], 'headwater: Cannot run "no-such-program" (spawn no-such-program ENOENT)\n'],
    [['node'], 'headwater: unknown argument "node": put -- before a command that starts a service\n'],
  ] as const) {
    const run = diagnose(directory, [...args])
    expect(await run.ended).toBe(1)
    expect({ stdout: run.stdout(), stderr: run.stderr() }).toEqual({ stdout: '', stderr: line })
  }
})

test('a service that loads OpenTelemetry’s SDK is no harder to look at', async () => {
  const directory = await install({
    packages: ['@opentelemetry/sdk-node'],
    files: { 'app.mjs': `import '@opentelemetry/sdk-node'` },
  })
  const run = diagnose(directory, ['--seconds', '60', '--', 'node', 'app.mjs'], { OTEL_TRACES_EXPORTER: 'none' })
  await run.ended
  expect(run.stdout()).toMatch(/^ok {3}service +node app\.mjs: ended by itself with code 0/m)
})
