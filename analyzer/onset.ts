import { addHistogram, bucketOf, countAbove } from '@headwater/vocabulary'
import type { WindowCounts } from '@headwater/store'
import type { Finding } from './detect.ts'
import { parameters } from './parameters.ts'

/**
 * When a finding began: the start of the first of the windows, unbroken up to the last bad one, in which its calls were worse
 * than usual by at least a quarter of what they are now. A window without calls breaks nothing. For silence: the end of the last window in which at least
 * half of the calls came that were due.
 * `fallbackMs` where the windows do not show it.
 */
export function onsetMs(finding: Finding, windows: WindowCounts[], fallbackMs: number): number {
  const own = windowsOf(finding, windows)
  if (finding.compared !== undefined) return lastingOnsetMs(finding, own, finding.compared.recent.fromMs)
  if (finding.signal === 'silence') {
    const due = (finding.expected * parameters.stepMs) / parameters.recentMs
    const last = own.findLast(({ calls }) => calls > 0 && calls >= due / 2)
    return last === undefined ? fallbackMs : last.windowMs + parameters.stepMs
  }
  let onset: number | undefined
  for (const window of own.toReversed()) {
    if (window.calls === 0) continue
    if (isBad(finding, window)) onset = window.windowMs
    else if (onset !== undefined) break
  }
  return onset ?? fallbackMs
}

/** The same of what lasts, by minutes: within ten seconds a small effect need not show. It lasted from `knownMs` on at least. */
function lastingOnsetMs(finding: Finding, windows: WindowCounts[], knownMs: number): number {
  const minutes = mergeByWindow(
    windows.map((window) => ({ ...window, windowMs: Math.floor(window.windowMs / 60_000) * 60_000 })),
  )
  let onset = knownMs
  for (const minute of minutes.filter(({ windowMs, calls }) => windowMs < knownMs && calls > 0).toReversed()) {
    if (!isBad(finding, minute)) break
    onset = minute.windowMs
  }
  return onset
}

/** How many of the last three ten-second windows before `atMs` were bad. Silence is judged over all of them at once. */
export function badWindows(finding: Finding, windows: WindowCounts[], atMs: number): number {
  if (finding.signal === 'silence') return parameters.recentMs / parameters.stepMs
  return windowsOf(finding, windows).filter(
    (window) => window.windowMs >= atMs - parameters.recentMs && isBad(finding, window),
  ).length
}

function isBad(finding: Finding, window: WindowCounts): boolean {
  // The recent time that the finding is about may have begun before its onset, and the onset lies within a window.
  const { unit, expected, seen, excessCalls, calls } = finding
  const limit = unit === 'share' ? expected + (seen - expected) / 4 : excessCalls / calls / 4
  return window.calls > 0 && badCalls(window, finding, bucketOf(finding.slowNs ?? 0)) / window.calls >= limit
}

function windowsOf(finding: Finding, windows: WindowCounts[]): WindowCounts[] {
  return mergeByWindow(
    windows
      .filter((window) => belongsTo(window, finding))
      // Only a call without the callee's span is unanswered.
      .map((window) => (window.kind === 'peer' ? window : { ...window, clientErrors: 0 })),
  )
}

function belongsTo(window: WindowCounts, { service, operation, caller, signal }: Finding): boolean {
  if (window.service !== service) return false
  if (caller !== undefined) return window.caller === caller && window.kind !== 'publish'
  if (window.kind === 'peer' || window.kind === 'publish') return false
  return signal === 'silence' || window.operation === operation
}

function badCalls(window: WindowCounts, { signal, caller }: Finding, slowBucket: number): number {
  switch (signal) {
    case 'errors':
      return caller === undefined ? window.errors : window.clientErrors
    case 'unanswered':
      return window.clientErrors
    case 'origin-errors':
      return window.originErrors
    case 'latency':
      return countAbove(window.duration, slowBucket)
    case 'self-time':
      return countAbove(window.self, slowBucket)
    // Windows do not have these.
    case 'wire-time':
    case 'fan-out':
    case 'cache-misses':
    case 'logs':
    case 'silence':
    case 'traffic':
      return 0
  }
}

function mergeByWindow(windows: WindowCounts[]): WindowCounts[] {
  const merged = new Map<number, WindowCounts>()
  for (const window of windows) {
    const known = merged.get(window.windowMs)
    if (known === undefined) {
      merged.set(window.windowMs, { ...window, duration: { ...window.duration }, self: { ...window.self } })
      continue
    }
    known.calls += window.calls
    known.errors += window.errors
    known.originErrors += window.originErrors
    known.clientErrors += window.clientErrors
    addHistogram(known.duration, window.duration)
    addHistogram(known.self, window.self)
  }
  return [...merged.values()].toSorted((a, b) => a.windowMs - b.windowMs)
}
