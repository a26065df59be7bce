/** One figure of the scoreboard, with what stands beside it. */
export interface ScoreRow {
  id: string
  set: string
  measure: string
  value: number
  /** The interval in which the true value is in 95 of 100 cases; `null` where the cases cannot tell. */
  low: number | null
  high: number | null
  /** Cases that were scored. */
  n: number
  /** What a rule without any thought reaches. */
  floor: number | null
  /** What simple and published methods reach on the same cases. */
  baselines: Readonly<Record<string, number>>
  goal: string
  met: boolean
}

/** What a set is scored with. */
export interface EvaluationPlan {
  /** The folder of a data set, unpacked. */
  folder: (name: string) => Promise<string>
  progress: (line: string) => void
  /** Writes a table that helps to understand a figure: per system and kind of fault, or the cases that went wrong. */
  tell: (table: string) => void
  /** The folder of the incident simulator. */
  simulator: string
  /** No more cases than this are scored, for a quick look. */
  casesMax: number
  /** Where what was scored already is kept, so that a run that was stopped goes on. */
  resumeFolder: string
}

/** What a set is scored on: a data set by its name, the simulator, or the live fleet, which is recorded where it has not been. */
export type Source = { dataSet: string } | 'simulator' | 'live fleet'

/** Scores the product on one set. */
export type Evaluation = (plan: EvaluationPlan) => Promise<ScoreRow[]>
