/** One figure. `goal` is what it should reach, in words; `met` says whether it does. */
export interface Row {
  id: string
  value: number | string
  unit: string
  goal?: string
  met?: boolean
}

/** A benchmark: takes its options, tells its progress, gives its figures. */
export type Bench = (args: string[], progress: (line: string) => void) => Promise<Row[]>
