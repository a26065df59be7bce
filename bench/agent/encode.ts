// What it costs to make a span's bytes, beside the making of the span.

import { startChild } from '../child.ts'
import { median } from '../median.ts'
import { judged, type Part, told } from '../plan.ts'
import type { AgentPlan } from './agent-plan.ts'
import type { Encoder, EncodeProgram } from './encode-program.ts'
import { inTurns } from './in-turns.ts'

const goalUs = 1
const batches = 8
/** Passes over all batches in one turn. */
const times = 12
const turnsOfRound = 3
const warmUpTurns = 5

/** Measures both by turns. */
export const encode: Part<AgentPlan> = async ({ rounds, progress }) => {
  await using cleanup = new AsyncDisposableStack()
  const encoders: Encoder[] = ['ours', 'stock']
  const contestants = await Promise.all(
    encoders.map(async (encoder) => {
      const program = await startChild<EncodeProgram>('agent/encode-program.ts')
      cleanup.defer(() => program.end())
      const { attributes } = await program.ask('prepare', { encoder, batches })
      return { encoder, program, attributes, costsUs: [] as number[] }
    }),
  )
  const [ours, stock] = contestants.map(({ attributes }) => attributes.map(withoutIds))
  if (ours === undefined || ours.length === 0 || String(ours) !== String(stock)) {
    throw new Error(`Cannot compare: the spans differ, such as ${ours?.[0]} and ${stock?.[0]}`)
  }
  progress(`a span is ${contestants[0]?.attributes[0]}`)
  for (let turn = -warmUpTurns; turn < rounds * turnsOfRound; turn += 1) {
    for (const { program, costsUs } of inTurns(contestants, turn)) {
      const { spanUs } = await program.ask('encode', { times })
      if (turn >= 0) costsUs.push(spanUs)
    }
    const costs = contestants.map(({ encoder, costsUs }) => `${encoder} ${costsUs.at(-1)?.toFixed(2) ?? 'warms up'}`)
    progress(`turn ${turn + 1} of ${rounds * turnsOfRound}: ${costs.join(', ')} µs/span`)
  }
  const [oursUs = Number.NaN, stockUs = Number.NaN] = contestants.map(({ costsUs }) => median(costsUs))
  return [judged('encode', oursUs, 'µs/span', { atMost: goalUs }), told('encode_stock', stockUs, 'µs/span')]
}

/** Flow IDs are random. */
function withoutIds(attributes: string): string {
  return attributes.replaceAll(/[0-9a-f]{32}/g, '')
}
