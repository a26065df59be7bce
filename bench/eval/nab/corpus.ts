import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { AnomalyWindow } from './score.ts'

/** One series of the benchmark. */
export interface NabSeries {
  /** `realTraffic/speed_6005.csv` */
  name: string
  timesMs: Float64Array
  values: Float64Array
  windows: AnomalyWindow[]
}

/** When the anomalies of a series start and end. */
type TimeWindows = z.infer<typeof labelsSchema>[string]

/** labels/combined_windows.json */
const labelsSchema = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])))

/** The series of an unpacked benchmark. Those that are labelled but not there are left out. */
export async function readCorpus(folder: string): Promise<NabSeries[]> {
  const labels = labelsSchema.parse(JSON.parse(await readFile(join(folder, 'labels', 'combined_windows.json'), 'utf8')))
  const corpus: NabSeries[] = []
  for (const [name, windows] of Object.entries(labels)) {
    const csv = await readFile(join(folder, 'data', name), 'utf8').catch(() => null)
    if (csv !== null) corpus.push(parseSeries(name, csv, windows))
  }
  if (corpus.length === 0) throw new Error(`There is no series of the benchmark in ${folder}`)
  return corpus
}

/** A series from its file, with a line of names first. */
export function parseSeries(name: string, csv: string, windows: TimeWindows): NabSeries {
  const rows = csv
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(','))
  const times = rows.map(([time = '']) => timeOf(time))
  return {
    name,
    timesMs: Float64Array.from(times),
    values: Float64Array.from(rows, ([, value]) => Number(value)),
    windows: windows.map(([start, end]) => {
      const first = times.indexOf(timeOf(start))
      const last = times.indexOf(timeOf(end))
      if (first === -1 || last === -1) throw new Error(`The anomaly from ${start} to ${end} is not in ${name}`)
      return { first, last }
    }),
  }
}

/** `2014-04-01 00:05:00` or `2014-04-01 00:05:00.000000`, in UTC. */
function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`)
}
