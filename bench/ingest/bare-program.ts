// Steps of the way without HTTP, in a process of their own: inflation alone, and the pass over the bytes alone.

import { SpanBlock } from '@headwater/store'
import { Chance } from './chance.ts'
import { answerParent } from '../child.ts'
import { createWalker } from './door.ts'
import { inflate } from './inflate.ts'
import { loadPart, windowOf } from '../inside-collector.ts'
import { makePayload, toBody } from './payloads.ts'
import { toRows } from './protobufjs-rows.ts'
import { readRecordings } from './recordings.ts'
import { ownUsage, type Usage, usedBetween } from '../usage.ts'

export type Step = 'gunzip' | 'walk' | 'protobufjs'

/** As many rows as the collector gathers in a block when it is busy. */
const blockRows = 10_000

const { giveBack } = await loadPart('give-back.ts')
const block = new SpanBlock()
const walker = await createWalker(block)
let payloads: Buffer[] = []
let zipped: Buffer[] = []

const steps: Record<Step, (index: number) => void> = {
  gunzip: (index) => void inflate(zipped[index] ?? Buffer.alloc(0)),
  walk: (index) => {
    const { rejections } = walker.walk(payloads[index] ?? Buffer.alloc(0), windowOf(Date.now()))
    if (rejections.count > 0) throw new Error(`Cannot measure the walk: ${rejections.describe(0, 'spans')}`)
    if (block.block.rows >= blockRows) giveBack(block.seal())
  },
  protobufjs: (index) => {
    for (const row of toRows(payloads[index] ?? Buffer.alloc(0))) JSON.stringify(row)
  },
}

const answers = {
  prepare({ spans, count, seed }: { spans: number; count: number; seed: number }): void {
    const recorded = readRecordings()
    const chance = new Chance(seed)
    payloads = Array.from({ length: count }, () => makePayload(recorded, { spans, endMs: Date.now(), chance }))
    zipped = payloads.map((payload) => toBody(payload, 'protobuf', 'gzip'))
  },
  run({ step, times }: { step: Step; times: number }): Usage {
    const before = ownUsage()
    for (let time = 0; time < times; time += 1) for (const index of payloads.keys()) steps[step](index)
    return usedBetween(before, ownUsage())
  },
}

export type BareProgram = typeof answers

answerParent(answers)
