import { setTimeout as wait } from 'node:timers/promises'
import { usedBetween } from '../usage.ts'
import type { Service, World } from './service.ts'

export interface Turn {
  /** Requests to each service. */
  requests: number
  lanes: number
  /** How long is waited at its end, for spans to be sent within it. */
  restMs: number
}

/**
 * Sends requests to all services by turns that are far shorter than what else happens on the machine, which so falls on all of
 * them; tells what processor time one cost each service, in microseconds.
 */
export async function cpuByTurns(
  { load }: World,
  services: readonly Service[],
  { requests, lanes, restMs }: Turn,
): Promise<number[]> {
  const usages = () => Promise.all(services.map(({ child }) => child.ask('usage', undefined)))
  const before = await usages()
  await load.ask('send', { urls: services.map(({ url }) => url), requests, requestsAtOnce, lanes })
  await wait(restMs)
  const after = await usages()
  return before.map((usage, index) => usedBetween(usage, after[index] ?? usage).cpuUs / requests)
}

/** To one service before it is the next one's turn: some 50 ms, in which caches have long become its own. */
const requestsAtOnce = 250
