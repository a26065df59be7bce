import { expect, test } from 'vitest'
import { reportOf, rowOf, shortfallOf } from './report.ts'
import type { FaultDocument } from './run-fault.ts'

const document: FaultDocument = {
  fault: { kind: 'errors', service: 'math', operation: 'POST /evaluate', injectedAt: '2026-11-20T12:00:00.000Z' },
  incident: {
    id: 'inc-1',
    openedAt: '2026-11-20T12:00:21.000Z',
    causes: [
      {
        service: 'math',
        operation: 'POST /evaluate',
        kind: 'errors',
        score: 0.94,
        evidence: [{ sentence: '31 of 48 calls failed by themselves, 0 of 510 before' }],
        path: [
          { service: 'math', operation: 'POST /evaluate' },
          { service: 'pdf', operation: 'POST /invoice' },
          { service: 'gateway', operation: 'GET /invoice/:id' },
        ],
      },
      { service: 'pdf', operation: 'POST /invoice', kind: 'latency', score: 0.05, evidence: [], path: [] },
    ],
    impact: {
      services: ['gateway', 'math', 'pdf'],
      flows: [
        { name: 'GET /invoice/:id', runsAffected: 12, runs: 20, share: 0.6 },
        { name: 'POST /calculate', runsAffected: 19, runs: 28, share: 0.68 },
      ],
      users: { affected: 17, seen: 25, share: 0.68 },
      since: '2026-11-20T12:00:01.000Z',
    },
  },
  example: {
    flowId: '0af7651916cd43dd8448eb211c80319c',
    explain: {
      flowId: '0af7651916cd43dd8448eb211c80319c',
      flowName: 'POST /calculate',
      status: 'error',
      origin: { service: 'math', operation: 'POST /evaluate', kind: 'errors', message: 'Undefined symbol amount' },
      path: [
        { service: 'math', operation: 'POST /evaluate' },
        { service: 'gateway', operation: 'POST /calculate' },
      ],
      reasons: ['math POST /evaluate failed, and nothing that it called did'],
      causes: [],
      alsoHit: { flows: ['GET /invoice/:id'], users: 17 },
      incidentId: 'inc-1',
    },
  },
  timing: { detectAfterMs: 21_000, explainAfterMs: 22_400 },
}

test('the report says what broke, whom it reaches and where to look', () => {
  expect(`\n${reportOf(document, { apiUrl: 'http://127.0.0.1:8012', colour: false })}`).toMatchInlineSnapshot(`
    "

    What broke
      math fails in POST /evaluate.
      It reaches 2 flows, 3 services and 17 of 25 users (68 %), since 12:00:01.

    Cause
      math POST /evaluate  errors, 94 % of the weight
      path: math POST /evaluate → pdf POST /invoice → gateway GET /invoice/:id
      · 31 of 48 calls failed by themselves, 0 of 510 before
      also  5 %  pdf has become slow in POST /invoice

    Impact
      flow              affected    runs  share
      GET /invoice/:id        12      20   60 %  ████████████
      POST /calculate         19      28   68 %  ██████████████
      users: 17 of 25; services: gateway, math, pdf

    One run that it hit
      POST /calculate  0af7651916cd43dd8448eb211c80319c  error
      began at math POST /evaluate (errors): Undefined symbol amount
      path: math POST /evaluate → gateway POST /calculate
      · math POST /evaluate failed, and nothing that it called did
      the same cause hits GET /invoice/:id; 17 users

    For comparison
      The fault was errors in math, POST /evaluate, injected 12:00:00.
      Incident after 21.0 s, explained after 22.4 s.

    Where to look next
      curl http://127.0.0.1:8012/api/v1/incidents/inc-1
      curl http://127.0.0.1:8012/api/v1/executions/0af7651916cd43dd8448eb211c80319c/explain
      curl 'http://127.0.0.1:8012/api/v1/graph'
    "
  `)
})

test('colour changes the look, not the words', () => {
  const [plain, coloured] = [false, true].map((colour) => reportOf(document, { apiUrl: 'http://x', colour }))
  expect(coloured).not.toBe(plain)
  // oxlint-disable-next-line no-control-regex -- escape sequences begin with one
  expect(coloured?.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain)
})

test('a fault in a row of many is right when its service is named first', () => {
  expect(rowOf({ state: 'explained', document, openBefore: [] })).toContain('right')
  const wrong = { ...document, fault: { ...document.fault, service: 'pdf' as const } }
  expect(rowOf({ state: 'explained', document: wrong, openBefore: [] })).toContain('WRONG')
})

test('a fault that is not explained tells what is known', () => {
  const told = shortfallOf({
    state: 'unexplained',
    fault: document.fault,
    reason: 'no incident opened within 90 s',
    incidents: [],
    openBefore: [],
  })
  expect(told).toBe(
    'Not explained: errors in math, POST /evaluate: no incident opened within 90 s.\n  No incident is open.',
  )
})
