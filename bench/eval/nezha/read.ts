import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseCsv } from './csv.ts'

/** A fault of the set: when it was injected, and where. */
export interface SetFault {
  name: string
  pod: string
  kind: string
  /** The minute of the injection, in milliseconds since 1970; its files and those of two more minutes are there. */
  minuteMs: number
  folder: string
}

export interface SetSpan {
  traceId: string
  spanId: string
  /** Empty for a root. */
  parentId: string
  pod: string
  operation: string
  startNs: bigint
  endNs: bigint
}

export interface SetLog {
  traceId: string
  spanId: string
  pod: string
  timeNs: bigint
  severity: 'INFO' | 'WARN' | 'ERROR'
  /** The logger and the line of its code. */
  logger: string
  line: number
}

const faults = z.record(
  z.string(),
  z.array(z.object({ inject_time: z.string(), inject_pod: z.string(), inject_type: z.string() })),
)

const minuteMs = 60_000

/** The faults of all days of a part. */
export async function readFaults(folder: string): Promise<SetFault[]> {
  const found: SetFault[] = []
  for (const day of (await readdir(join(folder, 'rca_data'))).toSorted()) {
    const dayFolder = join(folder, 'rca_data', day)
    const lists = faults.parse(JSON.parse(await readFile(join(dayFolder, `${day}-fault_list.json`), 'utf8')))
    for (const { inject_time, inject_pod, inject_type } of Object.values(lists).flat()) {
      found.push({
        name: inject_time,
        pod: inject_pod,
        kind: inject_type,
        minuteMs: Math.floor(Date.parse(`${inject_time.replace(' ', 'T')}Z`) / minuteMs) * minuteMs,
        folder: dayFolder,
      })
    }
  }
  return found
}

/** What was recorded without a fault: one minute a day, in files named like it. */
export async function readFaultFree(folder: string): Promise<{ name: string; minuteMs: number; folder: string }[]> {
  const found: { name: string; minuteMs: number; folder: string }[] = []
  for (const day of (await readdir(join(folder, 'construct_data'))).toSorted()) {
    const traces = join(folder, 'construct_data', day, 'trace')
    if (!existsSync(traces)) continue
    for (const file of await readdir(traces)) {
      const time = file.replace('_trace.csv', '').replace('_', ':')
      found.push({
        name: `without fault ${day} ${time}`,
        minuteMs: Date.parse(`${day}T${time}:00Z`),
        folder: join(folder, 'construct_data', day),
      })
    }
  }
  return found
}

/** The spans and logs of some minutes, of those that have files. */
export async function readMinutes(
  folder: string,
  { fromMs, minutes }: { fromMs: number; minutes: number },
): Promise<{ spans: SetSpan[]; logs: SetLog[] }> {
  const spans = new Map<string, SetSpan>()
  const logs: SetLog[] = []
  for (let minute = 0; minute < minutes; minute += 1) {
    const time = new Date(fromMs + minute * minuteMs).toISOString().slice(11, 16).replace(':', '_')
    for (const row of await rowsOf(join(folder, 'trace', `${time}_trace.csv`))) {
      const [traceId = '', spanId = '', parent = '', pod = '', operation = '', start = '0', end = '0'] = row
      spans.set(`${traceId}/${spanId}`, {
        traceId,
        spanId,
        parentId: parent === 'root' ? '' : parent,
        pod,
        operation,
        startNs: BigInt(start),
        endNs: BigInt(end),
      })
    }
    for (const [, timeNs = '0', , pod = '', , traceId = '', spanId = '', text = ''] of await rowsOf(
      join(folder, 'log', `${time}_log.csv`),
    )) {
      const [, severity, logger, line] = /\b(INFO|WARN|ERROR)\s+(\S+?)#(\d+)/.exec(text) ?? []
      if (severity === undefined || logger === undefined || traceId === '' || spanId === '') continue
      // One line was written over another, and its time is none.
      if (Math.abs(Number(timeNs) / 1e6 - fromMs) > 60 * minuteMs) continue
      logs.push({
        traceId,
        spanId,
        pod,
        timeNs: BigInt(timeNs),
        severity: severity as SetLog['severity'],
        logger,
        line: Number(line),
      })
    }
  }
  return { spans: [...spans.values()], logs }
}

async function rowsOf(path: string): Promise<string[][]> {
  return existsSync(path) ? parseCsv(await readFile(path, 'utf8')).slice(1) : []
}

/** The service of a pod: its name without the two parts that its deployment adds. */
export function serviceOf(pod: string): string {
  return pod.replace(/-[^-]+-[^-]+$/, '')
}
