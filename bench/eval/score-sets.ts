// Sets are scored one after the other, for hours. What is missing is told before the first, and what one set has scored is told
// when it ends, whatever becomes of the others.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { missingDataSet } from './data-sets.ts'
import type { Evaluation, EvaluationPlan, ScoreRow, Source } from './evaluation.ts'

/** A set, and what it is scored on. */
export interface SetToScore {
  name: string
  source: Source
  evaluation: Evaluation
}

/** Why a set cannot be scored from these folders; `undefined` where it can. */
export async function missingFor(
  source: Source,
  { dataFolder, simulator }: { dataFolder: string; simulator: string },
): Promise<string | undefined> {
  if (source === 'live fleet') return undefined
  if (source !== 'simulator') return await missingDataSet(dataFolder, source.dataSet)
  return existsSync(join(simulator, 'sim.js'))
    ? undefined
    : `There is no simulator in ${simulator}: it is looked for beside the folder of --data`
}

/** Scores one set after the other, and tells of each as it ends. One that fails does not keep the others from being scored. */
export async function scoreSets(
  sets: readonly SetToScore[],
  {
    planOf,
    tellRows,
    tellFailure,
  }: {
    planOf: (name: string) => EvaluationPlan
    tellRows: (name: string, rows: readonly ScoreRow[]) => void
    tellFailure: (name: string, error: unknown) => void
  },
): Promise<{ rows: ScoreRow[]; failed: number }> {
  const rows: ScoreRow[] = []
  let failed = 0
  for (const { name, evaluation } of sets) {
    try {
      const found = await evaluation(planOf(name))
      rows.push(...found)
      tellRows(name, found)
    } catch (error) {
      failed += 1
      tellFailure(name, error)
    }
  }
  return { rows, failed }
}
