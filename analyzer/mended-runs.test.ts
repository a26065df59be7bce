import type { BadRun, RunCall } from '@headwater/store'
import { expect, test } from 'vitest'
import type { Finding } from './detect.ts'
import { mendedRuns } from './mended-runs.ts'
import { pictureOf } from './picture.ts'
import { callsIn } from './test-table.ts'

const ms = 1e6
const known = pictureOf(
  callsIn(`
    - > gateway POST /orders: 1000 calls, 60 ms, self 10 ms
    gateway POST /orders > payments POST /charge: 1000 calls, 40 ms, self 20 ms
    payments POST /charge ?> bank.example: 1000 calls, 20 ms`),
)
const usualEntries = [{ service: 'gateway', operation: 'POST /orders', slowNs: 100 * ms }]

function call(told: Partial<RunCall>): RunCall {
  return {
    spanId: `${told.service ?? ''} ${told.endMs ?? 0}`,
    clientSpanId: '',
    kind: 'sync',
    caller: '',
    callerOperation: '',
    service: '',
    operation: '',
    endMs: 0,
    durationNs: 0,
    selfNs: 0,
    wireNs: 0,
    failed: false,
    originError: false,
    clientFailed: false,
    ...told,
  }
}

/** An order that takes so long at the bank and within payments, in milliseconds; the gateway takes ten more. */
function order({
  bankMs = 20,
  paymentsMs = 20,
  wayMs = 0,
  fails = 'nobody',
}: { bankMs?: number; paymentsMs?: number; wayMs?: number; fails?: 'nobody' | 'payments' | 'bank' } = {}): BadRun {
  const failed = fails !== 'nobody'
  const chargeMs = bankMs + paymentsMs
  const failure = { failed, clientFailed: failed }
  return {
    traceId: 'a trace',
    weight: 1,
    calls: [
      call({
        kind: 'entry',
        service: 'gateway',
        operation: 'POST /orders',
        endMs: chargeMs + wayMs + 10,
        durationNs: (chargeMs + wayMs + 10) * ms,
        selfNs: 10 * ms,
        failed,
      }),
      call({
        caller: 'gateway',
        callerOperation: 'POST /orders',
        service: 'payments',
        operation: 'POST /charge',
        endMs: chargeMs + wayMs / 2 + 5,
        durationNs: chargeMs * ms,
        selfNs: paymentsMs * ms,
        wireNs: wayMs * ms,
        ...failure,
        originError: fails === 'payments',
      }),
      call({
        kind: 'peer',
        caller: 'payments',
        callerOperation: 'POST /charge',
        service: 'bank.example',
        endMs: chargeMs + wayMs / 2,
        durationNs: bankMs * ms,
        failed: fails === 'bank',
        clientFailed: fails === 'bank',
        originError: fails === 'bank',
      }),
    ],
  }
}

function finding(told: Pick<Finding, 'signal' | 'service'> & Partial<Finding>): { findings: Finding[] } {
  return {
    findings: [
      {
        operation: '',
        expected: 0,
        seen: 0,
        unit: 'share',
        pValue: 0,
        calls: 100,
        baselineCalls: 1_000,
        excessCalls: 50,
        excessNs: 0,
        ...told,
      },
    ],
  }
}

const charge = { service: 'payments', operation: 'POST /charge' }
const failing = finding({ signal: 'origin-errors', ...charge })
const slow = finding({ signal: 'self-time', ...charge, unit: 'ns', expected: 20 * ms, slowNs: 30 * ms })
const toBank = { service: 'bank.example', caller: 'payments', callerOperation: 'POST /charge' }
const slowBank = finding({ signal: 'latency', ...toBank, unit: 'ns', expected: 20 * ms, slowNs: 30 * ms })
const failingBank = finding({ signal: 'errors', ...toBank })
const stuck = finding({
  signal: 'wire-time',
  service: 'payments',
  caller: 'gateway',
  callerOperation: 'POST /orders',
  unit: 'ns',
  expected: ms,
  slowNs: 10 * ms,
})

const times = (count: number, run: BadRun): BadRun[] => Array.from({ length: count }, () => run)

