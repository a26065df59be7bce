import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { migratePostgres } from '@headwater/store'
import { WebSocket } from 'ws'
import type { Row } from '../bench.ts'
import { startChild } from '../child.ts'
import { startEngine } from '../ingest/engine.ts'
import type { Plan } from '../plan.ts'
import type { ApiAnswers } from './server.ts'

const listenersCount = 500
const servicesCount = 200
const shareGoal = 0.15

/** Consoles that listen to the map of 200 services: what they cost the API's process, engines apart, and whether they are served. */
export async function listeners({ forMs, progress }: Plan): Promise<Row[]> {
  await using cleanup = new AsyncDisposableStack()
  const engine = await startEngine()
  cleanup.defer(() => engine.stop())
  await migratePostgres(engine.store.postgres)
  await engine.store.clickhouse.command({ query: callsOf(servicesCount, forMs) })
  const api = await startChild<ApiAnswers>('./console/server.ts')
  cleanup.defer(() => api.end())
  const url = await api.ask('start', engine.urls)

  const got = Array.from({ length: listenersCount }, () => 0)
  let closed = 0
  let bytes = 0
  const sockets = got.map((_, i) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    socket.on('message', (data: Buffer) => {
      got[i] = (got[i] ?? 0) + 1
      bytes = data.length
    })
    socket.on('close', () => (closed += 1))
    return socket
  })
  await Promise.all(sockets.map((socket) => once(socket, 'open')))
  // What they cost once they are there; coming costs more.
  await wait(3_000)
  got.fill(0)
  const beforeUs = await api.ask('cpuUs', undefined)
  const startedMs = performance.now()
  await wait(forMs)
  const share = ((await api.ask('cpuUs', undefined)) - beforeUs) / 1e3 / (performance.now() - startedMs)
  const dropped = closed
  const fewest = Math.min(...got)
  for (const socket of sockets) socket.terminate()
  progress(`each got ${fewest} to ${Math.max(...got)} snapshots of ${bytes} bytes in ${forMs / 1_000} s`)
  return [
    {
      id: 'listeners_cpu',
      value: Math.round(share * 1_000) / 10,
      unit: '% of a core, 500 listeners, 200 services',
      goal: '≤ 15',
      met: share <= shareGoal,
    },
    { id: 'listeners_dropped', value: dropped, unit: 'of 500', goal: '0', met: dropped === 0 },
    {
      id: 'listeners_rate',
      value: Math.round((fewest / (forMs / 1_000)) * 100) / 100,
      unit: 'snapshots/s, the slowest',
    },
  ]
}

/** Calls among services in each ten seconds of the measurement, and in the last hour. */
function callsOf(services: number, forMs: number): string {
  const seconds = 120 + Math.ceil(forMs / 1_000)
  return `
    INSERT INTO chain_health_metrics_10s
      (Window, Service, Operation, Kind, Caller, CallerOperation, FlowName, Version, Calls, Errors, DurationNs, Duration)
    SELECT toStartOfMinute(now()) - 60 + 10 * (number % ${Math.ceil(seconds / 10)}),
      concat('service-', toString(intDiv(number, 1000) % ${services})), 'op', 'sync',
      concat('service-', toString(intDiv(number, 3000) % ${Math.ceil(services / 3)})), 'op', 'flow', '1',
      rand() % 500, rand() % 7, 1e6, map(200 + rand() % 80, rand() % 500)
    FROM numbers(${services * 1_000})`
}
