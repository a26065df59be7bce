import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import type { EvaluationPlan, ScoreRow } from './evaluation.ts'
import { missingFor, scoreSets } from './score-sets.ts'

const plan: EvaluationPlan = {
  folder: (name) => Promise.resolve(name),
  progress: () => undefined,
  tell: () => undefined,
  simulator: '',
  casesMax: 1,
  resumeFolder: '',
}

function row(id: string): ScoreRow {
  const range = { low: null, high: null, n: 1, floor: null, baselines: {} }
  return { id, set: id, measure: 'right', value: 1, ...range, goal: '≥ 1', met: true }
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-eval-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test('a set that fails takes no rows of the others with it, and rows are told as their set ends', async () => {
  const told: string[] = []
  const source = 'live fleet'
  const { rows, failed } = await scoreSets(
    [
      { name: 'first', source, evaluation: () => Promise.resolve([row('a'), row('b')]) },
      { name: 'broken', source, evaluation: () => Promise.reject(new Error('no traces')) },
      {
        name: 'last',
        source,
        evaluation: () => {
          told.push('last begins')
          return Promise.resolve([row('c')])
        },
      },
    ],
    {
      planOf: () => plan,
      tellRows: (name, ended) => told.push(`${name}: ${ended.map(({ id }) => id).join()}`),
      tellFailure: (name, error) => told.push(`${name}: ${String(error)}`),
    },
  )
  expect(told).toEqual(['first: a,b', 'broken: Error: no traces', 'last begins', 'last: c'])
  expect(rows.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  expect(failed).toBe(1)
})

test('what a set is scored on is there as a folder or an archive, and the simulator beside them', async () => {
  const home = emptyFolder()
  const folders = { dataFolder: join(home, 'data'), simulator: join(home, 'sim') }
  expect(await missingFor({ dataSet: 'nab' }, folders)).toContain(`There is no folder ${folders.dataFolder}`)
  mkdirSync(join(folders.dataFolder, 'nab'), { recursive: true })
  writeFileSync(join(folders.dataFolder, 'petshop-sealed.tar.xz'), '')
  expect(await missingFor({ dataSet: 'nab' }, folders)).toBeUndefined()
  expect(await missingFor({ dataSet: 'petshop' }, folders)).toBeUndefined()
  expect(await missingFor({ dataSet: 'tracerca' }, folders)).toContain(
    'There is neither tracerca/ nor tracerca*.tar.xz',
  )
  expect(await missingFor('simulator', folders)).toContain(`There is no simulator in ${folders.simulator}`)
  mkdirSync(folders.simulator)
  writeFileSync(join(folders.simulator, 'sim.js'), '')
  expect(await missingFor('simulator', folders)).toBeUndefined()
  expect(await missingFor('live fleet', folders)).toBeUndefined()
})

test('a set that is asked for by name and is not there is refused before any is scored', async () => {
  const home = emptyFolder()
  mkdirSync(join(home, 'data', 'nab'), { recursive: true })
  const args = [join(import.meta.dirname, 'run.ts'), 'nab', 'sim', '--data', join(home, 'data')]
  const env = { ...process.env, XDG_CACHE_HOME: join(home, 'cache') }
  const refused = promisify(execFile)(process.execPath, args, { env })
  await expect(refused).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: `sim: There is no simulator in ${join(home, 'sim')}: it is looked for beside the folder of --data\n`,
  })
})
