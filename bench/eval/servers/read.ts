import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A server's metrics, point by point: a healthy time by and large, and one with labelled anomalies. */
export interface Server {
  name: string
  stepMs: number
  training: Float64Array[]
  test: Float64Array[]
  /** 1 where a point of the test is anomalous. */
  labels: Uint8Array
}

/** The servers of `asd` or `smd`, one at a time: those with all three files. */
export async function* readServers(folder: string, set: 'asd' | 'smd'): AsyncGenerator<Server> {
  const files = await readdir(join(folder, set, 'test'))
  for (const file of files.toSorted()) {
    const [training, test, labels] = await Promise.all(
      ['train', 'test', 'labels'].map((part) => readFile(join(folder, set, part, file), 'utf8').catch(() => null)),
    )
    if (!training || !test || !labels) continue
    yield {
      name: file.replace('.csv', ''),
      stepMs: stepsMs[set],
      training: parseRows(training),
      test: parseRows(test),
      labels: Uint8Array.from(parseRows(labels), ([label = 0]) => label),
    }
  }
}

export function parseRows(csv: string): Float64Array[] {
  return csv
    .trim()
    .split('\n')
    .map((line) => Float64Array.from(line.split(','), Number))
}

/** As the sets say. */
const stepsMs = { asd: 5 * 60_000, smd: 60_000 } as const
