import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'

/** What a process has used since it began. */
export interface Usage {
  cpuUs: number
  /** Bytes allocated on V8's heap, whether or not they were freed. Buffers' contents are elsewhere. */
  allocatedBytes: number
}

/** Of this process. */
export function ownUsage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuUs: user + system, allocatedBytes: allocatedBytes() }
}

function allocatedBytes(): number {
  const { total_allocated_bytes: allocated } = getHeapStatistics() as { total_allocated_bytes?: number }
  if (allocated === undefined) throw new Error(`Node ${process.version} does not tell what it allocates; use Node 26`)
  return allocated
}

/** What was used between two moments. */
export function usedBetween(before: Usage, after: Usage): Usage {
  return { cpuUs: after.cpuUs - before.cpuUs, allocatedBytes: after.allocatedBytes - before.allocatedBytes }
}

/** Linux counts in ticks of a hundredth of a second, whatever the machine. */
const tickUs = 10_000

/** Processor time of another process, in steps of 10 ms. */
export function cpuUsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name before may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickUs
}

/** Memory of a process that is in RAM. */
export function rssBytesOf(pid: number): number {
  return statusBytesOf(pid, /^VmRSS:\s+(\d+) kB$/m)
}

/** The most of it that there ever was. */
export function peakRssBytesOf(pid: number): number {
  return statusBytesOf(pid, /^VmHWM:\s+(\d+) kB$/m)
}

/** From now on the most is that which will be. */
export function forgetPeakRss(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function statusBytesOf(pid: number, line: RegExp): number {
  return Number(line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024
}

/** How long a process's main thread has waited for a core while it had work: what other work on the machine cost it. */
export function waitedMsOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
}

/**
 * Processor time of all threads that another process has, to the microsecond. What ended threads used is not in it: for
 * processes that keep theirs.
 */
export function threadsCpuUsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => sum + ranUsOf(`/proc/${pid}/task/${thread}/schedstat`), 0)
}

function ranUsOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[0]) / 1e3
  } catch {
    // It ended since the threads were listed.
    return 0
  }
}
