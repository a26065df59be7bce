import { inspect } from 'node:util'
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasMariaDb, hasRedis, startMariaDb, startMongo, startMysql, startRedis } from '../test-databases.ts'
import { type AppOptions, type ReceivedSpan, type Receiver, startApp, startReceiver } from '../testing.ts'

let engines: TestEngines
beforeAll(async () => {
  engines = await startTestEngines()
})
afterAll(async () => {
  await engines?.stop()
})

type Kind = 'an ES module' | 'a CommonJS module'

/** A service that does `work` for each request and answers with what comes of it, or with the code of its error. */
interface Service {
  /** Name and module. */
  imports: Record<string, string>
  /** Once, before the first request. */
  before: string
  work: string
  env?: Record<string, string>
}

function appOf(kind: Kind, { imports, before, work }: Service): Pick<AppOptions, 'file' | 'source'> {
  const isModule = kind === 'an ES module'
  const lines = Object.entries({ ...imports, '{ createServer }': 'node:http' }).map(([name, from]) =>
    isModule ? `import ${name} from '${from}'` : `const ${name} = require(${JSON.stringify(from)})`,
  )
  const source = `
    ${before}
    const server = createServer(async (request, response) => {
      try {
        response.end(JSON.stringify({ result: await (async () => { ${work} })() }))
      } catch (error) {
        response.end(JSON.stringify({ code: error.code ?? error.message }))
      }
    })
    server.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))`
  return isModule
    ? { file: 'app.mjs', source: [...lines, source].join('\n') }
    : { file: 'app.cjs', source: [...lines, `(async () => { ${source} })()`].join(';\n') }
}

/** Started, asked once, and what it answered. */
async function asked(receiver: Receiver, kind: Kind, service: Service, tracing = 'lean') {
  const { url } = await startApp({
    ...appOf(kind, service),
    env: {
      OTEL_SERVICE_NAME: 'shop',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      HEADWATER_TRACING: tracing,
      ...service.env,
    },
  })
  const answer: unknown = await (await fetch(url)).json()
  const [server] = await receiver.wanted(1, ({ kind: is, service: name }) => is === 'SERVER' && name === 'shop')
  return { answer, server }
}

/** What all spans of a database have in common that belong to the request. */
const below = (server: ReceivedSpan | undefined) => ({
  kind: 'CLIENT',
  traceId: server?.traceId,
  attributes: { 'flow.id': server?.traceId },
})

function expectNothingHidden(receiver: Receiver): void {
  expect(inspect(receiver.spans, { depth: 9 })).not.toContain('hidden')
}

const postgres = (): Service => ({
  imports: { pg: 'pg' },
  before: `
    const pool = new pg.Pool({ connectionString: process.env.DATABASE })
    await pool.query('SELECT 1')`,
  work: `
    await pool.query("SELECT $1::text AS name, 'hidden literal' AS other", ['hidden parameter'])
    await pool.query('SELECT $1::int', ['hidden fault'])`,
  env: { DATABASE: engines.databaseUrl },
})

