// BullMQ 5 and 6. A job carries its context where BullMQ's own telemetry puts it, as a text of JSON in `opts.telemetry.metadata`,
// so that `job.data` stays the user's, and services with either understand each other. A queue or worker that has that telemetry
// is left to it. Not captured: jobs that are fetched by `getNextJob`, and what a sandboxed processor does in its own process.

import type { Attributes } from '@opentelemetry/api'
import type { Carrier } from '../flow/messages.ts'
import type { Capturing } from './capturing.ts'
import { type Sending, attempt, beginToHandle, beginToSend, handled, sent, serverAt } from './messaging.ts'
import { claimPatch } from './on-load.ts'

interface Telemetry {
  metadata?: string | undefined
  omitContext?: boolean | undefined
}

interface JobOptions {
  telemetry?: Telemetry | undefined
  /** Before BullMQ 6. */
  repeat?: unknown
}

interface Job {
  id?: string | undefined
  name: string
  opts?: JobOptions | undefined
  attemptsMade?: number | undefined
  /** Of a job that a scheduler makes, again and again. */
  repeatJobKey?: string | undefined
}

interface NewJob {
  name: string
  opts?: JobOptions | undefined
}

/** A job with the jobs that it waits for. */
interface JobTree extends NewJob {
  queueName: string
  children?: JobTree[] | undefined
}

interface Connected {
  opts?: { telemetry?: unknown; connection?: unknown } | undefined
}

interface Queue extends Connected {
  name: string
  defaultJobOptions?: JobOptions
  add: (this: Queue, name: string, data: unknown, options?: JobOptions) => Promise<Job>
  addBulk: (this: Queue, jobs: NewJob[]) => Promise<Job[]>
}

interface Worker extends Connected {
  name: string
  callProcessJob?: (this: Worker, job: Job, ...more: unknown[]) => unknown
}

interface FlowProducer extends Connected {
  add: (this: FlowProducer, tree: JobTree, ...more: unknown[]) => Promise<unknown>
  addBulk: (this: FlowProducer, trees: JobTree[]) => Promise<unknown>
}

interface BullMq {
  Queue: { prototype: Queue }
  Worker: { prototype: Worker }
  FlowProducer: { prototype: FlowProducer }
}

/** Spans of jobs that are added and processed. */
export function patchBullMq(exports: unknown, capturing: Capturing): void {
  const { Queue, Worker, FlowProducer } = exports as BullMq
  if (!claimPatch(Queue)) return
  patchQueue(Queue.prototype, capturing)
  patchFlowProducer(FlowProducer.prototype, capturing)
  patchWorker(Worker.prototype, capturing)
}

function patchQueue(prototype: Queue, capturing: Capturing): void {
  const { add, addBulk } = prototype

  prototype.add = function headwaterAdd(name, data, options) {
    // What repeats is no message of the run that sets it up: each time begins one.
    const isCaptured = !hasOwnTelemetry(this) && options?.repeat === undefined
    const sending = isCaptured ? begin(capturing, this, this.name, { 'bullmq.job.name': name }) : undefined
    if (!sending) return add.call(this, name, data, options)
    const changed = attempt('bullmq', () => optionsWith(sending, options, this.defaultJobOptions)) ?? options
    return sent(
      sending,
      () => add.call(this, name, data, changed),
      ({ id }) => id !== undefined && sending.span.setAttribute('messaging.message.id', id),
    )
  }

  prototype.addBulk = function headwaterAddBulk(jobs) {
    const count = { 'messaging.batch.message_count': jobs?.length }
    const sending = hasOwnTelemetry(this) ? undefined : begin(capturing, this, this.name, count)
    if (!sending) return addBulk.call(this, jobs)
    const changed = attempt('bullmq', () => {
      const defaults = this.defaultJobOptions
      return jobs.map((job) => ({ ...job, opts: optionsWith(sending, job.opts, defaults) }))
    })
    return sent(sending, () => addBulk.call(this, changed ?? jobs))
  }
}

