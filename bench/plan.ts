import type { Row } from './bench.ts'

/** What a part of a benchmark is told. */
export interface Plan {
  rounds: number
  progress: (line: string) => void
  /** How long what needs time is watched. */
  forMs: number
}

/** A part of a benchmark: measures, and gives its figures. */
export type Part<P extends Plan = Plan> = (plan: P) => Promise<Row[]>

/** Options that every benchmark made of parts has. */
export const partOptions = {
  /** Some of the parts, with commas between. */
  only: { type: 'string' },
  rounds: { type: 'string', default: '7' },
  /** How long what needs time is watched. */
  seconds: { type: 'string', default: '60' },
  /** A directory for Node's profiles of what is measured. */
  profile: { type: 'string' },
} as const

/** What those options say. */
export function readPlan(values: { rounds: string; seconds: string }, progress: (line: string) => void): Plan {
  const rounds = Number(values.rounds)
  if (!(rounds >= 1)) throw new Error(`Cannot measure ${values.rounds} rounds: give --rounds a number from 1`)
  const seconds = Number(values.seconds)
  if (!(seconds > 0)) throw new Error(`Cannot measure for ${values.seconds} seconds: give --seconds a number above 0`)
  return { rounds, progress, forMs: seconds * 1_000 }
}

/** The parts that `only` names, or all. */
export function wantedParts<P extends Plan>(
  parts: Readonly<Record<string, Part<P>>>,
  only = Object.keys(parts).join(','),
): { name: string; part: Part<P> }[] {
  return only.split(',').map((name) => {
    const part = parts[name]
    if (part === undefined) {
      throw new Error(`Cannot measure "${name}": there are ${Object.keys(parts).join(', ')}, with commas between`)
    }
    return { name, part }
  })
}

/** Whoever is interrupted leaves no directory behind; children end with their parent. */
export function exitWhenInterrupted(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

/** Measures one part after the other. */
export async function measureParts<P extends Plan>(
  wanted: readonly { name: string; part: Part<P> }[],
  plan: P,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, part } of wanted) {
    plan.progress(`${name} …`)
    try {
      rows.push(...(await part(plan)))
    } catch (error) {
      // The others have their figures all the same.
      plan.progress(error instanceof Error ? (error.stack ?? error.message) : String(error))
      rows.push({ id: name, value: 'failed', unit: '', met: false })
    }
  }
  return rows
}

/** A figure with a goal that is a number, which is met at most or at least. */
export function judged(id: string, value: number, unit: string, goal: { atLeast: number } | { atMost: number }): Row {
  const [text, met] =
    'atLeast' in goal ? [`≥ ${goal.atLeast}`, value >= goal.atLeast] : [`≤ ${goal.atMost}`, value <= goal.atMost]
  return { id, value: rounded(value), unit, goal: text, met }
}

/** A figure without a goal: a floor, a rival or a part of another. */
export function told(id: string, value: number, unit: string): Row {
  return { id, value: rounded(value), unit }
}

/** An interval in words, such as "12 to 15". */
export function rangeOf({ low, high }: { low: number; high: number }): string {
  return `${rounded(low)} to ${rounded(high)}`
}

/** To three digits, which is more than such figures are good for. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
