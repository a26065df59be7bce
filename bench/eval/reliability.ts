import { hitsAt, type RankedCase } from './ranking.ts'
import { wilsonInterval } from './wilson.ts'

/** A case of which the product said how sure it is. */
export interface Judged extends RankedCase {
  /** Absent where the product says that it has not enough data. */
  confidence?: number
}

/** How often the first cause is right where the product is so sure of it. */
export function reliabilityTable(cases: readonly Judged[]): string {
  const bins = [
    [0, 0.5],
    [0.5, 0.7],
    [0.7, 0.9],
    [0.9, 1],
  ] as const
  const lines = bins.map(([low, high]) => {
    const own = cases.flatMap(({ confidence, rankings, culprits }) =>
      confidence !== undefined && confidence >= low && (confidence < high || high === 1)
        ? [{ confidence, isRight: hitsAt(rankings['ours'] ?? [], culprits, 1) }]
        : [],
    )
    const right = own.filter(({ isRight }) => isRight).length
    const mean = own.reduce((sum, { confidence }) => sum + confidence, 0) / own.length
    const interval = wilsonInterval(right, own.length)
    return own.length === 0
      ? `| ${low} to ${high} | 0 | | | |`
      : `| ${low} to ${high} | ${own.length} | ${mean.toFixed(2)} | ${(right / own.length).toFixed(2)} | ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)} |`
  })
  const untold = cases.filter(({ confidence }) => confidence === undefined).length
  return [
    '| confidence | n | mean of it | right | 95 % |',
    '|---|---|---|---|---|',
    ...lines,
    `| not enough data | ${untold} | | | |`,
  ].join('\n')
}