function replayed(suspects: { findings: Finding[] }[], runs: BadRun[]): (string | undefined)[] {
  return mendedRuns(suspects, runs, { known, usualEntries }).map((one) => one && `${one.mended} of ${one.runs}`)
}

test('of runs that went wrong, those that would have gone well without a suspect are told of each suspect', () => {
  const runs = [
    ...times(12, order({ fails: 'payments' })),
    ...times(5, order({ fails: 'bank' })),
    ...times(3, order({ bankMs: 2_000 })),
    ...times(4, order({ paymentsMs: 900 })),
    ...times(2, order({ wayMs: 700 })),
  ]
  expect(replayed([failing, failingBank, slowBank, slow, stuck], runs)).toEqual([
    '12 of 26',
    '5 of 26',
    '3 of 26',
    '4 of 26',
    '2 of 26',
  ])
  expect(
    mendedRuns([failing], times(46, order({ fails: 'payments' })).concat(times(4, order({ fails: 'bank' }))), {
      known,
      usualEntries,
    }),
  ).toEqual([
    // Wilson's interval, as the reference tables have it.
    { runs: 50, mended: 46, share: 0.92, low: 0.812, high: 0.968 },
  ])
})

test('a run that is slow by two suspects goes well without neither alone', () => {
  expect(replayed([slow, slowBank], times(10, order({ bankMs: 500, paymentsMs: 500 })))).toEqual(['0 of 10', '0 of 10'])
})

test('what failed late is mended as a whole, its waiting with it', () => {
  expect(replayed([failingBank], times(10, order({ fails: 'bank', bankMs: 5_000 })))).toEqual(['10 of 10'])
  expect(replayed([failing], times(10, order({ fails: 'payments', bankMs: 5_000 })))).toEqual(['0 of 10'])
})

test('who gives no answer is relieved of its callers’ failed calls', () => {
  const refused = order({ fails: 'payments' })
  const calls = refused.calls.slice(0, 1).concat(
    call({
      kind: 'peer',
      caller: 'gateway',
      callerOperation: 'POST /orders',
      service: 'payments',
      endMs: 45,
      durationNs: 40 * ms,
      failed: true,
      clientFailed: true,
      originError: true,
    }),
  )
  const unanswered = finding({
    signal: 'unanswered',
    service: 'payments',
    caller: 'gateway',
    callerOperation: 'POST /orders',
  })
  expect(replayed([unanswered], times(10, { ...refused, calls }))).toEqual(['10 of 10'])
})

test('runs that have turned out well are not among those that went wrong', () => {
  expect(replayed([failing], [...times(10, order({ fails: 'payments' })), ...times(3, order())])).toEqual(['10 of 10'])
})

test('nothing is told where the calls cannot tell it', () => {
  const bad = order({ fails: 'payments' })
  // Too few runs.
  expect(replayed([failing], times(4, bad))).toEqual([undefined])
  // Runs that stand for others that were not kept, and runs that lack calls.
  expect(replayed([failing], [...times(20, bad), ...times(5, { ...bad, weight: 10 })])).toEqual(['20 of 20'])
  expect(replayed([failing], [...times(20, bad), ...times(6, { ...bad, weight: 10 })])).toEqual([undefined])
  expect(replayed([failing], [...times(20, bad), ...times(6, { ...bad, calls: [] })])).toEqual([undefined])
  expect(replayed([failing], [...times(20, bad), ...times(6, { ...bad, calls: bad.calls.slice(1) })])).toEqual([
    undefined,
  ])
  // Calls that were never made cannot be taken off, and neither can those that were too many.
  const runs = times(10, bad)
  expect(
    replayed(
      [
        finding({ signal: 'silence', ...charge }),
        finding({ signal: 'fan-out', ...charge, caller: 'gateway', callerOperation: 'POST /orders' }),
      ],
      runs,
    ),
  ).toEqual([undefined, undefined])
  expect(replayed([finding({ signal: 'logs', ...charge, line: 'boom' })], runs)).toEqual([undefined])
  // Nobody passed it.
  expect(replayed([finding({ signal: 'origin-errors', service: 'stock', operation: 'GET /stock' })], runs)).toEqual([
    undefined,
  ])
})
