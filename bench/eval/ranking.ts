import type { ScoreRow } from './evaluation.ts'
import { wilsonInterval } from './wilson.ts'

/** An incident with what each method says of it: services, the most suspect first. `ours` is the product's. */
export interface RankedCase {
  name: string
  /** What kind of fault it is. */
  kind: string
  culprits: readonly string[]
  rankings: Readonly<Record<string, readonly string[]>>
  /** What the product said, for the list of failures. */
  remark: string
}

/** Whether one of the first `k` is a culprit. */
export function hitsAt(ranking: readonly string[], culprits: readonly string[], k: number): boolean {
  return ranking.slice(0, k).some((service) => culprits.includes(service))
}

/** The row of a share of cases, with all other methods beside it. */
export function shareRow(
  { id, set, measure, goal, floor }: { id: string; set: string; measure: string; goal: number; floor: string },
  cases: readonly RankedCase[],
  isHit: (ranking: readonly string[], culprits: readonly string[]) => boolean,
): ScoreRow {
  const methods = [...new Set(cases.flatMap(({ rankings }) => Object.keys(rankings)))]
  const hitsOf = (method: string): number =>
    cases.filter(({ rankings, culprits }) => isHit(rankings[method] ?? [], culprits)).length
  const value = hitsOf('ours') / cases.length
  return {
    id,
    set,
    measure,
    value,
    ...wilsonInterval(hitsOf('ours'), cases.length),
    n: cases.length,
    floor: hitsOf(floor) / cases.length,
    baselines: Object.fromEntries(
      methods
        .filter((method) => method !== 'ours' && method !== floor)
        .map((method) => [method, hitsOf(method) / cases.length]),
    ),
    goal: `≥ ${goal}`,
    met: value >= goal,
  }
}

/** Hits at 1 and 3 by kind of fault and method. */
export function hitTable(cases: readonly RankedCase[]): string {
  const methods = [...new Set(cases.flatMap(({ rankings }) => Object.keys(rankings)))]
  const kinds = [...Map.groupBy(cases, ({ kind }) => kind), ['all', [...cases]] as const]
  const lines = kinds.map(([kind, own]) => {
    const cells = methods.map((method) => {
      const hits = (k: number): number =>
        own.filter(({ rankings, culprits }) => hitsAt(rankings[method] ?? [], culprits, k)).length
      return `${hits(1)} / ${hits(3)}`
    })
    return `| ${kind} | ${own.length} | ${cells.join(' | ')} |`
  })
  return [
    `| right at 1 / at 3 | n | ${methods.join(' | ')} |`,
    `|---|---|${methods.map(() => '---').join('|')}|`,
    ...lines,
  ].join('\n')
}

/** The hits, and the cases whose first cause is wrong. */
export function rankTable(cases: readonly RankedCase[]): string {
  const wrong = cases
    .filter(({ rankings, culprits }) => !hitsAt(rankings['ours'] ?? [], culprits, 1))
    .map(
      ({ name, rankings, remark }) =>
        `  ${name}: ${(rankings['ours'] ?? []).slice(0, 3).join(', ') || 'none'} (${remark})`,
    )
  return [hitTable(cases), ...(wrong.length === 0 ? [] : ['', 'Not the first cause:', ...wrong])].join('\n')
}
