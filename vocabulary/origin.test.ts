import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { findOrigin, type Knowledge, noKnowledge, normalKey, type RunSpan } from './origin.ts'

/**
 * A run as text, a span a line, indented under its parent: `kind service operation start–end [failed] [→peer] [: message]`, times in
 * ms. A consumer at the left margin begins a trace that links to the producer before it.
 */
function run(story: string): RunSpan[] {
  const spans: (RunSpan & { indent: number })[] = []
  let trace = 0
  for (const line of story.split('\n').filter((text) => text.trim() !== '')) {
    const [, space = '', kind = '', service = '', operation = '', start, end, rest = ''] =
      /^( *)(\w+) (\S+) (\S+) (\d+)–(\d+)(.*)$/.exec(line) ?? []
    const parent = spans.findLast((span) => span.indent < space.length)
    const producer = spans.findLast((span) => span.kind === 'Producer')
    if (parent === undefined) trace += 1
    spans.push({
      indent: space.length,
      traceId: `t${trace}`,
      spanId: `s${spans.length + 1}`,
      parentSpanId: parent?.spanId ?? '',
      service,
      operation,
      kind,
      startNs: Number(start) * 1e6,
      endNs: Number(end) * 1e6,
      failed: rest.includes('failed'),
      message: /: (.*)$/.exec(rest)?.[1] ?? '',
      peerService: '',
      peerAddress: /→(\S+?)(:? |$)/.exec(rest)?.[1] ?? '',
      destination: '',
      links: parent === undefined && producer ? [{ traceId: producer.traceId, spanId: producer.spanId }] : [],
    })
  }
  return spans.map(({ indent: _indent, ...span }) => span)
}

/** `kind service operation: hop ← hop` of what was found. */
function tell(spans: RunSpan[], knowledge: Partial<Knowledge> = {}): string {
  const { status, origin, path } = findOrigin(spans, { ...noKnowledge, ...knowledge })
  if (origin === null) return status
  const peer = origin.peer === undefined ? '' : ` →${origin.peer}`
  return `${status}: ${origin.kind} ${origin.service} ${origin.operation}${peer} | ${path.map((hop) => `${hop.service} ${hop.operation}`).join(' → ')}`
}

const report = `
Server gateway /report 0–100 failed
  Client gateway GET 10–90 failed
    Server data /rows 12–88 failed
      Client data GET 20–80 failed
        Server math /sum 22–70 failed
          Internal math evaluate 30–60 failed: x is not defined`

test('an error began in the deepest span that failed, and reached the entry hop by hop', () => {
  expect(tell(run(report))).toBe('error: errors math evaluate | math /sum → data /rows → gateway /report')
  expect(findOrigin(run(report)).reasons).toEqual([
    'evaluate in math failed first. It called nobody: the error began there: x is not defined.',
    'From there it reached the entry /report of gateway over data.',
  ])
})

test('an error that somebody coped with is not the origin of a later one', () => {
  const spans = run(`
Server gateway /report 0–100 failed
  Internal gateway withRetry 5–60
    Client gateway GET 10–20 failed
      Server cache /get 12–18 failed
  Client gateway GET 70–90 failed
    Server math /sum 72–88 failed`)
  expect(tell(spans)).toBe('error: errors math /sum | math /sum → gateway /report')
})

test('of several attempts that failed, the first is the origin', () => {
  const found = findOrigin(
    run(`
Server gateway /report 0–100 failed
  Client gateway GET 10–20 failed
    Server math /sum 12–18 failed: first
  Client gateway GET 30–40 failed
    Server math /sum 32–38 failed: second`),
  )
  expect(found.origin?.message).toBe('first')
})

test('a run whose errors were coped with is ok', () => {
  const spans = run(`
Server gateway /report 0–100
  Client gateway GET 10–20 failed`)
  expect(tell(spans)).toBe('ok')
  expect(findOrigin(spans).reasons).toEqual(['1 span failed, and the caller coped: no entry failed.'])
})

const dead = `
Server gateway /report 0–100 failed
  Client gateway GET 10–12 failed →10.0.0.7:4103 : connect ECONNREFUSED`

test('a call that nobody answered began at the caller; a peer that never sent spans is a dependency', () => {
  expect(tell(run(dead))).toBe('error: dependency gateway GET →10.0.0.7:4103 | gateway /report')
})

