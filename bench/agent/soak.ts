// Does memory grow by itself? Ours and bare side by side, for the same time at the same rate, looked at after garbage is
// collected.

import { setTimeout as wait } from 'node:timers/promises'
import type { Row } from '../bench.ts'
import { type Point, type Slope, slopeOf } from '../least-squares.ts'
import { type Part, rangeOf, rounded, told } from '../plan.ts'
import { rssBytesOf } from '../usage.ts'
import type { AgentPlan } from './agent-plan.ts'
import { type Service, startService, startWorld, warmUp, type World } from './service.ts'

const goalMiBPerHour = 1
const requestsPerSecond = 200
/** More than are ever under way at this rate. */
const underWayMax = 1_000
/** A machine may stop for a moment; a service that is asked less is not the one to be watched. */
const notSentShareMax = 0.01
/** Not looked at: what is compiled and cached once. */
const warmUpRequests = 20_000
const warmUpTime = { share: 0.25, msMax: 120_000 }
const lanes = 8
const sampleEveryMs = { most: 10_000, share: 1 / 30 }
const MiB = 1_048_576
const hourMs = 3_600_000

interface Contestant extends Service {
  /** Hours, and MiB in use or resident. */
  inUse: Point[]
  resident: Point[]
}

/** Watches both for `forMs` after a warm-up. */
export const soak: Part<AgentPlan> = async (plan) => {
  await using cleanup = new AsyncDisposableStack()
  const world = await startWorld(cleanup)
  const contestants: Contestant[] = []
  for (const kind of ['bare', 'lean'] as const) {
    const service = await startService(plan, world, { kind, flags: ['--expose-gc'] })
    cleanup.defer(() => service.child.end())
    await warmUp(world, service, { requests: warmUpRequests, lanes })
    contestants.push({ ...service, kind, inUse: [], resident: [] })
  }
  const warmUpMs = Math.min(plan.forMs * warmUpTime.share, warmUpTime.msMax)
  const urls = contestants.map(({ url }) => url)
  const forMs = warmUpMs + plan.forMs
  const loading = world.load.ask('sendOpenLoop', { urls, requestsPerSecond, forMs, underWayMax })
  // Requests that fail end the watch at once.
  await Promise.race([wait(warmUpMs), loading])
  const everyMs = Math.min(plan.forMs * sampleEveryMs.share, sampleEveryMs.most)
  const startMs = performance.now()
  for (let dueMs = startMs; dueMs < startMs + plan.forMs; dueMs += everyMs) {
    await Promise.race([wait(Math.max(0, dueMs - performance.now())), loading])
    await sample(world, contestants, (performance.now() - startMs) / hourMs)
    plan.progress(
      contestants.map(({ kind, inUse }) => `${kind} ${inUse.at(-1)?.y.toFixed(2)} MiB`).join(', ') +
        ` after ${Math.round((performance.now() - startMs) / 1_000)} s`,
    )
  }
  const { notSent } = await loading
  const notSentShare = notSent / ((urls.length * requestsPerSecond * forMs) / 1_000)
  if (notSentShare > notSentShareMax) {
    throw new Error(`Cannot watch at ${requestsPerSecond} requests a second: a share of ${notSentShare} was not sent`)
  }
  return [...rowsOf(contestants), told('soak_not_sent', notSentShare, 'of the requests')]
}

async function sample({ collector }: World, contestants: readonly Contestant[], atHour: number): Promise<void> {
  for (const { child, collectorUrl, inUse, resident } of contestants) {
    inUse.push({ x: atHour, y: (await child.ask('inUse', undefined)) / MiB })
    resident.push({ x: atHour, y: rssBytesOf(child.pid) / MiB })
    await collector.ask('arrived', collectorUrl)
  }
}

function rowsOf(contestants: readonly Contestant[]): Row[] {
  const [bare, ours] = ['bare', 'lean'].map((kind) => contestants.find((each) => each.kind === kind)?.inUse ?? [])
  if (bare === undefined || ours === undefined) throw new Error('Cannot compare: somebody was not watched')
  // Of both at the same moments, so that what befalls both is none of ours.
  const { slope, halfWidth } = slopeOf(ours.map(({ x, y }, index) => ({ x, y: y - (bare[index]?.y ?? Number.NaN) })))
  const interval = { low: slope - halfWidth, high: slope + halfWidth }
  return [
    {
      id: 'soak',
      value: rounded(slope),
      unit: `MiB/h more than bare (95 %: ${rangeOf(interval)})`,
      goal: `the interval is within ${goalMiBPerHour} MiB/h; takes an hour`,
      met: interval.low >= -goalMiBPerHour && interval.high <= goalMiBPerHour,
    },
    ...contestants.flatMap(({ kind, inUse, resident }) => [
      told(`soak_${kind}_in_use`, slopeOf(inUse).slope, `MiB/h (95 %: ${rangeOfSlope(slopeOf(inUse))})`),
      told(`soak_${kind}_resident`, slopeOf(resident).slope, `MiB/h (95 %: ${rangeOfSlope(slopeOf(resident))})`),
    ]),
    told('soak_samples', ours.length, 'of each'),
  ]
}

function rangeOfSlope({ slope, halfWidth }: Slope): string {
  return rangeOf({ low: slope - halfWidth, high: slope + halfWidth })
}
