// How long a page keeps its main thread to itself: while a task runs, nobody is answered. Chromium's own trace tells each task's
// time on the clock, which other work on the machine lengthens, and its processor time, which it does not.

import type { Page } from '@headwater/console/testing'
import { z } from 'zod'

/** A task of the page's main thread. */
export interface Task {
  ms: number
  cpuMs: number
  /** What most of it was, such as `FunctionCall 90 ms, Layout 40 ms`. */
  what: string
}

export interface Watched {
  /** The task that took the most processor time. */
  longest: Task
  /** Processor time of all tasks of the page, those of its workers too. */
  cpuMs: number
}

const traceSchema = z.object({
  traceEvents: z.array(
    z.object({
      name: z.string(),
      ph: z.string(),
      pid: z.number(),
      tid: z.number(),
      ts: z.number(),
      dur: z.number().optional(),
      tdur: z.number().optional(),
      args: z.object({ name: z.unknown(), data: z.unknown() }).partial().optional(),
    }),
  ),
})
type TraceEvent = z.output<typeof traceSchema>['traceEvents'][number]

const categories = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8', '__metadata']
const taskName = 'RunTask'
const toldParts = 4

/** Traces the page while something is done to it. */
export async function watchTasks(page: Page, deed: () => Promise<void>): Promise<Watched> {
  await page.tracing.start({ categories })
  try {
    await deed()
  } catch (error) {
    await page.tracing.stop().catch(() => undefined)
    throw error
  }
  const bytes = await page.tracing.stop()
  if (bytes === undefined) throw new Error('Chromium gave no trace')
  const { traceEvents } = traceSchema.parse(JSON.parse(Buffer.from(bytes).toString()))
  return tasksOf(traceEvents)
}

function tasksOf(events: readonly TraceEvent[]): Watched {
  const namesOf = (wanted: (name: unknown) => boolean): Set<string> =>
    new Set(
      events.filter(({ name, args }) => name === 'thread_name' && wanted(args?.name)).map((event) => threadOf(event)),
    )
  const mains = namesOf((name) => name === 'CrRendererMain')
  const workers = namesOf((name) => typeof name === 'string' && name.startsWith('DedicatedWorker'))
  const all = events.filter(({ name, ph }) => name === taskName && ph === 'X')
  const tasks = all.filter((event) => mains.has(threadOf(event)))
  const [first] = tasks.toSorted((a, b) => cpuUsOf(b) - cpuUsOf(a))
  if (first === undefined) throw new Error('The trace tells no task of the main thread: Chromium names them otherwise')
  const complete = events.filter((event) => event.ph === 'X' && threadOf(event) === threadOf(first))
  return {
    longest: { ms: (first.dur ?? 0) / 1_000, cpuMs: cpuUsOf(first) / 1_000, what: partsOf(first, complete) },
    cpuMs:
      all
        .filter((event) => mains.has(threadOf(event)) || workers.has(threadOf(event)))
        .reduce((sum, event) => sum + cpuUsOf(event), 0) / 1_000,
  }
}

function cpuUsOf({ dur, tdur }: TraceEvent): number {
  return tdur ?? dur ?? 0
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}/${tid}`
}

/** The names of what ran within a task, by their time without what they called. */
function partsOf(task: TraceEvent, events: readonly TraceEvent[]): string {
  const end = task.ts + (task.dur ?? 0)
  const within = events
    .filter((event) => event.ts >= task.ts && event.ts + (event.dur ?? 0) <= end)
    .toSorted((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0))
  const own = new Map<string, number>()
  const open: TraceEvent[] = []
  for (const event of within) {
    while (open.length > 0 && event.ts >= endOf(open.at(-1))) open.pop()
    const above = open.at(-1)
    if (above !== undefined) own.set(above.name, (own.get(above.name) ?? 0) - (event.dur ?? 0))
    own.set(event.name, (own.get(event.name) ?? 0) + (event.dur ?? 0))
    open.push(event)
  }
  return [...own]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, toldParts)
    .map(([name, us]) => `${name} ${Math.round(us / 1_000)} ms`)
    .join(', ')
}

function endOf(event: TraceEvent | undefined): number {
  return (event?.ts ?? 0) + (event?.dur ?? 0)
}
