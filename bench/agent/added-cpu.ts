// What a request costs the service more than without tracing.

import { setTimeout as wait } from 'node:timers/promises'
import type { Row } from '../bench.ts'
import { type Interval, medianInterval } from '../interval.ts'
import { median } from '../median.ts'
import { judged, type Part, rangeOf, told } from '../plan.ts'
import type { AgentPlan } from './agent-plan.ts'
import { cpuByTurns } from './cpu-by-turns.ts'
import { checkSpans, type Kind, type Service, startService, startWorld, warmUp, type World } from './service.ts'

const goals = { ofStock: 0.25, timesBare: 1.2 }
const kinds = ['bare', 'lean', 'full', 'sdk', 'stock'] as const
const lanes = 8
const requestsOfTurn = 2_000
const turnsOfRound = 3
/** Until V8 has compiled what is hot for the last time. */
const warmUpRequests = 40_000
/** Spans are sent so soon that a turn's own are sent within it. */
const sendAfterMs = 200
const sentAfterMs = 500
/** Of our spans, so many have to arrive. */
const arrivedShareMin = 0.99

interface Contestant extends Service {
  /** Microseconds per request, by turn. */
  costsUs: number[]
  spansOfRequest: number
  spans: number
}

/** Measures the ways to trace against a bare service and one another. */
export const addedCpu: Part<AgentPlan> = async (plan) => {
  await using cleanup = new AsyncDisposableStack()
  const world = await startWorld(cleanup)
  const contestants: Contestant[] = []
  for (const kind of kinds) {
    const service = await startService(plan, world, { kind, env: { OTEL_BSP_SCHEDULE_DELAY: String(sendAfterMs) } })
    cleanup.defer(() => service.child.end())
    const spansOfRequest = await spansOfOneRequest(world, service)
    await warmUp(world, service, { requests: warmUpRequests, lanes })
    contestants.push({ ...service, costsUs: [], spans: 0, spansOfRequest })
  }
  // Spans of the warm-up are none of the turns'.
  await wait(sentAfterMs)
  for (const { collectorUrl } of contestants) await world.collector.ask('arrived', collectorUrl)
  const turns = plan.rounds * turnsOfRound
  for (let turn = 0; turn < turns; turn += 1) {
    const turnsUs = await cpuByTurns(world, contestants, { requests: requestsOfTurn, lanes, restMs: sentAfterMs })
    for (const [index, contestant] of contestants.entries()) {
      contestant.costsUs.push(turnsUs[index] ?? Number.NaN)
      contestant.spans += (await world.collector.ask('arrived', contestant.collectorUrl)).length
    }
    const costs = contestants.map(({ kind }, index) => `${kind} ${turnsUs[index]?.toFixed(0)}`)
    plan.progress(`turn ${turn + 1} of ${turns}: ${costs.join(', ')} µs/request`)
  }
  return rowsOf(contestants, turns * requestsOfTurn)
}

async function spansOfOneRequest({ load, collector }: World, { kind, url, collectorUrl }: Service): Promise<number> {
  await load.ask('send', { urls: [url], requests: 1, lanes: 1 })
  await wait(sentAfterMs)
  const spans = await collector.ask('arrived', collectorUrl)
  checkSpans(kind, spans)
  return spans.length
}

function rowsOf(contestants: readonly Contestant[], requests: number): Row[] {
  const of = (kind: Kind): Contestant => {
    const contestant = contestants.find((each) => each.kind === kind)
    if (contestant === undefined) throw new Error(`Nobody is ${kind}`)
    return contestant
  }
  const bareUs = median(of('bare').costsUs)
  // Of each turn by itself, so that what others did on the machine meanwhile falls on both.
  const intervalUs = (kind: Kind): Interval =>
    medianInterval(of(kind).costsUs.map((costUs, turn) => costUs - (of('bare').costsUs[turn] ?? Number.NaN)))
  const addedUs = (kind: Kind): number => intervalUs(kind).middle
  const arrivedShare = (kind: Kind): number => of(kind).spans / (of(kind).spansOfRequest * requests)
  for (const kind of ['lean', 'full', 'sdk'] as const) {
    if (!(arrivedShare(kind) >= arrivedShareMin)) {
      throw new Error(`Cannot compare: of the spans of ${kind} a share of ${arrivedShare(kind)} arrived`)
    }
  }
  return [
    judged('added_cpu_vs_stock', addedUs('full') / addedUs('stock'), '× what stock adds', { atMost: goals.ofStock }),
    judged('added_cpu_vs_bare', (bareUs + addedUs('full')) / bareUs, '× bare', { atMost: goals.timesBare }),
    told('added_cpu_defaults_vs_stock', addedUs('lean') / addedUs('stock'), '× what stock adds'),
    told('added_cpu_defaults_vs_bare', (bareUs + addedUs('lean')) / bareUs, '× bare'),
    told('added_cpu_bare', bareUs, 'µs/request'),
    ...(['lean', 'full', 'sdk', 'stock'] as const).flatMap((kind) => [
      told(`added_cpu_${kind}`, addedUs(kind), `µs/request more (95 %: ${rangeOf(intervalUs(kind))})`),
      told(`added_cpu_${kind}_spans`, of(kind).spansOfRequest, 'spans/request'),
      told(`added_cpu_${kind}_arrived`, arrivedShare(kind), 'of its spans'),
    ]),
  ]
}
