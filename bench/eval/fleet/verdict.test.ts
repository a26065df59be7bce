import { expect, test } from 'vitest'
import type { FleetEvent } from './record.ts'
import { falseIncidents, healthyTime, verdictOf } from './verdict.ts'
import type { Told, ToldStep } from './watch-recording.ts'

const second = 1_000
const fault: FleetEvent = {
  what: 'fault',
  kind: 'errors',
  service: 'pdf',
  operation: 'POST /render',
  fromMs: 100 * second,
  toMs: 150 * second,
}

function told(id: string, openedS: number, service?: string, more: Partial<Told> = {}): Told {
  return {
    id,
    title: id,
    openedMs: openedS * second,
    sinceMs: openedS * second,
    isQuiet: false,
    causes: service === undefined ? [] : [{ service, operation: '', kind: 'errors' }],
    confidence: 0.9,
    flows: [],
    ...more,
  }
}

/** A step judged three seconds after the lag. */
function stepAt(atS: number, ...open: Told[]): ToldStep {
  return { atMs: atS * second, nowMs: (atS + 13) * second, open }
}

test('a fault is explained when an incident first has causes, and judged by what was told last while it was on', () => {
  const verdict = verdictOf(fault, [
    stepAt(100),
    stepAt(110, told('a', 123)),
    stepAt(120, told('a', 123, 'gateway')),
    stepAt(130, told('a', 123, 'pdf')),
    // Told after the fault had ended.
    stepAt(140, told('a', 123, 'math')),
  ])
  expect(verdict).toMatchObject({ explainedAfterMs: 33_000, firstSaid: 'gateway', atMs: 130_000, others: 0 })
  expect(verdict.told?.causes[0]?.service).toBe('pdf')
})

test('what is told only after the fault counts as late, not as missed', () => {
  const verdict = verdictOf(fault, [stepAt(140, told('a', 153, 'pdf')), stepAt(150, told('a', 153, 'math'))])
  expect(verdict).toMatchObject({ explainedAfterMs: 53_000, firstSaid: 'pdf' })
  expect(verdict.told?.causes[0]?.service).toBe('pdf')
})

test('an incident of the fault before is news once it goes on after quiet', () => {
  const quiet = told('a', 40, 'math', { isQuiet: true })
  expect(verdictOf(fault, [stepAt(105, quiet), stepAt(110, quiet)]).told).toBeUndefined()
  const verdict = verdictOf(fault, [stepAt(105, quiet), stepAt(120, told('a', 40, 'pdf'))])
  expect(verdict).toMatchObject({ explainedAfterMs: 33_000, firstSaid: 'pdf', isFromBefore: false })
})

test('one that never was quiet is judged by what it says of the fault, and tells no time', () => {
  const verdict = verdictOf(fault, [stepAt(105, told('a', 40, 'math')), stepAt(130, told('a', 40, 'pdf'))])
  expect(verdict).toMatchObject({ explainedAfterMs: undefined, firstSaid: 'math', isFromBefore: true })
  expect(verdict.told?.causes[0]?.service).toBe('pdf')
  // A new one beside it is the fault's.
  expect(verdictOf(fault, [stepAt(130, told('a', 40, 'math'), told('b', 143, 'pdf'))])).toMatchObject({
    told: { id: 'b' },
    explainedAfterMs: 43_000,
    isFromBefore: false,
  })
})

test('one that comes back while the fault is on is its incident, and further ones are counted', () => {
  const verdict = verdictOf(fault, [stepAt(120, told('a', 133, 'pdf'), told('b', 133, 'math'))])
  expect(verdict).toMatchObject({ firstSaid: 'pdf', others: 1 })
})

test('a fault of which nothing is told has no verdict', () => {
  expect(verdictOf(fault, [stepAt(90, told('a', 60, 'pdf')), stepAt(250, told('b', 263, 'pdf'))])).toMatchObject({
    told: undefined,
    explainedAfterMs: undefined,
    firstSaid: undefined,
  })
})

test('time is healthy until a fault, and from three quarters of a minute after it', () => {
  const whole = { fromMs: 0, toMs: 1_000 * second }
  expect(healthyTime(whole, [fault, { fromMs: 160 * second, toMs: 170 * second }])).toEqual([
    { fromMs: 0, toMs: 100 * second },
    { fromMs: 215 * second, toMs: 1_000 * second },
  ])
  expect(healthyTime(whole, [{ fromMs: 0, toMs: 990 * second }])).toEqual([])
})

test('an incident is false when it opens or comes back in healthy time, however long it stays', () => {
  const healthy = [{ fromMs: 0, toMs: 100 * second }]
  const steps = [
    stepAt(10, told('a', 20), told('b', 100)),
    stepAt(20, told('a', 20)),
    stepAt(60, told('a', 70)),
    stepAt(120, told('c', 133)),
  ]
  expect(falseIncidents(steps, healthy).map(({ id, openedMs }) => [id, openedMs])).toEqual([
    ['a', 20_000],
    ['a', 70_000],
  ])
})
