import type { Part, Plan } from '../plan.ts'

/** What a part of this benchmark is told. */
export interface AnalysisPlan extends Plan {
  /** Of these many spans in an hour an incident is explained. */
  spans: number
  /** So many hours in which nothing is wrong are replayed. */
  hours: number
}

export type AnalysisPart = Part<AnalysisPlan>