describe.each(['lean', 'sdk'])('%s tracing', (tracing) => {
  describe.each<Kind>(['an ES module', 'a CommonJS module'])('%s', (kind) => {
    test('PostgreSQL: statements without values, below the request', async () => {
      const receiver = await startReceiver()
      const { answer, server } = await asked(receiver, kind, postgres(), tracing)
      expect(answer).toEqual({ code: '22P02' })
      const queries = await receiver.wanted(2, ({ name }) => name.startsWith('pg.query'))
      expect(queries).toMatchObject([below(server), below(server)])
      expect(queries[0]).toMatchObject({
        parentSpanId: server?.spanId,
        isError: false,
        scope: '@opentelemetry/instrumentation-pg',
        attributes: {
          'db.system.name': 'postgresql',
          'db.query.text': 'SELECT $1::text AS name, ? AS other',
          'server.address': '127.0.0.1',
        },
      })
      expect(queries[1]).toMatchObject({ isError: true, statusMessage: '', attributes: { 'error.type': '22P02' } })
      // What the service did before its first request is in no run.
      expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([server?.traceId]))
      expectNothingHidden(receiver)
    })

    test.for([
      ['as far as a driver needs it', true, async () => `host: '127.0.0.1', port: ${await startMysql()}`],
      ['by MariaDB', hasMariaDb, async () => `socketPath: '${await startMariaDb()}'`],
    ] as const)('MySQL, %s: statements without values, below the request', async ([, isHere, start], { skip }) => {
      skip(!isHere, 'MariaDB is not installed here')
      const receiver = await startReceiver()
      const service = {
        imports: { mysql: 'mysql2/promise' },
        before: `const pool = mysql.createPool({ ${await start()}, user: 'hidden user' })`,
        work: `
          await pool.query('SELECT name FROM t WHERE mail = ? AND age > 30', ['hidden parameter'])
          await pool.query("INSERT INTO t VALUES ('hidden fault')")`,
      }
      const { answer, server } = await asked(receiver, kind, service, tracing)
      expect(answer).toEqual({ code: 'ER_DUP_ENTRY' })
      const queries = await receiver.wanted(2, ({ scope }) => scope === '@opentelemetry/instrumentation-mysql2')
      expect(queries).toMatchObject([
        { name: 'SELECT', attributes: { 'db.query.text': 'SELECT name FROM t WHERE mail = ? AND age > ?' } },
        {
          name: 'INSERT',
          isError: true,
          statusMessage: '',
          attributes: { 'db.query.text': 'INSERT INTO t VALUES (?)' },
        },
      ])
      expect(queries[0]).toMatchObject({ ...below(server), parentSpanId: server?.spanId })
      expect(queries[0]?.attributes).toMatchObject({ 'db.system.name': 'mysql', 'flow.id': server?.traceId })
      expectNothingHidden(receiver)
    })

    test('MongoDB: commands without values, below the request', async () => {
      const receiver = await startReceiver()
      const service = {
        imports: { mongodb: 'mongodb' },
        before: `
          const client = await new mongodb.MongoClient('mongodb://127.0.0.1:${await startMongo()}').connect()
          const users = client.db('shop').collection('users')`,
        work: `await users.insertOne({ mail: 'hidden value' })`,
      }
      const { answer, server } = await asked(receiver, kind, service, tracing)
      expect(answer).toEqual({})
      const [insert] = await receiver.wanted(1, ({ scope }) => scope === '@opentelemetry/instrumentation-mongodb')
      expect(insert).toMatchObject({ ...below(server), parentSpanId: server?.spanId })
      expect(insert?.attributes).toMatchObject({ 'db.system.name': 'mongodb', 'db.collection.name': 'users' })
      expectNothingHidden(receiver)
    })

    test.runIf(hasRedis).each([
      ['redis', `await redis.createClient({ socket: { path } }).on('error', () => undefined).connect()`],
      ['ioredis', `new redis(path)`],
    ])('Redis by %s: commands by their names only, below the request', async (library, client) => {
      const receiver = await startReceiver()
      const service = {
        imports: { redis: library },
        before: `const path = '${await startRedis()}'; const client = ${client}`,
        work: `
          await client.set('hidden key', 'hidden value')
          await client.incr('hidden key')`,
      }
      const { answer, server } = await asked(receiver, kind, service, tracing)
      expect(answer).toEqual({ code: expect.stringContaining('not an integer') })
      const commands = await receiver.wanted(2, ({ scope }) => scope.endsWith('redis'))
      expect(commands).toMatchObject([below(server), below(server)])
      expect(commands[0]).toMatchObject({ parentSpanId: server?.spanId, attributes: { 'db.system.name': 'redis' } })
      expect(commands.map(({ attributes }) => String(attributes['db.query.text']).toUpperCase())).toEqual([
        'SET',
        'INCR',
      ])
      expect(commands[1]).toMatchObject({ isError: true, attributes: { 'error.type': 'ERR' } })
      expectNothingHidden(receiver)
    })

    const methods = `
      const plain = { requestSerialize: Buffer.from, responseSerialize: Buffer.from, requestDeserialize: String, responseDeserialize: String }
      const methods = { take: { path: '/shop.Stock/Take', requestStream: false, responseStream: false, ...plain } }`
    const stock = (kindOfStock: Kind, receiver: Receiver, trust: string) =>
      startApp({
        ...appOf(kindOfStock, {
          // After another library, instrumentations see gRPC before we do.
          imports: { pg: 'pg', grpc: '@grpc/grpc-js', '{ currentFlow }': '@headwater/agent' },
          before: `
            ${methods}
            const rpc = new grpc.Server()
            rpc.addService(methods, {
              take: ({ request }, done) =>
                request === 'none left' ? done({ code: grpc.status.NOT_FOUND, details: request }) : done(null, currentFlow()?.id ?? ''),
            })
            const port = await new Promise((resolve) =>
              rpc.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => resolve(port)))`,
          work: 'return port',
        }),
        env: {
          OTEL_SERVICE_NAME: 'stock',
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
          HEADWATER_TRACING: tracing,
          HEADWATER_TRUST: trust,
        },
      })

    test.each([
      [
        'goes on at a trusted peer',
        '',
        (caller: ReceivedSpan | undefined) => ({ parentSpanId: caller?.spanId, links: [] }),
      ],
      [
        'begins anew where the peer is not trusted',
        '10.0.0.0/8',
        (caller: ReceivedSpan | undefined) => ({ parentSpanId: undefined, links: [{ spanId: caller?.spanId }] }),
      ],
    ])('gRPC: the flow %s', async (_what, trust, expected) => {
      const receiver = await startReceiver()
      const { url } = await stock(kind, receiver, trust)
      const { result: port } = (await (await fetch(url)).json()) as { result: number }
      const { answer, server } = await asked(
        receiver,
        kind,
        {
          imports: { grpc: '@grpc/grpc-js' },
          before: `
            ${methods}
            const Stock = grpc.makeGenericClientConstructor(methods, 'Stock')
            const client = new Stock('127.0.0.1:${port}', grpc.credentials.createInsecure())
            const take = (what) => new Promise((resolve, reject) =>
              client.take(what, (error, answer) => (error ? reject(error) : resolve(answer))))`,
          work: `
            const id = await take('one')
            await take('none left').catch(() => undefined)
            return id`,
        },
        tracing,
      )
      const [client, failed] = await receiver.wanted(2, ({ name, kind: is }) => /Take/.test(name) && is === 'CLIENT')
      const [there, refused] = await receiver.wanted(2, ({ name, kind: is }) => /Take/.test(name) && is === 'SERVER')
      expect(client).toMatchObject({ ...below(server), parentSpanId: server?.spanId })
      expect(client?.attributes).toMatchObject({ 'rpc.service': 'shop.Stock', 'rpc.method': 'Take' })
      expect(there).toMatchObject(expected(client))
      const isSame = there?.parentSpanId !== undefined
      expect(there?.traceId === server?.traceId).toBe(isSame)
      expect(there?.attributes['service.peer.name']).toBe(isSame ? 'shop' : undefined)
      expect(answer).toEqual({ result: there?.attributes['flow.id'] })
      // Nothing is wrong with a server that says that there is no such thing.
      expect(failed).toMatchObject({ isError: true, attributes: { 'error.type': 'NOT_FOUND' } })
      expect(refused).toMatchObject({ isError: false })
    })
  })
})

