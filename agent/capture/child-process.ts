// A child process gets trace and flow by its environment, as OpenTelemetry has it for programs that are started by another.
// https://opentelemetry.io/docs/specs/otel/context/env-carriers/

import type { ChildProcess } from 'node:child_process'
import { type Context, context } from '@opentelemetry/api'
import type { Capturing } from './capturing.ts'
import { guarded, hear } from './channel.ts'

const names = { traceparent: 'TRACEPARENT', tracestate: 'TRACESTATE', baggage: 'BAGGAGE' } as const

interface Spawning {
  spawn: (options: { envPairs?: string[] }) => unknown
}

/** What is started by `spawn`, `exec`, `execFile` and `fork` while a run goes on belongs to it. Not so the synchronous ones. */
export function captureChildProcesses({ propagator }: Pick<Capturing, 'propagator'>): void {
  hear<{ process: ChildProcess }>('child_process', ({ process: child }) => {
    const active = context.active()
    const spawning = child as unknown as Spawning
    const spawn = spawning.spawn
    spawning.spawn = function headwaterSpawn(options) {
      guarded('a child process', () => addTo(options.envPairs ?? [], active))
      return spawn.call(this, options)
    }
  })

  function addTo(pairs: string[], active: Context): void {
    propagator.send(active, 'queue', (name, value) => {
      const variable = Object.hasOwn(names, name) ? names[name as keyof typeof names] : undefined
      // What the service has set itself stays.
      if (variable === undefined || pairs.some((pair) => pair.startsWith(`${variable}=`))) return
      pairs.push(`${variable}=${value}`)
    })
  }
}

/** What the process that has started this one has told it. */
export function carrierOfProcess(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, variable]) => {
      const value = env[variable]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
