import type { LogPattern } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changedLogs } from './changed-logs.ts'

interface Line {
  spans: number
  ofSpans: number
  pattern?: string
  severity?: number
  window?: number
  service?: string
}

/** So many of the spans of an operation have logged a line. */
function logged({
  spans,
  ofSpans,
  pattern = 'Charge:40',
  severity = 17,
  window = 0,
  service = 'payments',
}: Line): LogPattern {
  const windowMs = window * 300_000
  return { service, operation: 'charge', pattern, example: `line of ${pattern}`, severity, windowMs, spans, ofSpans }
}

/** How many spans there are, which the store tells of each operation and window, logged or not. */
function working(ofSpans: number, window = 0, service = 'payments'): LogPattern {
  return logged({ spans: 0, ofSpans, pattern: '', window, service })
}

/** So many of 100 spans in each window of what is usual. */
function usually(...shares: number[]): LogPattern[] {
  return shares.flatMap((spans, window) => [
    working(100, window),
    ...(spans === 0 ? [] : [logged({ spans, ofSpans: 100, window })]),
  ])
}

const now = (spans: number, line: Partial<Line> = {}): LogPattern[] => [
  working(100),
  ...(spans === 0 ? [] : [logged({ spans, ofSpans: 100, ...line })]),
]

test('a worked example: an error that 1 of 100 spans usually logs, and 41 do now, speaks of 40 calls', () => {
  const [finding, ...others] = changedLogs({ recent: now(41), usual: usually(1, 1, 1, 1) })
  expect(others).toEqual([])
  expect(finding).toMatchObject({
    signal: 'logs',
    service: 'payments',
    operation: 'charge',
    expected: 0.01,
    seen: 0.41,
    unit: 'share',
    calls: 100,
    baselineCalls: 400,
    line: 'line of Charge:40',
  })
  expect(finding?.excessCalls).toBeCloseTo(40, 9)
  expect(finding?.pValue).toBeLessThan(1e-10)
})

test('a line that is no error counts for seven tenths, as does one that is written no longer', () => {
  const excessOf = (recent: LogPattern[], usual: LogPattern[]) => changedLogs({ recent, usual })[0]?.excessCalls
  expect(excessOf(now(41, { severity: 9 }), usually(1, 1, 1))).toBeCloseTo(0.7 * 40, 9)
  expect(excessOf(now(20), usually(100, 100, 100))).toBeCloseTo(0.7 * 80, 9)
  expect(excessOf(now(0), usually(100, 100, 100))).toBeCloseTo(0.7 * 100, 9)
})

test('what is usual is the median over windows by their spans: two of five windows of trouble do not move it, three do', () => {
  const expectedOf = (...shares: number[]) => changedLogs({ recent: now(50), usual: usually(...shares) })[0]?.expected
  expect(expectedOf(0, 90, 0, 90, 0)).toBe(0)
  expect(expectedOf(90, 0, 90, 0, 90)).toBe(0.9)
  // One window of 1,000 spans outweighs four of 100.
  const busy = [working(1_000, 9), logged({ spans: 900, ofSpans: 1_000, window: 9 })]
  expect(changedLogs({ recent: now(50), usual: [...usually(0, 0, 0, 0), ...busy] })[0]?.expected).toBe(0.9)
})

test('less than a fifth of the spans more or less is nothing, nor is what few spans tell', () => {
  expect(changedLogs({ recent: now(20), usual: usually(1, 1, 1) })).toEqual([])
  expect(changedLogs({ recent: now(22), usual: usually(1, 1, 1) })).toHaveLength(1)
  const four = [working(4), logged({ spans: 4, ofSpans: 4 })]
  expect(changedLogs({ recent: four, usual: usually(0, 0, 0) })).toEqual([])
  expect(changedLogs({ recent: now(100), usual: [working(7)] })).toEqual([])
  expect(changedLogs({ recent: now(100), usual: [] })).toEqual([])
  expect(changedLogs({ recent: [], usual: usually(100, 100) })).toEqual([])
})

const shares = fc.integer({ min: 0, max: 100 })
const past = fc.array(shares, { minLength: 1, maxLength: 6 })

test('neither the order of what is read nor the names of services and lines matter', () => {
  fc.assert(
    fc.property(shares, past, (share, before) => {
      const [recent, usual] = [now(share), usually(...before)]
      const told = changedLogs({ recent, usual })
      expect(changedLogs({ recent: recent.toReversed(), usual: usual.toReversed() })).toEqual(told)
      const other = (pattern: LogPattern): LogPattern => ({
        ...pattern,
        service: 'x-stnemyap',
        pattern: pattern.pattern === '' ? '' : 'Other:7',
      })
      expect(changedLogs({ recent: recent.map(other), usual: usual.map(other) })).toEqual(
        told.map((finding) => ({ ...finding, service: 'x-stnemyap' })),
      )
    }),
  )
})

test('what one service logs says nothing of another', () => {
  fc.assert(
    fc.property(shares, past, (share, before) => {
      const beside = [working(100, 0, 'orders'), logged({ spans: 60, ofSpans: 100, service: 'orders' })]
      const besideBefore = [working(100, 0, 'orders'), logged({ spans: 58, ofSpans: 100, service: 'orders' })]
      const [recent, usual] = [now(share), usually(...before)]
      expect(changedLogs({ recent: [...beside, ...recent], usual: [...usual, ...besideBefore] })).toEqual(
        changedLogs({ recent, usual }),
      )
    }),
  )
})

test('under so many times the load the same lines are told, of so many times the calls, and as chance they are no likelier', () => {
  const times = (patterns: LogPattern[], factor: number): LogPattern[] =>
    patterns.map((pattern) => ({ ...pattern, spans: pattern.spans * factor, ofSpans: pattern.ofSpans * factor }))
  fc.assert(
    fc.property(shares, past, fc.integer({ min: 2, max: 9 }), (share, before, factor) => {
      const [one] = changedLogs({ recent: now(share), usual: usually(...before) })
      const [more] = changedLogs({ recent: times(now(share), factor), usual: times(usually(...before), factor) })
      // What is chance at the one load need not be at the other.
      if (one === undefined) return
      expect(more?.expected).toBeCloseTo(one.expected, 12)
      expect(more?.seen).toBeCloseTo(one.seen, 12)
      expect(more?.excessCalls).toBeCloseTo(one.excessCalls * factor, 6)
      expect(more?.pValue).toBeLessThanOrEqual(one.pValue)
    }),
  )
})

test('the more spans log an error that was rare, the more it speaks of, and the less it is chance', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 }), shares, shares, (usual, one, other) => {
      const tell = (share: number) => {
        const [finding] = changedLogs({ recent: now(share), usual: usually(usual, usual, usual) })
        const isMore = finding !== undefined && finding.seen > finding.expected
        return isMore ? finding : { excessCalls: 0, pValue: 1 }
      }
      const [less, more] = [tell(Math.min(one, other)), tell(Math.max(one, other))]
      expect(more.excessCalls).toBeGreaterThanOrEqual(less.excessCalls)
      expect(more.pValue).toBeLessThanOrEqual(less.pValue)
    }),
  )
})
