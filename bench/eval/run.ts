// npm run eval [-- SET…] [--data DIR] [--cases N] [--json]: the product on public incidents. Each set is a file here that exports
// `evaluation` and its `source`. Rows are told as sets end, and all of them at the end; with --json on stdout at the end only.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect, parseArgs } from 'node:util'
import { dataSet, resumeFolder } from './data-sets.ts'
import type { ScoreRow } from './evaluation.ts'
import { missingFor, scoreSets, type SetToScore } from './score-sets.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: fileURLToPath(new URL('../../../shared/data', import.meta.url)) },
    /** At most so many cases of a set that takes long, for a quick look. */
    cases: { type: 'string', default: 'Infinity' },
    json: { type: 'boolean', default: false },
  },
})
const names = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith('.eval.ts'))
  .map((file) => file.replace('.eval.ts', ''))
const wanted = positionals.length === 0 ? names : positionals
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`There is no set ${unknown.join(', ')}: npm run eval [-- SET…], with ${names.join(', ')}\n`)
  process.exit(1)
}

const simulator = join(values.data, '..', 'sim')
const sets: SetToScore[] = []
let isWhole = true
for (const name of wanted) {
  const { evaluation, source } = (await import(`./${name}.eval.ts`)) as Omit<SetToScore, 'name'>
  const missing = await missingFor(source, { dataFolder: values.data, simulator })
  if (missing === undefined) sets.push({ name, source, evaluation })
  else {
    isWhole = false
    process.stderr.write(`${name}: ${missing}\n`)
  }
}
// Whoever names sets means all of them; else those that are there are scored.
if (!isWhole && positionals.length > 0) process.exit(1)

await mkdir(resumeFolder(), { recursive: true })
const tell = (table: string) => (values.json ? process.stderr : process.stdout).write(`\n${table}\n`)
const { rows, failed } = await scoreSets(sets, {
  planOf: (name) => ({
    folder: (set) => dataSet(values.data, set),
    progress: (line) => process.stderr.write(`${name}: ${line}\n`),
    tell,
    simulator,
    casesMax: Number(values.cases),
    resumeFolder: resumeFolder(),
  }),
  tellRows: (_name, found) => tell(scoreboard(found)),
  tellFailure: (name, error) => process.stderr.write(`${name}: it failed: ${inspect(error)}\n`),
})
process.stdout.write(values.json ? `${JSON.stringify({ rows })}\n` : `\n${scoreboard(rows)}\n`)
process.exitCode = isWhole && failed === 0 && rows.every(({ met }) => met) ? 0 : 1

/** The rows as a table in Markdown. */
function scoreboard(figures: readonly ScoreRow[]): string {
  const lines = figures.map((row) => {
    const range = row.low === null || row.high === null ? '' : `${shown(row.low)} to ${shown(row.high)}`
    const baselines = Object.entries(row.baselines).map(([name, value]) => `${name} ${shown(value)}`)
    const floor = row.floor === null ? '' : shown(row.floor)
    return `| ${row.id} | ${row.set} | ${row.measure} | ${shown(row.value)} | ${range} | ${row.n} | ${floor} | ${baselines.join(', ')} | ${row.goal} | ${row.met ? 'met' : 'not met'} |`
  })
  return [
    '| id | set | measure | value | 95 % | n | floor | others | goal | |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)))
}
