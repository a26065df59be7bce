import { describe, expect, test } from 'vitest'
import { startApp, startReceiver } from '../testing.ts'

const wanted = { HEADWATER_LOG_IDS: 'true' }

/** Logs within a run and outside of any. */
function logging(setUp: string, log: string) {
  return `
    ${setUp}
    import { currentFlow, withFlow } from '@headwater/agent'
    import { trace } from '@opentelemetry/api'
    const payload = Object.freeze({ frozen: true })
    const own = { mine: 1 }
    ${log.replace('WHAT', "'outside'")}
    withFlow('nightly report', () => {
      ${log.replace('WHAT', "'inside'")}
      process.stderr.write(JSON.stringify({ trace_id: trace.getActiveSpan().spanContext().traceId,
        span_id: trace.getActiveSpan().spanContext().spanId, flow_id: currentFlow().id, own }) + '\\n')
    })
  `
}

async function linesOf(source: string, env: Record<string, string>) {
  const receiver = await startReceiver()
  const app = await startApp({ source, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env }, serves: false })
  await app.ended()
  const { own, ...ids } = JSON.parse(app.stderr()) as Record<string, unknown>
  expect(own).toEqual({ mine: 1 })
  return { lines: app.stdout().trim().split('\n'), ids }
}

const loggers = {
  pino: logging(`import pino from 'pino'; const logger = pino()`, `logger.info(own, WHAT)`),
  winston: logging(
    `import winston from 'winston'
     const logger = winston.createLogger({ transports: [new winston.transports.Console()] })`,
    `logger.info(WHAT, { mine: 1 })`,
  ),
}

describe.each(Object.entries(loggers))('%s', (_name, source) => {
  test('lines bear the IDs of what they belong to, and leave what is logged as it was', async () => {
    const { lines, ids } = await linesOf(source, wanted)
    const [outside, inside] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(outside).not.toHaveProperty('trace_id')
    expect(inside).toMatchObject({ ...ids, mine: 1 })
  })

  test('lines are as they were, unless IDs are wanted', async () => {
    const { lines } = await linesOf(source, {})
    expect(lines.join('')).not.toMatch(/trace_id|flow_id/)
  })
})

test('lines of console end with the IDs', async () => {
  const { lines, ids } = await linesOf(logging('', `console.log('%s!', WHAT)`), wanted)
  const words = Object.entries(ids).map(([name, id]) => `${name}=${String(id)}`)
  expect(lines).toEqual(['outside!', `inside! ${words.join(' ')}`])
})

test('a record that cannot be changed is logged as it is', async () => {
  const { lines } = await linesOf(
    logging(`import pino from 'pino'; const logger = pino()`, `logger.info(payload, WHAT)`),
    wanted,
  )
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ frozen: true }, { frozen: true }])
})