test('a service that answered at the address before is unavailable', () => {
  expect(tell(run(dead), { serviceAt: new Map([['10.0.0.7:4103', 'math']]) })).toBe(
    'error: unavailable gateway GET →math | gateway /report',
  )
  const named = run(dead).map((span) => Object.assign(span, { peerService: span.kind === 'Client' ? 'math' : '' }))
  expect(tell(named, { services: new Set(['math']) })).toBe('error: unavailable gateway GET →math | gateway /report')
})

test('when a caller gives up on a slow callee that did not fail, the callee was slow', () => {
  const spans = run(`
Server gateway /report 0–1010 failed
  Client gateway GET 5–1005 failed: timeout
    Server data /rows 10–3000
      Client data GET 20–2900
        Server math /sum 25–2890`)
  expect(tell(spans)).toBe('error: latency math /sum | math /sum → data /rows → gateway /report')
})

test('an answer that the caller takes for an error began at the caller', () => {
  const spans = run(`
Server gateway /report 0–100 failed
  Client gateway GET 5–80 failed: 404
    Server data /rows 10–20`)
  expect(tell(spans)).toBe('error: errors gateway GET | gateway /report')
})

const queued = `
Server gateway /report 0–50
  Producer gateway jobs 40–45
Consumer worker jobs 60–90 failed
  Internal worker render 65–85 failed: no font`

test('a consumer fails for itself, and the path leads over the link to the entry', () => {
  expect(tell(run(queued))).toBe('error: errors worker render | worker jobs → gateway /report')
})

test('a consumer in the same trace does not make its producer fail', () => {
  const spans = run(`
Server gateway /report 0–50 failed: no signature
  Producer gateway jobs 40–45
    Consumer worker jobs 60–90 failed`)
  expect(tell(spans)).toBe('error: errors gateway /report | gateway /report')
})

test('what the user waited for comes before what failed later in the queue', () => {
  const spans = run(`
Server gateway /report 0–50 failed
  Producer gateway jobs 10–12
  Internal gateway sign 20–45 failed
Consumer worker jobs 13–18 failed`)
  expect(tell(spans)).toBe('error: errors gateway sign | gateway /report')
})

const slow = `
Server gateway /report 0–1000
  Client gateway GET 10–990
    Server data /rows 20–980
      Internal data parse 30–330
      Client data GET 340–970 →db:5432`

test('a slow run began where the most time went beyond what is usual', () => {
  const usual = { slowAgainstNs: 400e6, selfNs: new Map([[normalKey('data', '/rows'), 20e6]]) }
  expect(tell(run(slow), usual)).toBe('slow: dependency data GET →db:5432 | data /rows → gateway /report')
  const slowDatabase = { waitNs: new Map([[normalKey('data', '/rows', 'db:5432'), 620e6]]) }
  expect(tell(run(slow), { ...usual, ...slowDatabase })).toBe('slow: latency data parse | data /rows → gateway /report')
})

test('a callee that begins late is slow, though its own work is not', () => {
  const spans = run(`
Server gateway /report 0–1000
  Client gateway GET 10–990
    Server math /sum 960–985`)
  const { origin, reasons } = findOrigin(spans, { ...noKnowledge, slowAgainstNs: 50e6 })
  expect(origin).toMatchObject({ service: 'math', kind: 'latency' })
  expect(reasons[1]).toContain('too busy to begin')
})

test('a run that is not slower than usual has no origin', () => {
  expect(findOrigin(run(slow))).toEqual({ status: 'ok', origin: null, path: [], reasons: ['Nothing failed.'] })
  expect(findOrigin([])).toMatchObject({ status: 'ok', origin: null })
})

test('spans that are each other’s parents do not trap the walk', () => {
  const [a, b] = run(`
Server gateway /report 0–10 failed
Server gateway /report 0–10 failed`)
  if (a === undefined || b === undefined) throw new Error('two spans')
  const cycle = [
    { ...a, traceId: 't', parentSpanId: b.spanId, links: [] },
    { ...b, traceId: 't', parentSpanId: a.spanId, links: [] },
  ]
  expect(findOrigin(cycle).status).toBe('ok')
})

test('the order of the spans does not matter, nor do repeated ones', () => {
  const stories = [report, dead, queued, slow].map(run)
  fc.assert(
    fc.property(
      fc
        .constantFrom(...stories)
        .chain((spans) =>
          fc
            .shuffledSubarray([...spans, ...spans], { minLength: spans.length * 2 })
            .map((shuffled) => ({ spans, shuffled })),
        ),
      ({ spans, shuffled }) => {
        expect(findOrigin(shuffled, { ...noKnowledge, slowAgainstNs: 1 })).toEqual(
          findOrigin(spans, { ...noKnowledge, slowAgainstNs: 1 }),
        )
      },
    ),
  )
})
