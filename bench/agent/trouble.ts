// Does the service notice that its collector is in trouble? Beside a twin whose collector is well, with fresh processes in each
// round, since a process's peak of memory comes once.

import type { Row } from '../bench.ts'
import { median } from '../median.ts'
import { judged, type Part, rangeOf, told } from '../plan.ts'
import { peakRssBytesOf } from '../usage.ts'
import type { AgentPlan } from './agent-plan.ts'
import { cpuByTurns } from './cpu-by-turns.ts'
import type { Health, Trouble } from './collector-program.ts'
import { inTurns } from './in-turns.ts'
import { type Service, startService, startWorld, warmUp } from './service.ts'

const goals = { timesHealthy: 1.1, mebibytes: 4 }
const MiB = 1_048_576
const troubles: Trouble[] = ['refused', 'hung', 'unavailable', 'slow']
const lanes = 8
/** Enough for what waits to reach its bound. */
const warmUpRequests = 10_000
const requestsOfTurn = 1_500
const turns = 12
/** So that all turns take longer than the agent waits for an answer. */
const restMs = 200

/** `twin` is as healthy as the one that all are compared with: it tells how far apart two are for no reason. */
type Name = 'healthy' | 'twin' | Trouble

interface Contestant extends Service {
  name: Name
  cpuUs: number
}

/** What a round has found of a contestant. */
interface Found {
  cpuUs: number
  peakMiB: number
  /** Once garbage is collected, while the trouble lasts. */
  inUseMiB: number
}

/** From those that are healthy. */
interface Difference {
  timesCpu: number
  peakMiB: number
  inUseMiB: number
}

/** Measures each trouble against health. */
export const trouble: Part<AgentPlan> = async (plan) => {
  const differences = new Map<Name, Difference[]>()
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const [name, difference] of differencesIn(await measureRound(plan, round))) {
      differences.set(name, [...(differences.get(name) ?? []), difference])
      const { timesCpu, peakMiB, inUseMiB } = difference
      plan.progress(
        `round ${round + 1} of ${plan.rounds}, ${name}: ${timesCpu.toFixed(3)} × CPU, ` +
          `${peakMiB.toFixed(1)} MiB more at the peak, ${inUseMiB.toFixed(1)} more in use`,
      )
    }
  }
  return Array.from(differences).flatMap(([name, all]) => rowsOf(name, all))
}

async function measureRound(plan: AgentPlan, round: number): Promise<Map<Name, Found>> {
  await using cleanup = new AsyncDisposableStack()
  const world = await startWorld(cleanup)
  const names: Name[] = ['healthy', 'twin', ...troubles]
  const contestants: Contestant[] = []
  for (const name of inTurns(names, round)) {
    const health: Health = name === 'twin' ? 'healthy' : name
    const service = await startService(plan, world, { kind: 'lean', health, flags: ['--expose-gc'] })
    cleanup.defer(() => service.child.end())
    await warmUp(world, service, { requests: warmUpRequests, lanes })
    contestants.push({ ...service, name, cpuUs: 0 })
  }
  for (let turn = 0; turn < turns; turn += 1) {
    const turnsUs = await cpuByTurns(world, contestants, { requests: requestsOfTurn, lanes, restMs })
    for (const [index, contestant] of contestants.entries()) {
      contestant.cpuUs += turnsUs[index] ?? Number.NaN
      await world.collector.ask('arrived', contestant.collectorUrl)
    }
  }
  for (const { health, collectorUrl } of contestants) {
    const connections = await world.collector.ask('connections', collectorUrl)
    if (health === 'refused' ? connections > 0 : connections === 0) {
      throw new Error(`Cannot measure ${health}: the collector had ${connections} connections`)
    }
  }
  const found = new Map<Name, Found>()
  for (const { name, cpuUs, child } of contestants) {
    const peakMiB = peakRssBytesOf(child.pid) / MiB
    found.set(name, { cpuUs, peakMiB, inUseMiB: (await child.ask('inUse', undefined)) / MiB })
  }
  return found
}

/** From the two that are healthy, on average; of `twin` from the other one. */
function differencesIn(found: ReadonlyMap<Name, Found>): Map<Name, Difference> {
  const [healthy, twin] = [found.get('healthy'), found.get('twin')]
  if (healthy === undefined || twin === undefined) throw new Error('Nobody is healthy')
  const average: Found = {
    cpuUs: (healthy.cpuUs + twin.cpuUs) / 2,
    peakMiB: (healthy.peakMiB + twin.peakMiB) / 2,
    inUseMiB: (healthy.inUseMiB + twin.inUseMiB) / 2,
  }
  const others = Array.from(found).filter(([name]) => name !== 'healthy')
  return new Map(
    others.map(([name, { cpuUs, peakMiB, inUseMiB }]) => {
      const base = name === 'twin' ? healthy : average
      const difference = {
        timesCpu: cpuUs / base.cpuUs,
        peakMiB: peakMiB - base.peakMiB,
        inUseMiB: inUseMiB - base.inUseMiB,
      }
      return [name, difference]
    }),
  )
}

function rowsOf(name: Name, differences: readonly Difference[]): Row[] {
  const timesCpu = median(differences.map((each) => each.timesCpu))
  const peaksMiB = differences.map((each) => each.peakMiB)
  const inUseMiB = median(differences.map((each) => each.inUseMiB))
  const range = rangeOf({ low: Math.min(...peaksMiB), high: Math.max(...peaksMiB) })
  const unit = `MiB more at the peak (rounds: ${range})`
  return [
    ...(name === 'twin'
      ? [told('trouble_twin_cpu', timesCpu, '× healthy'), told('trouble_twin_rss', median(peaksMiB), unit)]
      : [
          judged(`trouble_${name}_cpu`, timesCpu, '× healthy', { atMost: goals.timesHealthy }),
          judged(`trouble_${name}_rss`, median(peaksMiB), unit, { atMost: goals.mebibytes }),
        ]),
    told(`trouble_${name}_in_use`, inUseMiB, 'MiB more in use at the end'),
  ]
}
