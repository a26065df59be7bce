// A worker thread gets trace and flow by the environment data of threads, which it is given when it is made. There is a channel
// for new workers, but it speaks when they run already.

import { createRequire, syncBuiltinESMExports } from 'node:module'
import { type Worker, getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { context } from '@opentelemetry/api'
import type { FlowPropagator } from '../propagation/flow-propagator.ts'
import type { Capturing } from './capturing.ts'
import { guarded } from './channel.ts'

const dataKey = 'headwater.carrier'

type WorkerClass = new (...args: unknown[]) => Worker

/** What a thread does that is made while a run goes on belongs to it, as far as nothing else has asked for it. */
export function captureWorkerThreads({ propagator }: Pick<Capturing, 'propagator'>): void {
  const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: WorkerClass }
  const { Worker: original } = threads
  const followed: WorkerClass = new Proxy(original, {
    construct(target, args, newTarget) {
      guarded('a worker thread', () => setEnvironmentData(dataKey, carrierOf(propagator)))
      try {
        return Reflect.construct(target, args, newTarget === followed ? target : newTarget) as Worker
      } finally {
        guarded('a worker thread', () => setEnvironmentData(dataKey, undefined))
      }
    },
  })
  threads.Worker = followed
  syncBuiltinESMExports()
}

function carrierOf(propagator: FlowPropagator): Record<string, string> {
  const carrier: Record<string, string> = {}
  propagator.send(context.active(), 'queue', (name, value) => {
    carrier[name] = value
  })
  return carrier
}

/** What the thread that has made this one has given it. */
export function carrierOfThread(): Readonly<Record<string, string>> {
  const carrier: unknown = getEnvironmentData(dataKey)
  return typeof carrier === 'object' && carrier !== null ? (carrier as Record<string, string>) : {}
}
