import { median } from 'simple-statistics'
import type { Finding } from '../detect.ts'
import { parameters } from '../parameters.ts'
import { negativeBinomialAtMost } from '../stats/negative-binomial.ts'
import type { Aspect, Component } from './departure.ts'
import type { Calls, OwnExcess } from './own-excess.ts'

/**
 * Components that take no calls any more although those that call them go on. They answer for at most what their callers would
 * otherwise have to answer for by themselves, which is taken from them: so much, in failed calls or ns, from each.
 */
export function silentCallees({
  aspect,
  components,
  graph,
  parts,
}: {
  aspect: Aspect
  components: readonly Component[]
  graph: readonly Calls[]
  parts: readonly OwnExcess[]
}): { findings: Finding[]; takenFrom: Map<string, number> } {
  const byName = new Map(components.map((component) => [component.name, component]))
  const ownOf = new Map(parts.map(({ component, excess }) => [component, excess]))
  const worth = aspect === 'errors' ? 1 : parameters.slowWeightNs
  const takenFrom = new Map<string, number>()
  const findings: Finding[] = []
  for (const component of components) {
    const callers = graph.flatMap(({ caller, callee }) => (callee === component.name ? (byName.get(caller) ?? []) : []))
    const silence = judgeSilence(component, callers)
    if (silence === undefined) continue
    let missing = silence.excessCalls
    for (const { name } of callers) {
      const left = (ownOf.get(name) ?? 0) - (takenFrom.get(name) ?? 0)
      const taken = Math.min(missing, left / worth)
      missing -= taken
      takenFrom.set(name, (takenFrom.get(name) ?? 0) + taken * worth)
    }
    const explained = silence.excessCalls - missing
    if (explained > 0) findings.push({ ...silence, excessCalls: explained })
  }
  return { findings, takenFrom }
}

function judgeSilence({ name, before, now }: Component, callers: readonly Component[]): Finding | undefined {
  const usual = usualCalls(before)
  const silentBefore = before.filter(({ calls }) => calls <= usual * parameters.silenceShareMax).length
  // A short past cannot show that silence is rare.
  if ((silentBefore + 1) / (before.length + 1) > parameters.aggregates.silentBeforeMax) return undefined
  const callersBefore = callers.reduce((sum, caller) => sum + usualCalls(caller.before) * now.length, 0)
  const callersNow = callers.reduce((sum, caller) => sum + countCalls(caller.now), 0)
  if (callersBefore < parameters.seriesCallsMin) return undefined
  const expected = usual * now.length * Math.min(callersNow / callersBefore, parameters.silenceActivityMax)
  const seen = countCalls(now)
  const pValue = negativeBinomialAtMost({ k: seen, expected, dispersion: parameters.callsDispersion })
  const isSilent =
    expected >= parameters.silenceCallsMin &&
    seen <= expected * parameters.silenceShareMax &&
    pValue <= parameters.silencePValueMax
  if (!isSilent) return undefined
  return {
    signal: 'silence',
    service: name,
    operation: '',
    expected,
    seen,
    unit: 'calls',
    pValue,
    calls: seen,
    baselineCalls: countCalls(before),
    excessCalls: expected - seen,
    excessNs: 0,
  }
}

function usualCalls(intervals: Component['before']): number {
  return intervals.length === 0 ? 0 : median(intervals.map(({ calls }) => calls))
}

function countCalls(intervals: Component['before']): number {
  return intervals.reduce((sum, { calls }) => sum + calls, 0)
}
