// The live fleet: recorded with its faults, deploys, spikes and what its users saw, then in time lapse through the product.

import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Evaluation, Source } from './evaluation.ts'
import { type Recording, recording, recordingName, type RecordingPlan } from './fleet/record.ts'
import { readOutcomes } from './fleet/outcomes.ts'
import { type RecordingScore, scoreRecording } from './fleet/score-recording.ts'
import { faultTable, rowsOf } from './fleet/tables.ts'
import { type Watched, watchedSchema, watchRecording } from './fleet/watch-recording.ts'
import { productVersion } from './product-version.ts'
import { hitTable, rankTable } from './ranking.ts'
import { reliabilityTable } from './reliability.ts'

const plans: readonly RecordingPlan[] = [
  { seed: 1, what: 'faults' },
  { seed: 2, what: 'faults' },
  { seed: 3, what: 'faults' },
  { seed: 4, what: 'faults' },
  { seed: 9, what: 'healthy', minutes: 60 },
  { seed: 10, what: 'healthy', minutes: 40 },
]
const faultsOfRecording = 20

export const source: Source = 'live fleet'

export const evaluation: Evaluation = async ({ casesMax, resumeFolder, progress, tell }) => {
  const kept = join(resumeFolder, '..')
  const said = join(resumeFolder, `fleet-${await productVersion()}`)
  await mkdir(said, { recursive: true })
  // A recording is a whole: its last faults are judged by what was before.
  const wanted = plans.filter(({ what }, index) => what === 'healthy' || index * faultsOfRecording < casesMax)
  const scores: RecordingScore[] = []
  for (const plan of wanted) {
    const name = recordingName(plan)
    const recorded = await recording(join(kept, 'fleet'), plan, progress)
    const watched = await watchedOnce(recorded, {
      name,
      kept: join(kept, 'fleet-received'),
      file: join(said, `${name}-${recorded.fromMs}.json`),
      progress,
    })
    scores.push(scoreRecording(recorded, { name, watched, outcomes: await readOutcomes(recorded.outcomesFile) }))
  }
  const faults = scores.flatMap((score) => score.faults)
  tell(rankTable(faults))
  tell(hitTable(faults.map((fault) => ({ ...fault, kind: fault.fault.service }))))
  tell(reliabilityTable(faults))
  tell(faultTable(scores))
  return rowsOf(scores)
}

async function watchedOnce(
  recorded: Recording,
  { file, ...options }: { name: string; kept: string; file: string; progress: (line: string) => void },
): Promise<Watched> {
  if (!existsSync(file)) await writeFile(file, JSON.stringify(await watchRecording(recorded, options)))
  return watchedSchema.parse(JSON.parse(await readFile(file, 'utf8')))
}
