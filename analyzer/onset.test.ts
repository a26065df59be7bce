import type { WindowCounts } from '@headwater/store'
import { bucketOf } from '@headwater/vocabulary'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Finding } from './detect.ts'
import { badWindows, onsetMs } from './onset.ts'

const finding: Finding = {
  signal: 'origin-errors',
  service: 'payments',
  operation: 'POST /charge',
  expected: 0,
  seen: 0.8,
  unit: 'share',
  pValue: 1e-12,
  calls: 30,
  baselineCalls: 300,
  excessCalls: 24,
  excessNs: 0,
}

/** Windows of ten calls every ten seconds; each digit says how many of them were bad, `-` stands for no calls, `.` for no window. */
function windowsOf(bad: string, given: Partial<WindowCounts> = {}): WindowCounts[] {
  return bad.split('').flatMap((sign, i) => {
    if (sign === '.') return []
    const count = sign === '-' ? 0 : Number(sign)
    return {
      windowMs: i * 10_000,
      service: 'payments',
      operation: 'POST /charge',
      kind: 'sync' as const,
      caller: 'orders',
      calls: sign === '-' ? 0 : 10,
      errors: count,
      originErrors: count,
      clientErrors: count,
      duration: { [bucketOf(10e6)]: 10 - count, [bucketOf(900e6)]: count },
      self: { [bucketOf(10e6)]: 10 - count, [bucketOf(900e6)]: count },
      ...given,
    }
  })
}

/** The second at which a finding began, by the bad calls of its windows; `never` when they do not show it. */
function since(bad: string, given: Partial<Finding> = {}, counts: Partial<WindowCounts> = {}): number | 'never' {
  const ms = onsetMs({ ...finding, ...given }, windowsOf(bad, counts), -1)
  return ms === -1 ? 'never' : ms / 1_000
}

test('a fault began with the first of the bad windows that lead up to now', () => {
  expect(since('000000888')).toBe(60)
  expect(since('8')).toBe(0)
})

test('a window a quarter as bad as now counts: the fault began within it', () => {
  expect(since('000003888')).toBe(50)
  expect(since('000002888')).toBe(50)
  expect(since('000001888')).toBe(60)
})

test('an earlier fault that ended has nothing to do with it', () => {
  expect(since('088800888')).toBe(60)
})

test('a window without calls breaks nothing', () => {
  expect(since('0008-88')).toBe(30)
  expect(since('0008.88')).toBe(30)
})

test('a fault that just ended keeps its onset', () => {
  expect(since('000888000')).toBe(30)
})

test('where no window shows it, the fallback stands', () => {
  expect(since('0000')).toBe('never')
  expect(since('')).toBe('never')
  expect(since('0088', {}, { service: 'orders' })).toBe('never')
  expect(since('0088', {}, { operation: 'POST /refund' })).toBe('never')
})

test('where errors are normal, only windows worse than normal count', () => {
  expect(since('222222777', { expected: 0.2, seen: 0.7 })).toBe(60)
  // A quarter of the rise from 40 to 70 % lies at 47.5 %.
  expect(since('444444777', { expected: 0.4, seen: 0.7 })).toBe(60)
  expect(since('444445777', { expected: 0.4, seen: 0.7 })).toBe(50)
})

test('slow calls count by their duration, or by their own time', () => {
  const slow: Partial<Finding> = { unit: 'ns', expected: 10e6, seen: 900e6, slowNs: 100e6 }
  expect(since('0000888', { ...slow, signal: 'latency' })).toBe(40)
  expect(since('0000888', { ...slow, signal: 'self-time' })).toBe(40)
  expect(since('0000888', { ...slow, signal: 'self-time', slowNs: 2e9 })).toBe('never')
})

test('on an edge only the calls of that caller count, and only those without an answer', () => {
  const edge: Partial<Finding> = { signal: 'unanswered', caller: 'orders', callerOperation: 'POST /orders' }
  expect(since('00088', edge, { kind: 'peer', operation: 'POST' })).toBe(30)
  expect(since('00088', edge, { kind: 'sync' })).toBe('never')
  expect(since('00088', edge, { kind: 'peer', caller: 'gateway' })).toBe('never')
})

test('calls of several callers in one window are counted together', () => {
  const windows = [
    ...windowsOf('000888', { caller: 'orders' }),
    ...windowsOf('000000', { caller: 'gateway' }),
    ...windowsOf('000000', { caller: 'batch' }),
  ]
  // Eight bad of thirty calls are a quarter of 107 %, not of 120 %.
  expect(onsetMs({ ...finding, seen: 0.5 }, windows, -1)).toBe(30_000)
  expect(onsetMs({ ...finding, seen: 1.2 }, windows, -1)).toBe(-1)
})

test('the order in which windows are read does not matter, and they stay as they are', () => {
  const windows = [...windowsOf('0008880'), ...windowsOf('0008880', { caller: 'gateway' })]
  const given = structuredClone(windows)
  expect(onsetMs(finding, windows.toReversed(), -1)).toBe(onsetMs(finding, windows, -1))
  expect(windows).toEqual(given)
})

test('a service fell silent at the end of its last window with calls', () => {
  const silence: Partial<Finding> = { signal: 'silence', unit: 'calls', expected: 30, seen: 0 }
  expect(since('00000....', silence)).toBe(50)
  expect(since('000-0--', silence)).toBe(50)
  expect(since('0000....', silence, { operation: 'POST /refund' })).toBe(40)
  // Calls that its callers made of it in vain are not calls that it took.
  expect(since('00000', silence, { kind: 'peer' })).toBe('never')
})

