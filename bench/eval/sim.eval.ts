// The incident simulator's development set, through the product as if it happened. An examiner, no proof: its figures stand beside
// those of real incidents only.

import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Evaluation, ScoreRow, Source } from './evaluation.ts'
import { productVersion } from './product-version.ts'
import { makeScenarios, type Prediction, scoreOf, sizeOf, type Table } from './sim/simulator.ts'
import { watchScenario } from './sim/watch-scenario.ts'

const set = { count: 100, seed: 1 }
const goals = { at1: 0.9, at1Hard: 0.75, shareError: 0.03, falsePerDay: 1 }

export const source: Source = 'simulator'

export const evaluation: Evaluation = async ({ simulator, casesMax, resumeFolder, progress, tell }) => {
  const count = Math.min(set.count, casesMax)
  const folders = await makeScenarios(simulator, {
    into: join(resumeFolder, '..', 'sim'),
    count,
    seed: set.seed,
    progress,
  })
  const said = join(resumeFolder, `sim-${await productVersion()}`)
  await mkdir(said, { recursive: true })
  const predictions: Prediction[] = []
  for (const [index, folder] of folders.entries()) {
    const file = join(said, `${basename(folder)}.json`)
    if (!existsSync(file)) {
      const watched = await watchScenario(simulator, folder, join(resumeFolder, '..', 'sim-received'))
      await writeFile(file, JSON.stringify(watched))
      progress(`${basename(folder)}, ${index + 1} of ${count}: ${watched.length} incidents`)
    }
    predictions.push(...(JSON.parse(await readFile(file, 'utf8')) as Prediction[]))
  }
  const { ours, baselines } = await scoreOf(simulator, { folders, predictions, into: said })
  tell(tableOf(ours, baselines))
  const sizes = await Promise.all(folders.map((folder) => sizeOf(folder)))
  const servicesOfScenario = sizes.reduce((sum, { services }) => sum + services, 0) / sizes.length
  return rowsOf(ours, baselines, servicesOfScenario)
}

function rowsOf(ours: Table, baselines: Readonly<Record<string, Table>>, servicesOfScenario: number): ScoreRow[] {
  const ofBaselines = (slice: string, figure: 'ac1' | 'flowMae') =>
    Object.fromEntries(
      Object.entries(baselines).flatMap(([name, { slices }]) => {
        const value = slices[slice]?.[figure]
        return value === undefined || value === null ? [] : [[name, value] as const]
      }),
    )
  const causeRow = (id: string, slice: string, goal: number): ScoreRow => {
    const found = ours.slices[slice]
    const value = found?.ac1 ?? 0
    const [low, high] = found?.ac1Interval ?? [null, null]
    const measure = `AC@1, ${slice}`
    const common = { id, set: 'simulator', measure, value, low, high, n: found?.n ?? 0, floor: null }
    return { ...common, baselines: ofBaselines(slice, 'ac1'), goal: `≥ ${goal}`, met: value >= goal }
  }
  const all = ours.slices['all']
  const shareError = all?.flowMae ?? 1
  const falsePerDay = ((ours.falsePerDay ?? 0) * 1_000) / servicesOfScenario
  return [
    causeRow('sim_at1', 'all', goals.at1),
    causeRow('sim_at1_hard', 'difficulty hard', goals.at1Hard),
    {
      id: 'sim_share_error',
      set: 'simulator',
      measure: 'mean error of the share of a flow that is hit',
      value: shareError,
      low: null,
      high: null,
      n: all?.n ?? 0,
      floor: null,
      baselines: ofBaselines('all', 'flowMae'),
      goal: `≤ ${goals.shareError}`,
      met: shareError <= goals.shareError,
    },
    {
      id: 'sim_false_per_day',
      set: 'simulator',
      measure: 'false incidents a day per 1,000 services',
      value: falsePerDay,
      low: null,
      high: null,
      n: ours.falseIncidents,
      floor: null,
      baselines: {},
      goal: `≤ ${goals.falsePerDay}`,
      met: falsePerDay <= goals.falsePerDay,
    },
  ]
}

/** Per kind and difficulty. */
function tableOf(ours: Table, baselines: Readonly<Record<string, Table>>): string {
  const names = Object.keys(baselines)
  const shown = (value: number | null | undefined) => (value === null || value === undefined ? '' : value.toFixed(2))
  const lines = Object.entries(ours.slices).map(([slice, figures]) => {
    const others = names.map((name) => shown(baselines[name]?.slices[slice]?.ac1))
    const cells = [figures.recall, figures.ac1, figures.ac3, figures.servicesF1, figures.flowMae, figures.userMae].map(
      shown,
    )
    return `| ${[slice, figures.n, ...cells, figures.delayMedianS?.toFixed(0) ?? '', ...others].join(' | ')} |`
  })
  const head = ['slice', 'n', 'recall', 'AC@1', 'AC@3', 'services F1', 'flow error', 'user error', 'delay s', ...names]
  return [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---|').join('')}`,
    ...lines,
    `\n${ours.falseIncidents} false incidents and ${ours.duplicates} duplicates in ${ours.days.toFixed(2)} days; ${ours.harmlessReported} harmless faults reported`,
  ].join('\n')
}
