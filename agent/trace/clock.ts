import type { HrTime, TimeInput } from '@opentelemetry/api'

/** How far the system's clock may be from ours before ours is set anew: somebody has set it, or the machine has slept. */
const driftMsMax = 500

let offsetMs = Date.now() - performance.now()

/** Milliseconds since 1970, to a microsecond, going evenly. */
export function nowMs(): number {
  return offsetMs + performance.now()
}

/** Follows the system's clock where it has jumped. Called where a trace begins: within one, times go evenly. */
export function followSystemClock(): void {
  const expected = Date.now() - performance.now()
  if (Math.abs(expected - offsetMs) > driftMsMax) offsetMs = expected
}

/**
 * A moment as a caller states it: `performance.now()`, milliseconds since 1970, a date, or seconds and nanoseconds. What is
 * none, or cannot be written, is now.
 */
export function momentOf(input: TimeInput): number | HrTime {
  if (isHrTime(input)) return isWithin(input[0] * 1e3) && input[1] >= 0 && input[1] <= 1e9 ? input : nowMs()
  const ms = input instanceof Date ? input.getTime() : input
  const since1970 = typeof input === 'number' && input <= performance.now() ? offsetMs + input : ms
  return isWithin(since1970) ? since1970 : nowMs()
}

/** Whether so many milliseconds are from 1970 to 2286: as nanoseconds they have 64 bits. */
function isWithin(ms: unknown): boolean {
  return typeof ms === 'number' && ms >= 0 && ms < 1e13
}

/** Whether `value` states a moment: attributes may stand in the same place. */
export function isTimeInput(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || isHrTime(value)
}

function isHrTime(value: unknown): value is HrTime {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number'
}

/** Whether `left` is before `right`. */
export function isBefore(left: number | HrTime, right: number | HrTime): boolean {
  const [leftMs, rightMs] = [millisecondsOf(left), millisecondsOf(right)]
  // To the nanosecond only where both are given so: as one number they would be rounded to a quarter of a microsecond.
  if (typeof left === 'object' && typeof right === 'object' && left[0] === right[0]) return left[1] < right[1]
  return leftMs < rightMs
}

/** Milliseconds since 1970. */
export function millisecondsOf(moment: number | HrTime): number {
  return typeof moment === 'number' ? moment : moment[0] * 1e3 + moment[1] / 1e6
}