test('a service that takes a few calls yet fell silent when it last took half of what was due', () => {
  const windows = [...windowsOf('0000'), ...windowsOf('....0000', { calls: 2 })]
  expect(onsetMs({ ...finding, signal: 'silence', unit: 'calls', expected: 30, seen: 6 }, windows, -1)).toBe(40_000)
  expect(onsetMs({ ...finding, signal: 'silence', unit: 'calls', expected: 90, seen: 6 }, windows, -1)).toBe(-1)
})

test('of the last three windows those are bad that are at least a quarter as bad as now', () => {
  const bad = (digits: string) => badWindows(finding, windowsOf(digits), digits.length * 10_000)
  expect(bad('000888')).toBe(3)
  expect(bad('000088')).toBe(2)
  expect(bad('888008')).toBe(1)
  expect(bad('888000')).toBe(0)
  expect(bad('00088-')).toBe(2)
})

test('silence is bad over all three windows', () => {
  expect(badWindows({ ...finding, signal: 'silence' }, [], 30_000)).toBe(3)
})

test('of what lasts the onset is told by minutes, as far back as each of them is a quarter as bad', () => {
  const lasting = (bad: string): number =>
    Number(
      since(bad, {
        expected: 0,
        seen: 0.1,
        compared: { recent: { fromMs: 240_000, toMs: 420_000 }, baseline: { fromMs: 0, toMs: 230_000 } },
      }),
    )
  const [healthy, one] = ['000000', '000010']
  expect(lasting(healthy.repeat(4) + one.repeat(3))).toBe(240)
  // One bad call of sixty in a minute are 1.7 %, two are 3.3 %; a quarter as bad as now is 2.5 %.
  expect(lasting(healthy.repeat(2) + '001010'.repeat(2) + one.repeat(3))).toBe(120)
})

/** Windows by digits as above, of a story of a finding of errors or of slow calls. */
const stories = fc.record({
  bad: fc
    .array(fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '.'), { minLength: 1, maxLength: 20 })
    .map((signs) => signs.join('')),
  given: fc.constantFrom<Partial<Finding>>(
    {},
    { signal: 'errors' },
    { signal: 'latency', unit: 'ns', expected: 10e6, seen: 900e6, slowNs: 100e6 },
    { signal: 'silence', unit: 'calls', expected: 30, seen: 0 },
  ),
})

test('neither the order of windows nor the names of services matter', () => {
  fc.assert(
    fc.property(stories, ({ bad, given }) => {
      const told = since(bad, given)
      const named = { service: 'x', operation: 'y' }
      expect(since(bad, { ...given, ...named }, named)).toBe(told)
      const turned = onsetMs({ ...finding, ...given }, windowsOf(bad).toReversed(), -1)
      expect(turned === -1 ? 'never' : turned / 1_000).toBe(told)
    }),
  )
})

test('under ten times the load it all began at the same time', () => {
  const busy = (windows: WindowCounts[]): WindowCounts[] =>
    windows.map((window) => ({
      ...window,
      calls: window.calls * 10,
      errors: window.errors * 10,
      originErrors: window.originErrors * 10,
      duration: Object.fromEntries(Object.entries(window.duration).map(([bucket, calls]) => [bucket, calls * 10])),
    }))
  fc.assert(
    fc.property(stories, ({ bad, given }) => {
      const quiet = { ...finding, ...given }
      const loaded = {
        ...quiet,
        calls: quiet.calls * 10,
        excessCalls: quiet.excessCalls * 10,
        ...(quiet.signal === 'silence' ? { expected: quiet.expected * 10 } : {}),
      }
      expect(onsetMs(loaded, busy(windowsOf(bad)), -1)).toBe(onsetMs(quiet, windowsOf(bad), -1))
    }),
  )
})

test('so much later, it began so much later; where it begins there is a window, and it was bad', () => {
  fc.assert(
    fc.property(stories, fc.integer({ min: 1, max: 50 }), ({ bad, given }, later) => {
      const told = since(bad, given)
      expect(since('.'.repeat(later) + bad, given)).toBe(told === 'never' ? told : told + later * 10)
      if (told === 'never' || given.signal === 'silence') return
      // A quarter of the 80 % of now are two of ten.
      expect(Number(bad[told / 10])).toBeGreaterThanOrEqual(2)
    }),
  )
})

test('where one more window before was bad, it began no later', () => {
  fc.assert(
    fc.property(stories, fc.nat(19), ({ bad, given }, at) => {
      const told = since(bad, given)
      if (told === 'never' || given.signal === 'silence' || at >= bad.length || at * 10 > told) return
      expect(since(`${bad.slice(0, at)}9${bad.slice(at + 1)}`, given)).toBeLessThanOrEqual(told)
    }),
  )
})

test('a window that is no worse than usual is no bad one, however little worse it is now', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 20 }), (usual, more, length) => {
      const worse = { expected: usual / 10, seen: usual / 10 + more / 1_000 }
      expect(since(String(usual).repeat(length), worse)).toBe('never')
      expect(badWindows({ ...finding, ...worse }, windowsOf(String(usual).repeat(length)), length * 10_000)).toBe(0)
    }),
  )
})
