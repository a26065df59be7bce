// What spans log tells of trouble that no duration and no status shows: a line that an operation began to write, or ceased to write.
import type { LogPattern } from '@headwater/store'
import type { Finding } from './detect.ts'
import { parameters } from './parameters.ts'
import { operationKey } from './picture.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'

/** What spans logged, now and usually. */
export interface LogPatterns {
  recent: readonly LogPattern[]
  usual: readonly LogPattern[]
}

/** OpenTelemetry's ERROR, and what is worse. */
const errorFrom = 17

/** Lines that a share of an operation's spans logs which it usually does not, or does no longer. */
export function changedLogs({ recent, usual }: LogPatterns): Finding[] {
  const { shareChangeMin, pValueMax, spansMin, otherLinesWeight } = parameters.blame.logs
  const now = new Map(recent.map((pattern) => [keyOf(pattern), pattern]))
  const spansNow = new Map(recent.map(({ service, operation, ofSpans }) => [operationKey(service, operation), ofSpans]))
  const before = Map.groupBy(usual, keyOf)
  const windowsBefore = Map.groupBy(
    usual.filter(({ pattern }) => pattern === ''),
    ({ service, operation }) => operationKey(service, operation),
  )
  const findings: Finding[] = []
  for (const key of new Set([...before.keys(), ...now.keys()])) {
    const lines = before.get(key) ?? []
    const told = now.get(key) ?? lines[0]
    if (told === undefined || told.pattern === '') continue
    const { service, operation, example, severity } = told
    const calls = spansNow.get(operationKey(service, operation)) ?? 0
    const windows = windowsBefore.get(operationKey(service, operation)) ?? []
    const baselineCalls = windows.reduce((sum, { ofSpans }) => sum + ofSpans, 0)
    if (calls < spansMin || baselineCalls < parameters.blame.baselineCallsMin) continue
    const k = now.get(key)?.spans ?? 0
    const seen = k / calls
    const expected = usualShare(lines, windows)
    if (Math.abs(seen - expected) < shareChangeMin) continue
    const [bad, usually] = seen > expected ? [k, expected] : [calls - k, 1 - expected]
    const pValue = betaBinomialTail({
      k: bad,
      n: calls,
      badBefore: usually * baselineCalls,
      callsBefore: baselineCalls,
    })
    if (pValue > pValueMax) continue
    findings.push({
      signal: 'logs',
      service,
      operation,
      expected,
      seen,
      unit: 'share',
      pValue,
      calls,
      baselineCalls,
      excessCalls:
        Math.abs(seen - expected) * calls * (severity >= errorFrom && seen > expected ? 1 : otherLinesWeight),
      excessNs: 0,
      line: example,
    })
  }
  return findings
}

/**
 * The share of spans that usually have a line: the median over windows, each counting by its spans, which a few windows of
 * trouble do not move.
 */
function usualShare(lines: readonly LogPattern[], windows: readonly LogPattern[]): number {
  const spans = new Map(lines.map((line) => [line.windowMs, line.spans]))
  const shares = windows
    .map(({ windowMs, ofSpans }) => ({ share: (spans.get(windowMs) ?? 0) / ofSpans, ofSpans }))
    .toSorted((a, b) => a.share - b.share)
  let left = shares.reduce((sum, { ofSpans }) => sum + ofSpans, 0) / 2
  for (const { share, ofSpans } of shares) {
    left -= ofSpans
    if (left <= 0) return share
  }
  return 0
}

function keyOf({ service, operation, pattern }: LogPattern): string {
  return `${operationKey(service, operation)}\u0000${pattern}`
}