test('of a database that cannot be reached is told what Node says of the connection', async () => {
  const receiver = await startReceiver()
  await asked(receiver, 'an ES module', {
    imports: { pg: 'pg' },
    before: `const pool = new pg.Pool({ host: '127.0.0.1', port: 1, database: 'shop', user: 'hidden user', password: 'hidden word' })`,
    work: `await pool.query('SELECT 1')`,
  })
  const [connect] = await receiver.wanted(1, ({ name }) => name === 'pg-pool.connect')
  expect(connect).toMatchObject({
    isError: true,
    statusMessage: 'connect ECONNREFUSED 127.0.0.1:1',
    attributes: { 'error.type': 'ECONNREFUSED' },
  })
  expectNothingHidden(receiver)
})

test('HEADWATER_INSTRUMENTATIONS=none loads none', async () => {
  const receiver = await startReceiver()
  const service = postgres()
  const { server } = await asked(receiver, 'an ES module', {
    ...service,
    env: { ...service.env, HEADWATER_INSTRUMENTATIONS: 'none' },
  })
  expect(receiver.spans).toEqual([server])
})

test.each<Kind>(['an ES module', 'a CommonJS module'])(
  'what the service instruments itself is the service’s, by its settings, and has one span: %s',
  async (kind) => {
    const receiver = await startReceiver()
    const service = postgres()
    await asked(receiver, kind, {
      ...service,
      imports: { '{ PgInstrumentation }': '@opentelemetry/instrumentation-pg' },
      before: `
        new PgInstrumentation({ requestHook: (span) => span.setAttribute('whose', 'mine'), ignoreConnectSpans: true })
        const { default: pg } = await import('pg')
        ${service.before}`,
      work: `await pool.query('SELECT 2')`,
    })
    const [query] = await receiver.wanted(
      1,
      ({ name, parentSpanId }) => name.startsWith('pg') && parentSpanId !== undefined,
    )
    expect(query).toMatchObject({ attributes: { whose: 'mine', 'db.query.text': 'SELECT 2' } })
    expect(receiver.spans.filter(({ traceId }) => traceId === query?.traceId)).toHaveLength(2)
  },
)

test('what the service instruments itself when ours is there already has one span, too', async () => {
  const receiver = await startReceiver()
  const service = postgres()
  await asked(receiver, 'a CommonJS module', {
    ...service,
    imports: { pg: 'pg', '{ PgInstrumentation }': '@opentelemetry/instrumentation-pg' },
    before: `
      new PgInstrumentation({ ignoreConnectSpans: true })
      require('pg')
      ${service.before}`,
    work: `await pool.query('SELECT 2')`,
  })
  const [{ traceId } = { traceId: '' }] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
  expect(receiver.spans.filter((span) => span.name.startsWith('pg.query') && span.traceId === traceId)).toHaveLength(1)
})
