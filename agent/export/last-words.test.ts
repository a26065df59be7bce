import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type AppOptions, listen, startApp as startAppIn, startReceiver } from '../testing.ts'

async function spoolDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headwater-spool-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'spool')
}

/** Ends in the middle of a request, without time to send anything. */
function dying(how: string) {
  return `
    import express from 'express'
    const app = express()
    app.get('/orders/:id', (request, response) => {
      setTimeout(() => { ${how} }, 1)
    })
    const server = app.listen(0, '127.0.0.1', () => console.log('listening ' + server.address().port))
  `
}

/** Does nothing, and ends. */
const nextStart = ''

describe.each(['lean', 'sdk'])('%s tracing', (tracing) => {
  const startApp = ({ env, ...rest }: AppOptions) =>
    startAppIn({ ...rest, env: { HEADWATER_TRACING: tracing, ...env } })

  async function dieAndStartAnew(how: string, more: Record<string, string> = {}) {
    const receiver = await startReceiver()
    const HEADWATER_SPOOL = await spoolDirectory()
    const env = {
      OTEL_SERVICE_NAME: 'shop',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
      HEADWATER_SPOOL,
      ...more,
    }
    const app = await startApp({ source: dying(how), env })
    await fetch(`${app.url}/orders/42`).catch(() => undefined)
    const end = await app.ended()
    expect(receiver.spans).toEqual([])
    const left = await readdir(HEADWATER_SPOOL).catch(() => [])
    const next = await startApp({ source: nextStart, env, serves: false })
    return { receiver, end, app, next, left, HEADWATER_SPOOL }
  }

  test.each([
    ['an error that nobody catches', `throw new RangeError('no paper')`, 'RangeError'],
    ['a rejection that nobody handles', `Promise.reject(new RangeError('no paper'))`, 'RangeError'],
  ])(
    '%s kills the service as ever, and is told at the next start by the request that it was in',
    async (_what, how, type) => {
      const { receiver, end, app, HEADWATER_SPOOL } = await dieAndStartAnew(how)
      expect(end).toMatchObject({ code: 1 })
      expect(app.stderr()).toContain('RangeError: no paper')
      const [span] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
      expect(span).toMatchObject({
        isError: true,
        statusMessage: 'no paper',
        attributes: { 'error.type': type, 'flow.id': span?.traceId },
        events: [{ name: 'exception', attributes: { 'exception.stacktrace': expect.stringContaining('app.mjs') } }],
      })
      await expect.poll(() => readdir(HEADWATER_SPOOL)).toEqual([])
    },
  )

  test('what is not sent when a handler ends the process is sent at the next start', async () => {
    const { receiver, end } = await dieAndStartAnew(
      `response.on('close', () => setImmediate(() => process.exit(7))); response.end()`,
    )
    expect(end).toMatchObject({ code: 7 })
    const [span] = await receiver.wanted(1, ({ kind }) => kind === 'SERVER')
    expect(span).toMatchObject({ name: 'GET /orders/:id', isError: false })
  })

  test('an error that the service handles ends nothing, and the run that it was thrown in shows it', async () => {
    const receiver = await startReceiver()
    const app = await startApp({
      source: `
        import { withFlow } from '@headwater/agent'
        withFlow('report', () => new Promise((resolve) => {
          process.on('uncaughtException', resolve)
          setTimeout(() => { throw new RangeError('no paper') }, 1)
        }))
      `,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, HEADWATER_SPOOL: await spoolDirectory() },
      serves: false,
    })
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(receiver.spans).toMatchObject([
      { isError: false, events: [{ attributes: { 'exception.message': 'no paper' } }] },
    ])
  })

  test('what is left behind is its owner’s only, at most 64 KiB, and what has no room is said', async () => {
    const { receiver, app, HEADWATER_SPOOL, left } = await dieAndStartAnew(
      `
      import('@opentelemetry/api').then(({ trace }) => {
        for (let turn = 0; turn < 300; turn += 1) {
          trace.getTracer('t').startSpan('s' + turn).setAttribute('text', 'x'.repeat(1_000)).end()
        }
        process.exit(1)
      })
    `,
      { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10000', OTEL_BSP_MAX_QUEUE_SIZE: '10000' },
    )
    expect(left).toHaveLength(1)
    expect((await stat(HEADWATER_SPOOL)).mode & 0o777).toBe(0o700)
    const [last] = await receiver.wanted(1, ({ name }) => name === 's299')
    expect(last).toBeDefined()
    const lost = Number(/ends, and (\d+) spans are lost/.exec(app.stderr())?.[1])
    expect(lost).toBeGreaterThan(200)
    // The request is cut off with the process.
    await receiver.wanted(300 - lost, () => true)
  })

  test('a directory that others can write to is left alone', async () => {
    const directory = await spoolDirectory()
    await mkdir(directory)
    await chmod(directory, 0o777)
    await writeFile(join(directory, 'theirs'), '')
    const receiver = await startReceiver()
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      HEADWATER_SPOOL: directory,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
    }
    const app = await startApp({
      source: `import { withFlow } from '@headwater/agent'; withFlow('report', () => undefined); process.exit(0)`,
      env,
      serves: false,
    })
    await app.ended()
    expect(await readdir(directory)).toEqual(['theirs'])
    expect(app.stderr()).toContain('1 span is lost')
  })

  test('what is on its way or waits for a collector that is away is left behind when a signal ends the service', async () => {
    const HEADWATER_SPOOL = await spoolDirectory()
    const silent = await listen(createServer(() => undefined))
    const env = { OTEL_SERVICE_NAME: 'shop', HEADWATER_SPOOL, OTEL_EXPORTER_OTLP_ENDPOINT: silent.url }
    const app = await startApp({ source: dying('response.end()'), env })
    for (let turn = 0; turn < 5; turn += 1) await (await fetch(`${app.url}/orders/42`)).text()
    expect(await app.ended('SIGTERM')).toMatchObject({ signal: 'SIGTERM' })
    const spans = (await readdir(HEADWATER_SPOOL)).map((file) => Number(/-(\d+)-\w+\.otlp$/.exec(file)?.[1]))
    expect(spans.reduce((sum, each) => sum + each, 0)).toBe(5)
    expect(app.stderr()).not.toContain('lost')
  })

  test('an error that a capture callback takes ends nothing and leaves nothing behind', async () => {
    const HEADWATER_SPOOL = await spoolDirectory()
    const app = await startApp({
      source: `
        import { withFlow } from '@headwater/agent'
        withFlow('report', () => new Promise((resolve) => {
          process.setUncaughtExceptionCaptureCallback(resolve)
          setTimeout(() => { throw new RangeError('no paper') }, 1)
        }))
      `,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: (await startReceiver()).url, HEADWATER_SPOOL },
      serves: false,
    })
    expect(await app.ended()).toMatchObject({ code: 0 })
    await expect(readdir(HEADWATER_SPOOL)).rejects.toThrow('ENOENT')
  })

  test.each<[string, (directory: string) => Promise<unknown>, RegExp]>([
    ['that others can write to', (directory) => chmod(directory, 0o777), /others can write to it/],
    [
      'that is a file',
      (directory) => rm(directory, { recursive: true }).then(() => writeFile(directory, '')),
      /is none/,
    ],
    [
      'below a file',
      async (directory) => {
        await rm(dirname(directory), { recursive: true })
        await writeFile(dirname(directory), '')
      },
      /cannot be made/,
    ],
  ])('a HEADWATER_SPOOL %s is told at the start, with what to do', async (_what, spoil, why) => {
    const HEADWATER_SPOOL = await spoolDirectory()
    await mkdir(HEADWATER_SPOOL)
    await spoil(HEADWATER_SPOOL)
    const app = await startApp({
      source: `process.stderr.write('started')`,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', HEADWATER_SPOOL },
      serves: false,
    })
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stderr()).toMatch(/^headwater: HEADWATER_SPOOL: .*name a directory .*, or none\nstarted$/)
    expect(app.stderr()).toMatch(why)
  })
})
