import type { Row } from '../bench.ts'

/** What a part of the benchmark is told. */
export interface Plan {
  rounds: number
  progress: (line: string) => void
  /** Node's own options for our receiving processes: those that the command line starts a collector with, and its profiler's. */
  nodeOptions: readonly string[]
  /** How long what needs time is watched. */
  forMs: number
  /** Stored spans, in millions, that `growth` measures at. */
  storedMillions: readonly number[]
}

/** A part of the benchmark: measures, and gives its figures. */
export type Part = (plan: Plan) => Promise<Row[]>

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

/** To three digits, which is more than such figures are good for. */
function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
