// npm run bench -- NAME [--json] [options of the benchmark]: each benchmark is a file here that exports `bench`.
import { readdir } from 'node:fs/promises'
import type { Bench, Row } from './bench.ts'

const [name = '', ...args] = process.argv.slice(2)
const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith('.bench.ts'))
const names = files.map((file) => file.replace('.bench.ts', ''))

if (!names.includes(name)) {
  process.stderr.write(`npm run bench -- NAME [--json]\n\nThere are: ${names.join(', ')}\n`)
  process.exit(name === '' ? 0 : 1)
}

const { bench } = (await import(`./${name}.bench.ts`)) as { bench: Bench }
const json = args.includes('--json')
const rows = await bench(
  args.filter((arg) => arg !== '--json'),
  (line) => process.stderr.write(`${line}\n`),
)
process.stdout.write(json ? `${JSON.stringify({ bench: name, rows })}\n` : `${tableOf(rows)}\n`)
process.exitCode = rows.every(({ met }) => met !== false) ? 0 : 1

/** The rows as a table in Markdown. */
function tableOf(figures: Row[]): string {
  const lines = figures.map(({ id, value, unit, goal, met }) => {
    const verdict = met === undefined ? '' : met ? 'met' : 'not met'
    return `| ${id} | ${value} | ${unit} | ${goal ?? ''} | ${verdict} |`
  })
  return ['| id | value | unit | goal | |', '|---|---|---|---|---|', ...lines].join('\n')
}
