// Every operation of the fleet goes the same way: ask the peer outside for what it takes, then work. How it does (the
// supervisor's word, by IPC) shows only in what the work itself meets, as it would in any service.

import { setTimeout as wait } from 'node:timers/promises'
import type { z } from 'zod'
import type { Condition, ToService } from '../control.ts'
import type { Operation } from '../plan.ts'
import { between, type Random, randomFrom } from '../random.ts'
import { askOutside } from './ask-outside.ts'
import { identity } from './identity.ts'
import { understood } from './problems.ts'

let current: { condition: Condition; random: Random } | null = null

process.on('message', (message: ToService) => {
  if (!('condition' in message)) return
  const { condition } = message
  current = condition === null ? null : { condition, random: randomFrom(condition.seed, condition.operation) }
})

/**
 * Performs an operation. `work` gets the peer's answer, and whether its own inputs are in order: when not, it takes one
 * that its library cannot work with, and so fails for real.
 */
export async function perform<Given, Done>(
  operation: Operation,
  form: z.ZodType<Given>,
  work: (given: Given, inOrder: boolean) => Done | Promise<Done>,
): Promise<Done> {
  const effect = effectOn(operation)
  if (effect === 'crash') return runOutOfMemory()
  const given = understood(form, await askOutside(operation), identity.outside)
  if (effect === 'latency') await wait(between(Math.random, 400, 900))
  return work(given, effect !== 'errors')
}

function effectOn(operation: string): Condition['effect'] | undefined {
  if (current === null || current.condition.operation !== operation) return undefined
  return current.random() < current.condition.share ? current.condition.effect : undefined
}

function runOutOfMemory(): Promise<never> {
  setImmediate(() => {
    throw new RangeError('Array buffer allocation failed')
  })
  return new Promise(() => undefined)
}
