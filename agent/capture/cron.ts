// A scheduled job begins a run each time that it is due, whatever it was scheduled in.

import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { flowNameCharsMax } from '@headwater/vocabulary'
import { inSpan } from '../flow/flows.ts'
import { newHop, withHop } from '../flow/hop.ts'
import { type Patch, claimPatch } from './on-load.ts'

type Method = (this: never, ...args: never[]) => unknown

/** The patches by module. */
export const cronPatches: Readonly<Record<string, Patch>> = {
  cron: patchCron,
  croner: patchCroner,
  'node-cron': patchNodeCron,
  'node-schedule': patchNodeSchedule,
}

/** The same job bears the same name each time; one that nobody has named goes by when it is due. */
function startRun<T>(name: unknown, work: () => T): T {
  const flow = `cron ${typeof name === 'string' ? name : ''}`.trim().slice(0, flowNameCharsMax)
  return inSpan(flow, { kind: SpanKind.INTERNAL, parent: withHop(ROOT_CONTEXT, newHop({ name: flow })) }, work)
}

interface CronJob {
  name?: string
  cronTime: { source: unknown }
}

function patchCron(exports: unknown): void {
  const { prototype } = (exports as { CronJob: { prototype: { fireOnTick: Method } } }).CronJob
  wrap(prototype, 'fireOnTick', (job: CronJob) => job.name ?? textOf(job.cronTime.source))
}

interface Croner {
  name?: string
  getPattern: () => unknown
}

function patchCroner(exports: unknown): void {
  const { prototype } = (exports as { Cron: { prototype: { _trigger: Method } } }).Cron
  wrap(prototype, '_trigger', (job: Croner) => job.name ?? job.getPattern())
}

interface ScheduledJob {
  name: string
}

function patchNodeSchedule(exports: unknown): void {
  const { prototype } = (exports as { Job: { prototype: { invoke: Method } } }).Job
  // Jobs without a name get one that is new each time.
  wrap(prototype, 'invoke', ({ name }: ScheduledJob) => (name.startsWith('<Anonymous') ? '' : name))
}

interface NodeCronTask {
  id: string
  name?: string
  cronExpression: string
  runner: { onMatch: Method }
  destroy: () => unknown
}
interface NodeCron {
  createTask: (expression: string, work: () => void) => NodeCronTask
}

/** Its functions cannot be changed for those who import them by name; the class of what they make can. */
function patchNodeCron(exports: unknown): void {
  const loaded = exports as NodeCron & { default?: NodeCron }
  const { createTask } = loaded.default ?? loaded
  const task = createTask('0 0 1 1 *', () => undefined)
  const prototype = Object.getPrototypeOf(task) as { start: Method; execute: Method }
  void task.destroy()
  if (!claimPatch(prototype)) return
  const watched = new WeakSet<object>()
  for (const name of ['start', 'execute'] as const) {
    const original = prototype[name]
    prototype[name] = function headwaterTask(this: NodeCronTask, ...args: never[]): unknown {
      if (!watched.has(this)) {
        watched.add(this)
        const { id, name: jobName, cronExpression } = this
        // A task without a name has its ID for one, which is new at each start.
        const known = jobName === undefined || jobName === id ? cronExpression : jobName
        wrap(this.runner, 'onMatch', () => known)
      }
      return original.apply(this as never, args)
    }
  }
}

function wrap<K extends string>(target: Record<K, Method>, method: K, nameOf: (job: never) => unknown): void {
  if (!claimPatch(target)) return
  const original = target[method]
  target[method] = function headwaterJob(this: never, ...args: never[]): unknown {
    return startRun(nameOf(this), () => original.apply(this, args))
  }
}

/** A pattern, or a date, which would be another name each time. */
function textOf(source: unknown): string | undefined {
  return typeof source === 'string' ? source : undefined
}
