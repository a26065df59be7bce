import { expect, test } from 'vitest'
import type { Cause, Incident } from './incident.ts'
import { nextLooks } from './next-looks.ts'

const since = '2026-11-20T12:00:00.000Z'
const cause: Cause = {
  service: 'payments',
  operation: 'POST /charge',
  kind: 'errors',
  score: 0.9,
  evidence: [],
  path: [],
}
const flow = { name: 'POST /orders', runs: 10, runsAffected: 5, share: 0.5, low: 0.2, high: 0.8 }

function looks(over: Partial<Incident> = {}): string[] {
  const users = { affected: 0, seen: 0, share: 0, low: 0, high: 1 }
  const impact = { services: [], flows: [flow], users, atRisk: [], since }
  return nextLooks({ causes: [cause], confidence: 0.9, impact, changes: [], since, ...over }).map(
    ({ sentence }) => sentence,
  )
}

test('a version that came just before is the first thing to undo', () => {
  const change = {
    kind: 'version',
    service: 'payments',
    version: '2.0.0',
    versionsBefore: ['1.9.0'],
    description: null,
  } as const
  const at = '2026-11-20T11:59:30.000Z'
  expect(looks({ changes: [{ ...change, versionsBefore: ['1.9.0'], at }] })).toEqual([
    `Whether to undo the change of version of payments (2.0.0), back to 1.9.0: it came at ${at}, just before.`,
    'What payments POST /charge throws, and its log.',
    'Runs of POST /orders that failed; `headwater explain <flow ID>` follows one to its origin.',
    'Who else depends on payments, and may be hit next.',
  ])
  const later = { ...change, versionsBefore: [], at: '2026-11-20T12:05:00.000Z' }
  const elsewhere = { ...change, versionsBefore: [], service: 'mailer', at }
  expect(looks({ changes: [later, elsewhere] })).toEqual(looks())
})

test('what tells bad calls from good ones is told by how many are bad with it and without', () => {
  const attribute = { name: 'service.instance.id', value: 'pod-3', badShare: 1, goodShare: 0.004 }
  expect(looks({ causes: [{ ...cause, attribute }] })[0]).toBe(
    'What is different about service.instance.id = pod-3: 100 % of the calls with it are bad, 0.4 % of the others.',
  )
})

test('the second cause is worth a look where the first is not sure', () => {
  const causes = [cause, { ...cause, service: 'bank', operation: '', kind: 'unavailable' as const }]
  expect(looks({ causes, confidence: 0.5 })[1]).toBe('bank (unavailable), too: the first cause is only 50 % sure.')
  expect(looks({ causes })).toEqual(looks())
})

test('without a cause there are still the runs that failed', () => {
  expect(looks({ causes: [], confidence: 0 })).toEqual([
    'Runs of POST /orders that failed; `headwater explain <flow ID>` follows one to its origin.',
  ])
})

test.each([
  [{ kind: 'latency' }, 'What payments POST /charge does by itself that takes so long: its CPU, locks, pools.'],
  [{ kind: 'unavailable' }, 'Whether payments runs, and whether its callers can reach it.'],
  [
    { kind: 'dependency', peer: 'bank:443' },
    'Whether bank:443 is well: payments POST /charge waits for it, or fails with it, and it sends no spans.',
  ],
] as const)('%j: %s', (over, sentence) => {
  expect(looks({ causes: [{ ...cause, ...over }] })[0]).toBe(sentence)
})

test('runs are looked at where they came: of a flow that only lacks some there is none to look at', () => {
  const missing = {
    runs: 40,
    low: 30,
    high: 50,
    cameLater: 0,
    expected: 100,
    seen: 60,
    from: since,
    to: since,
    pValue: 1e-9,
  }
  const lacking = { name: 'GET /image', runs: 100, runsAffected: 40, share: 0.4, low: 0.3, high: 0.5, missing }
  const users = { affected: 0, seen: 0, share: 0, low: 0, high: 1 }
  const hit = (flows: Incident['impact']['flows']) => ({
    causes: [],
    impact: { services: [], flows, users, atRisk: [], since },
  })
  expect(looks(hit([lacking, flow]))).toEqual([expect.stringContaining('Runs of POST /orders that failed')])
  expect(looks(hit([lacking]))).toEqual([])
})
