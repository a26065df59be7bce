// The files of PetShop, parsed once: a matrix of calls, measurements of components in intervals of five minutes, and issues
// without the notes on what was injected.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Aspect, Calls, Interval } from '@headwater/analyzer'
import { z } from 'zod'

export interface Scenario {
  name: string
  graph: Calls[]
  /** Fault-free weeks, by component; absent where the copy of the set lacks them. */
  faultFree: Map<string, Interval[]> | undefined
  issues: Issue[]
}

export interface Issue {
  entry: string
  aspect: Aspect
  alertMs: number
  /** Some intervals around the alert, by component. */
  measured: Map<string, Interval[]>
  culprit: string
}

/** Length of an interval. */
export const intervalMs = 5 * 60_000

/** All scenarios of the set, by name. */
export async function readScenarios(folder: string): Promise<Scenario[]> {
  const root = join(folder, 'dataset')
  const names = (await readdir(root)).toSorted()
  return await Promise.all(names.map((name) => readScenario(join(root, name), name)))
}

async function readScenario(folder: string, name: string): Promise<Scenario> {
  const parts = (await readdir(folder)).filter((part) => part === 'train' || part === 'test').toSorted()
  const issues: Issue[] = []
  for (const part of parts) {
    const numbers = (await readdir(join(folder, part)))
      .filter((issue) => issue.startsWith('issue_'))
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    for (const number of numbers) issues.push(await readIssue(join(folder, part, number)))
  }
  const hasFaultFree = (await readdir(folder)).includes('noissue')
  return {
    name,
    graph: parseGraph(await readFile(join(folder, 'graph.csv'), 'utf8')),
    faultFree: hasFaultFree ? parseMetrics(await readFile(join(folder, 'noissue', 'metrics.csv'), 'utf8')) : undefined,
    issues,
  }
}

/** What else stands there says what was injected: it is left out. */
const answer = z.object({
  target: z.object({ node: z.string(), metric: z.enum(['latency', 'availability']), timestamp: z.number() }),
  root_cause: z.object({ node: z.string() }),
})

async function readIssue(folder: string): Promise<Issue> {
  const { target, root_cause: cause } = answer.parse(JSON.parse(await readFile(join(folder, 'target.json'), 'utf8')))
  return {
    entry: target.node,
    aspect: target.metric === 'latency' ? 'latency' : 'errors',
    alertMs: target.timestamp * 1_000,
    measured: parseMetrics(await readFile(join(folder, 'metrics.csv'), 'utf8')),
    culprit: cause.node,
  }
}

/** An adjacency matrix: a row and a column for each component, not 0 where the row's calls the column's. */
export function parseGraph(csv: string): Calls[] {
  const [header = [], ...rows] = csv.trim().split('\n').map(cellsOf)
  return rows.flatMap(([caller = '', ...cells]) =>
    cells.flatMap((cell, column) => (Number(cell) === 0 ? [] : [{ caller, callee: header[column + 1] ?? '' }])),
  )
}

/** Three rows of heads (component, metric, statistic), then a row for each interval, which starts with its time in seconds. */
export function parseMetrics(csv: string): Map<string, Interval[]> {
  const [components = [], metrics = [], statistics = [], ...rows] = csv.trim().split('\n').map(cellsOf)
  const columnsOf = new Map<string, { requests?: number; latency?: number; availability?: number }>()
  for (const [column, component] of components.entries()) {
    const metric = metrics[column]
    const statistic = statistics[column]
    const columns = columnsOf.get(component) ?? {}
    if (metric === 'requests' && statistic === 'Sum') columns.requests = column
    else if (metric === 'latency' && statistic === 'Average') columns.latency = column
    else if (metric === 'availability' && statistic === 'Average') columns.availability = column
    else continue
    columnsOf.set(component, columns)
  }
  const timed = rows.filter(([time]) => Number(time) > 0)
  return new Map(
    [...columnsOf].map(([component, { requests, latency, availability }]) => [
      component,
      timed.map((row): Interval => {
        const valueAt = (column: number | undefined): number | undefined => {
          const cell = column === undefined ? '' : row[column]
          return cell === undefined || cell === '' ? undefined : Number(cell)
        }
        const seconds = valueAt(latency)
        const percent = valueAt(availability)
        // Where calls are counted and not described, nothing can be said of them.
        const calls = seconds === undefined || percent === undefined ? 0 : (valueAt(requests) ?? 0)
        return {
          startMs: Number(row[0]) * 1_000,
          calls,
          failed: calls * (1 - (percent ?? 100) / 100),
          durationNs: calls * (seconds ?? 0) * 1e9,
        }
      }),
    ]),
  )
}

function cellsOf(line: string): string[] {
  return line.replace(/\r$/, '').split(',')
}
