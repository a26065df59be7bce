// Where there are only metrics of components and a graph of who calls whom: why an entry breaches. What departs is told in the
// same terms as what spans show, so that it is ranked, and its evidence worded, by the same functions.
import { callsOnly, type CallState } from '@headwater/store'
import { type Cause, formatService } from '@headwater/vocabulary'
import { rankSuspects, toCauses } from '../cause.ts'
import { confidenceOf } from '../confidence.ts'
import { pictureOf } from '../picture.ts'
import { type Breach, breachFindings } from './breach-findings.ts'

export type BreachExplanation =
  | { state: 'explained'; causes: Cause[]; confidence: number }
  | { state: 'not enough data'; reason: string }

/** The causes of a breach, the most suspect first. Components are told by their names. */
export function explainBreach({ entry, aspect, components, graph }: Breach): BreachExplanation {
  const keyed: Breach = {
    entry: keyOf(entry),
    aspect,
    components: components.map((component) => ({ ...component, name: keyOf(component.name) })),
    graph: graph.map((calls) => ({ ...calls, caller: keyOf(calls.caller), callee: keyOf(calls.callee) })),
  }
  const found = breachFindings(keyed)
  if (found.state === 'not enough data') return found
  const known = pictureOf(statesOf(keyed))
  const suspects = rankSuspects(found.findings, known)
  if (suspects.length === 0) return { state: 'not enough data', reason: 'nobody answers for it beyond chance' }
  return { state: 'explained', causes: toCauses(suspects, known), confidence: confidenceOf(suspects) }
}

function keyOf(name: string): string {
  return formatService({ name, namespace: '', environment: '' })
}

/** The graph as states of calls, so that paths lead to the entry. */
function statesOf({ entry, graph }: Breach): CallState[] {
  const stateOf = (service: string, caller: string, calls: number): CallState =>
    callsOnly({ service, operation: '', kind: caller === '' ? 'entry' : 'sync', caller, callerOperation: '', calls })
  return [stateOf(entry, '', 1), ...graph.map(({ caller, callee, calls = 1 }) => stateOf(callee, caller, calls))]
}