/** A job with others that it waits for: all of them are sent at once, named after the one at the root. */
function patchFlowProducer(prototype: FlowProducer, capturing: Capturing): void {
  const { add, addBulk } = prototype

  prototype.add = function headwaterAdd(tree, ...more) {
    const sending = hasOwnTelemetry(this) ? undefined : beginTrees(this, [tree])
    if (!sending) return add.call(this, tree, ...more)
    return sent(sending, () => add.call(this, sending.changed[0] ?? tree, ...more))
  }

  prototype.addBulk = function headwaterAddBulk(trees) {
    const sending = hasOwnTelemetry(this) ? undefined : beginTrees(this, trees)
    if (!sending) return addBulk.call(this, trees)
    return sent(sending, () => addBulk.call(this, sending.changed))
  }

  function beginTrees(producer: FlowProducer, trees: JobTree[]): (Sending & { changed: JobTree[] }) | undefined {
    return attempt('bullmq', () => {
      const queues = new Set(trees.map(({ queueName }) => queueName))
      const count = trees.reduce((sum, tree) => sum + sizeOf(tree), 0)
      const [destination = ''] = queues.size === 1 ? queues : []
      const sending = begin(capturing, producer, destination, { 'messaging.batch.message_count': count })
      return sending && { ...sending, changed: trees.map((tree) => treeWith(sending, tree)) }
    })
  }
}

function patchWorker(prototype: Worker, capturing: Capturing): void {
  const { callProcessJob } = prototype
  if (callProcessJob === undefined) return
  prototype.callProcessJob = function headwaterCallProcessJob(job, ...more) {
    const work = hasOwnTelemetry(this) ? undefined : beginJob(this, job)
    if (!work) return callProcessJob.call(this, job, ...more)
    // An attempt that fails is an error of its span, be there another one or not: the next has a span of its own.
    return handled(work, () => callProcessJob.call(this, job, ...more), isFailure)
  }

  function beginJob(worker: Worker, job: Job) {
    return attempt('bullmq', () => {
      const carrier = carrierOf(job)
      return beginToHandle(capturing, {
        queue: { destination: worker.name, system: 'bullmq' },
        // The next job of a scheduler is made with the options of the one before: it would go on with that run for ever.
        carrier: job.repeatJobKey === undefined ? carrier : [carrier],
        attributes: {
          ...serverOf(worker),
          'messaging.message.id': job.id,
          'bullmq.job.name': job.name,
          'bullmq.job.attempts.made': job.attemptsMade,
        },
      })
    })
  }
}

/** What a processor throws to put its job back, which it has not failed. */
const putBackErrors = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError'])
const rateLimitMessage = 'bullmq:rateLimitExceeded'

function isFailure(error: unknown): boolean {
  return !(error instanceof Error && (putBackErrors.has(error.name) || error.message === rateLimitMessage))
}

function begin(capturing: Capturing, sender: Connected, destination: string, more: Attributes): Sending | undefined {
  return beginToSend(capturing, { destination, system: 'bullmq' }, { ...serverOf(sender), ...more })
}

function hasOwnTelemetry({ opts }: Connected): boolean {
  return opts?.telemetry !== undefined && opts.telemetry !== null
}

/** The connection is given as options, or as a client that has them. */
function serverOf({ opts }: Connected): Attributes {
  const { host, port, options } = (opts?.connection ?? {}) as ConnectionOptions & { options?: ConnectionOptions }
  return serverAt(host ?? options?.host, port ?? options?.port)
}

interface ConnectionOptions {
  host?: unknown
  port?: unknown
}

/** The options of a job that carries its context, unless the user forbids it. */
function optionsWith(
  { carried }: Sending,
  options: JobOptions | undefined,
  defaults?: JobOptions,
): JobOptions | undefined {
  const telemetry = options?.telemetry ?? defaults?.telemetry
  if (telemetry?.omitContext === true || Object.keys(carried).length === 0) return options
  return { ...options, telemetry: { ...telemetry, metadata: JSON.stringify(carried) } }
}

function treeWith(sending: Sending, tree: JobTree): JobTree {
  const { opts, children } = tree
  const changed = { ...tree, opts: optionsWith(sending, opts) }
  return children ? { ...changed, children: children.map((child) => treeWith(sending, child)) } : changed
}

function sizeOf({ children = [] }: JobTree): number {
  return children.reduce((sum, child) => sum + sizeOf(child), 1)
}

/** Longer than anything that may be carried. */
const metadataCharsMax = 16_384

function carrierOf({ opts }: Job): Carrier {
  const metadata = opts?.telemetry?.metadata
  if (typeof metadata !== 'string' || metadata.length > metadataCharsMax) return {}
  try {
    const carrier: unknown = JSON.parse(metadata)
    return typeof carrier === 'object' && carrier !== null && !Array.isArray(carrier) ? (carrier as Carrier) : {}
  } catch {
    // Whoever else uses the place may write what they like.
    return {}
  }
}
