import { expect, test } from 'vitest'
import { incidentReport, openReport, pastReport, type ToldIncident } from './incident-report.ts'

const since = '2026-11-20T12:00:00.000Z'
const page = { apiUrl: 'http://127.0.0.1:8012', nowMs: Date.parse(since) + 250_000 }
const query = '/api/v1/series?service=payments&signal=origin-errors'

const runs = '/api/v1/executions?service=payments&status=error'

const incident: ToldIncident = {
  id: '7f3c',
  state: 'open',
  title: 'payments POST /charge fails',
  since,
  openedAt: since,
  updatedAt: since,
  resolvedAt: null,
  resolvedBy: null,
  mergedInto: null,
  reopenings: 1,
  reopened: [
    { at: '2026-11-20T12:03:00.000Z', why: 'It came back 1 min after it had been resolved, with the same cause.' },
  ],
  causes: [
    {
      service: 'payments',
      operation: 'POST /charge',
      kind: 'errors',
      score: 0.8,
      attribute: {
        name: 'service.version',
        value: '2.0.0',
        and: [{ name: 'flow.name', value: 'POST /orders' }],
        badShare: 1,
        low: 0.92,
        high: 1,
        goodShare: 0.01,
        lift: 4.1,
      },
      evidence: [
        { signal: 'origin-errors', sentence: '55 % of 60 calls failed by themselves.', query },
        { signal: 'exception', sentence: 'Its errors say most often: TypeError', query: null },
        { signal: 'replay', sentence: 'Without it, 46 of 50 runs would have gone well.', query: runs },
      ],
      path: [
        { service: 'payments', operation: 'POST /charge' },
        { service: 'gateway', operation: 'POST /orders' },
      ],
    },
    {
      service: 'orders',
      operation: 'POST /orders',
      kind: 'dependency',
      peer: 'db:5432',
      score: 0.2,
      replay: { runs: 50, mended: 3, share: 0.06, low: 0.021, high: 0.162 },
      evidence: [],
      path: [],
    },
  ],
  confidence: 0.82,
  noCauseReason: null,
  impact: {
    services: ['gateway', 'payments'],
    flows: [{ name: 'POST /orders', runsAffected: 53, runs: 100, share: 0.53, low: 0.433, high: 0.625 }],
    users: { affected: 4, seen: 8, share: 0.5, low: 0.215, high: 0.785 },
    atRisk: [{ service: 'billing', share: 0.35 }],
    since,
  },
  anomalies: [
    {
      service: 'payments',
      operation: 'POST /charge',
      signal: 'origin-errors',
      since,
      expected: 0,
      seen: 0.55,
      unit: 'share',
      pValue: 3.4e-35,
      calls: 60,
      baselineCalls: 580,
      minimumDetectable: { value: 0.083, share: 0.083 },
      query,
    },
    {
      service: 'bank',
      operation: '',
      caller: 'payments',
      callerOperation: 'POST /charge',
      signal: 'latency',
      since,
      expected: 25e6,
      seen: 2.1e9,
      unit: 'ns',
      pValue: 0.0004,
      calls: 60,
      baselineCalls: 580,
      minimumDetectable: { value: 100e6, share: 0.3 },
      query: null,
    },
    {
      service: 'ledger',
      operation: 'POST /entries',
      caller: 'payments',
      callerOperation: 'POST /charge',
      signal: 'fan-out',
      since,
      expected: 1,
      seen: 0.6,
      unit: 'calls',
      pValue: 1e-12,
      calls: 60,
      baselineCalls: 580,
      minimumDetectable: { value: 0.75, share: 0.25 },
      query: null,
    },
    {
      service: 'stock',
      operation: 'GET /stock',
      caller: 'payments',
      callerOperation: 'POST /charge',
      signal: 'fan-out',
      since,
      expected: 2,
      seen: 31.7,
      unit: 'calls',
      pValue: 1e-12,
      calls: 60,
      baselineCalls: 580,
      minimumDetectable: { value: 3, share: 0.333 },
      query: null,
    },
    {
      service: 'audit',
      operation: '',
      signal: 'silence',
      since,
      expected: 41.3,
      seen: 1,
      unit: 'calls',
      pValue: 1e-8,
      calls: 0,
      baselineCalls: 580,
      minimumDetectable: { value: 1, share: 0.976 },
      query: null,
    },
    {
      service: 'mailer',
      operation: 'send',
      signal: 'logs',
      since,
      expected: 0.9,
      seen: 0.1,
      unit: 'share',
      pValue: 1e-9,
      calls: 60,
      baselineCalls: 580,
      minimumDetectable: { value: 0.6, share: 0.4 },
      query: null,
    },
    {
      service: 'mailer',
      operation: 'send',
      signal: 'self-time',
      since,
      expected: 10e6,
      seen: 20e6,
      unit: 'ns',
      pValue: 1e-3,
      calls: 60,
      baselineCalls: 580,
      minimumDetectable: null,
      query: null,
    },
  ],
  changes: [
    {
      kind: 'version',
      service: 'payments',
      version: '2.0.0',
      versionsBefore: ['1.9.0'],
      description: null,
      at: '2026-11-20T11:59:20.000Z',
    },
  ],
  acknowledged: { by: 'ada', at: since },
  comments: [{ by: 'ben', at: '2026-11-20T12:01:00.000Z', text: 'rolling back' }],
  verdict: null,
  parts: [{ id: '51aa', title: 'search is slow', acknowledged: { by: 'ben', at: since }, comments: 2 }],
  next: [{ sentence: 'What payments POST /charge throws, and its log.', query }],
}

