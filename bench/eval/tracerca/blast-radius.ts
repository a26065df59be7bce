// Which services a fault reached: its culprit, and whoever called it, directly or through others, in an affected trace.
import type { ScoreRow } from '../evaluation.ts'
import { wilsonInterval } from '../wilson.ts'
import type { SetTrace } from './read.ts'
import type { SetSpan } from './rebuild-trace.ts'

export type BlastRadius = ReadonlySet<string>

/** One incident's radius: as it was, and as the product and others tell it. */
export interface RadiusCase {
  kind: string
  truth: BlastRadius
  told: Readonly<Record<string, BlastRadius>>
}

/** Callers of each service. */
type Callers = ReadonlyMap<string, ReadonlySet<string>>

export function callersOf(spans: readonly SetSpan[]): Callers {
  const callers = new Map<string, Set<string>>()
  for (const { caller, callee } of spans) {
    if (caller === callee) continue
    const known = callers.get(callee)
    if (known === undefined) callers.set(callee, new Set([caller]))
    else known.add(caller)
  }
  return callers
}

/** The given services and all that call them, directly or through others. */
export function withAncestors(services: readonly string[], callers: Callers): Set<string> {
  const found = new Set(services)
  for (const service of found) for (const caller of callers.get(service) ?? []) found.add(caller)
  return found
}

/** The services that a fault reached. */
export function trueRadius(
  traces: readonly SetTrace[],
  { culprits, affected }: { culprits: readonly string[]; affected: ReadonlySet<string> },
): Set<string> {
  const reached = new Set(culprits)
  for (const { id, spans } of traces) {
    if (!affected.has(id)) continue
    const present = culprits.filter((culprit) => spans.some(({ caller, callee }) => [caller, callee].includes(culprit)))
    for (const service of withAncestors(present, callersOf(spans))) reached.add(service)
  }
  return reached
}

interface Overlap {
  both: number
  told: number
  truth: number
}

/** Over all services of all incidents. */
function overlapOf(cases: readonly RadiusCase[], teller: string): Overlap {
  const sum: Overlap = { both: 0, told: 0, truth: 0 }
  for (const { truth, told } of cases) {
    const services = told[teller] ?? new Set<string>()
    sum.both += services.intersection(truth).size
    sum.told += services.size
    sum.truth += truth.size
  }
  return sum
}

/** Precision and recall of the product's radius. Intervals take services for independent, which those of one incident are not. */
export function blastRows(cases: readonly RadiusCase[], set: string): ScoreRow[] {
  const tellers = [...new Set(cases.flatMap(({ told }) => Object.keys(told)))].filter((teller) => teller !== 'ours')
  const row = (id: string, measure: string, ofTeller: (overlap: Overlap) => [number, number]): ScoreRow => {
    const shareOf = (teller: string): number => {
      const [hits, n] = ofTeller(overlapOf(cases, teller))
      return n === 0 ? 0 : hits / n
    }
    const [hits, n] = ofTeller(overlapOf(cases, 'ours'))
    const goal = 1 - (1 - shareOf('floor')) / 2
    return {
      id,
      set,
      measure,
      value: shareOf('ours'),
      ...wilsonInterval(hits, n),
      n,
      floor: shareOf('floor'),
      baselines: Object.fromEntries(
        tellers.filter((teller) => teller !== 'floor').map((teller) => [teller, shareOf(teller)]),
      ),
      goal: `≥ ${Number(goal.toPrecision(3))}`,
      met: shareOf('ours') >= goal,
    }
  }
  return [
    row('blast_precision', 'services told that were reached', ({ both, told }) => [both, told]),
    row('blast_recall', 'services reached that were told', ({ both, truth }) => [both, truth]),
  ]
}

export function blastTable(cases: readonly RadiusCase[]): string {
  const tellers = [...new Set(cases.flatMap(({ told }) => Object.keys(told)))]
  const kinds = [...Map.groupBy(cases, ({ kind }) => kind), ['all', [...cases]] as const]
  const lines = kinds.map(([kind, own]) => {
    const cells = tellers.map((teller) => {
      const { both, told, truth } = overlapOf(own, teller)
      return `${both}/${told}, ${both}/${truth}`
    })
    return `| ${kind} | ${own.length} | ${cells.join(' | ')} |`
  })
  return [
    `| precision, recall of the blast radius | n | ${tellers.join(' | ')} |`,
    `|---|---|${tellers.map(() => '---').join('|')}|`,
    ...lines,
  ].join('\n')
}
