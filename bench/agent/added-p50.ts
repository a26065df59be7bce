// How much later an answer comes at a rate that leaves the service idle most of the time.

import type { Row } from '../bench.ts'
import { type Interval, medianInterval } from '../interval.ts'
import { median } from '../median.ts'
import { type Part, rangeOf, rounded, told } from '../plan.ts'
import type { AgentPlan } from './agent-plan.ts'
import { usedBetween } from '../usage.ts'
import { type Kind, startService, startWorld, type Service, warmUp } from './service.ts'

const kinds = ['bare', 'lean', 'stock'] as const
/** To each service. */
const requestsPerSecond = 150
const turnMs = 1_500
const turnsOfRound = 8
const warmUpRequests = 20_000
const lanes = 8
/** More than are ever under way at this rate: none is left out. */
const underWayMax = 1_000
/** A difference that nobody would call one, of bare's. */
const negligibleShare = 0.02

interface Contestant extends Service {
  /** In microseconds, by turn. */
  p50sUs: number[]
  /** Processor time of a request at this rate, in microseconds, by turn. */
  cpusUs: number[]
}

/** Measures bare, ours and stock, one request to each by turns, so that what else the machine does falls on all of them. */
export const addedP50: Part<AgentPlan> = async (plan) => {
  await using cleanup = new AsyncDisposableStack()
  const world = await startWorld(cleanup)
  const contestants: Contestant[] = []
  for (const kind of kinds) {
    const service = await startService(plan, world, { kind })
    cleanup.defer(() => service.child.end())
    await warmUp(world, service, { requests: warmUpRequests, lanes })
    contestants.push({ ...service, p50sUs: [], cpusUs: [] })
  }
  const usages = () => Promise.all(contestants.map(({ child }) => child.ask('usage', undefined)))
  const urls = contestants.map(({ url }) => url)
  const turns = plan.rounds * turnsOfRound
  for (let turn = 0; turn < turns; turn += 1) {
    const loop = { requestsPerSecond, forMs: turnMs, underWayMax }
    const before = await usages()
    const { notSent, latencies } = await world.load.ask('sendOpenLoop', { urls, ...loop })
    if (notSent > 0) throw new Error(`Cannot measure at ${requestsPerSecond} requests a second: it is too much`)
    const after = await usages()
    for (const [index, { p50sUs, cpusUs, collectorUrl }] of contestants.entries()) {
      const [from, to] = [before[index], after[index]]
      p50sUs.push((latencies[index]?.p50 ?? Number.NaN) * 1_000)
      if (from && to) cpusUs.push((usedBetween(from, to).cpuUs * 1_000) / (requestsPerSecond * turnMs))
      await world.collector.ask('arrived', collectorUrl)
    }
    const p50s = contestants.map(({ kind, p50sUs }) => `${kind} ${p50sUs.at(-1)?.toFixed(0)}`)
    plan.progress(`turn ${turn + 1} of ${turns}: ${p50s.join(', ')} µs`)
  }
  const of = (kind: Kind) => contestants.find((each) => each.kind === kind)
  return [
    ...rowsOf((kind) => of(kind)?.p50sUs ?? []),
    ...kinds.map((kind) => told(`p50_cpu_${kind}`, median(of(kind)?.cpusUs ?? []), 'µs of processor time a request')),
  ]
}

function rowsOf(p50sUs: (kind: Kind) => number[]): Row[] {
  const difference = (of: Kind, to: Kind): Interval =>
    medianInterval(p50sUs(of).map((p50Us, turn) => p50Us - (p50sUs(to)[turn] ?? Number.NaN)))
  const bareUs = median(p50sUs('bare'))
  const ours = difference('lean', 'bare')
  const belowStock = difference('stock', 'lean')
  const isNegligible = ours.high <= negligibleShare * bareUs
  return [
    {
      id: 'added_p50',
      value: rounded(ours.middle),
      unit: `µs more than bare (95 %: ${rangeOf(ours)})`,
      goal: `the interval holds 0, or ends below ${negligibleShare * 100} % of bare`,
      met: ours.low <= 0 || isNegligible,
    },
    {
      id: 'added_p50_below_stock',
      value: rounded(belowStock.middle),
      unit: `µs less than stock (95 %: ${rangeOf(belowStock)})`,
      goal: 'the interval is above 0',
      met: belowStock.low > 0,
    },
    told('p50_bare', bareUs, 'µs'),
    told('p50_lean', median(p50sUs('lean')), 'µs'),
    told('p50_stock', median(p50sUs('stock')), 'µs'),
  ]
}