test('an incident reads from the answer down to the numbers, each URL once', () => {
  expect(incidentReport(incident, page)).toBe(`payments POST /charge fails
open for 4 min, since 2026-11-20T12:00:00.000Z
incident 7f3c, ada looks after it
with incident 51aa: search is slow, ben looks after it, 2 comments
reopened at 2026-11-20T12:03:00.000Z: It came back 1 min after it had been resolved, with the same cause.

Cause   payments POST /charge (errors), 82 % sure
Path    payments POST /charge  →  gateway POST /orders
Where   service.version = 2.0.0 and flow.name = POST /orders: 100 % (92 % to 100 %) of its calls are bad, 1.0 % of the others

Why
  - 55 % of 60 calls failed by themselves. [1]
  - Its errors say most often: TypeError
  - Without it, 46 of 50 runs would have gone well. [2]

Or else
  20 % of the weight  orders POST /orders (dependency: db:5432): 3 of 50 runs would have gone well without it

Changed around its beginning
  2026-11-20T11:59:20.000Z  first calls of version 2.0.0 of payments, after 1.9.0 (40 s before)

Hit since 2026-11-20T12:00:00.000Z
  53 of 100 runs of POST /orders, 53 % (43 % to 63 %)
  4 of 8 users, 50 % (22 % to 79 %)
  services: gateway, payments
  not hit yet, and dependent on the cause: billing (35 % of its calls)

What departs from normal
  where                           signal         expected    seen          by chance  would have shown       since
  payments POST /charge           origin-errors  0 %         55 %          1 in 1e34  8.3 %                  12:00:00  [1]
  payments POST /charge → bank    latency        25 ms       2100 ms       1 in 2500  30 % over 100 ms       12:00:00
  payments POST /charge → ledger  fan-out        1 per call  0.6 per call  1 in 1e12  at most 0.75 per call  12:00:00
  payments POST /charge → stock   fan-out        2 per call  32 per call   1 in 1e12  3 per call             12:00:00
  audit                           silence        41 calls    1 call        1 in 1e8   at most 1 call         12:00:00
  mailer send                     logs           90 %        10 %          1 in 1e9   at most 60 %           12:00:00
  mailer send                     self-time      10 ms       20 ms         1 in 1000  not known              12:00:00

What to look at next
  - What payments POST /charge throws, and its log. [1]

Comments
  2026-11-20T12:01:00.000Z  ben: rolling back

Numbers
  [1] http://127.0.0.1:8012/api/v1/series?service=payments&signal=origin-errors
  [2] http://127.0.0.1:8012/api/v1/executions?service=payments&status=error
`)
})

test('runs that did not come are told as what they are, and what nobody can tell with the reason', () => {
  const [flow] = incident.impact.flows
  if (flow === undefined) throw new Error('No flow')
  const missing = {
    runs: 40,
    low: 30,
    high: 50,
    cameLater: 0,
    expected: 90,
    seen: 50,
    from: since,
    to: '2026-11-20T12:00:30.000Z',
    pValue: 1e-6,
  }
  const told = incidentReport(
    {
      ...incident,
      impact: {
        ...incident.impact,
        flows: [{ ...flow, missing }],
        missingUnknown: [{ flow: 'GET /export', expected: 60, seen: 0, why: 'few-users' }],
      },
    },
    page,
  )
  expect(told).toContain(`
  53 of 100 runs of POST /orders, 53 % (43 % to 63 %)
    about 40 runs (30 to 50) did not come when they were due: 44 % fewer than expected in the 30 s from 12:00:00 on
  100 % fewer runs of GET /export than expected, and whether that is its doing cannot be told: few users explain it
  4 of 8 users`)
})

test('one without a cause says why, and one that somebody resolved says who', () => {
  const told = incidentReport(
    {
      ...incident,
      state: 'resolved',
      resolvedAt: '2026-11-20T12:30:00.000Z',
      resolvedBy: 'ada',
      causes: [],
      confidence: 0,
      noCauseReason: 'Not enough data to name a cause.',
      verdict: null,
    },
    page,
  )
  expect(told).toContain('resolved by ada after 30 min: 2026-11-20T12:00:00.000Z to 2026-11-20T12:30:00.000Z')
  expect(told).toContain('\n\nNot enough data to name a cause.\n\n')
})

test('one that is part of another says of which', () => {
  const ended = { state: 'resolved', resolvedAt: '2026-11-20T12:30:00.000Z', mergedInto: '51aa' } as const
  expect(incidentReport({ ...incident, ...ended }, page)).toContain(
    '\npart of incident 51aa since, which has the same cause\n',
  )
})

test('open incidents are told in short, with how to ask for more', () => {
  expect(openReport([incident], page.nowMs)).toBe(`payments POST /charge fails
  for 4 min, 82 % sure, 53 of 100 runs of POST /orders, 53 % (43 % to 63 %), ada looks after it
  npx headwater explain 7f3c
`)
})

test('a time of the past tells what it was compared with, and where nothing is explained only that', () => {
  const times = { from: since, to: since, baselineFrom: since, baselineTo: since, baselineMinutes: 7 }
  const leftOut = { series: 0, logsOfCalls: 0 }
  const summary = 'Not enough data: no call is known from this time.'
  expect(pastReport({ state: 'not-enough-data', summary, ...times, leftOut, told: null }, page.apiUrl)).toBe(
    `${summary}\n${since} to ${since}, compared with 7 minutes with calls from ${since} to ${since}\n`,
  )
  const explained = pastReport(
    { state: 'explained', summary: 'It fails.', ...times, leftOut, told: incident },
    page.apiUrl,
  )
  expect(explained).toContain('Cause   payments POST /charge (errors)')
  expect(explained.endsWith('\n')).toBe(true)
})
