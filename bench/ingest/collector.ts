// What the collector costs without an engine behind it: requests over HTTP until their columns are sealed.

import type { Row } from '../bench.ts'
import type { BareProgram, Step } from './bare-program.ts'
import { type Child, startChild } from '../child.ts'
import type { DoorKind } from './door.ts'
import type { DoorProgram } from './door-program.ts'
import type { IngestPlan } from './ingest-plan.ts'
import { median } from '../median.ts'
import type { BodyEncoding, BodyFormat } from './payloads.ts'
import { judged, type Part, told } from '../plan.ts'
import type { SenderProgram } from './sender-program.ts'
import { type Usage, usedBetween } from '../usage.ts'

const goals = { kiloSpans: 500, timesProtobufjs: 4, garbageBytes: 300 }
const lanes = 8
/** Until V8 has compiled what is hot for the last time. */
const warmUpRounds = 6
/** Spans of a round, at least: at half a million a second, a fifth of a second of work. */
const roundSpans = 100_000

interface Contestant {
  name: string
  kind: DoorKind
  format: BodyFormat
  encoding: BodyEncoding
}

const contestants: Contestant[] = [
  { name: 'collector', kind: 'collector', format: 'protobuf', encoding: 'gzip' },
  { name: 'collector_zstd', kind: 'collector', format: 'protobuf', encoding: 'zstd' },
  { name: 'collector_json', kind: 'collector', format: 'json', encoding: 'gzip' },
  { name: 'floor_http_gunzip', kind: 'gunzip', format: 'protobuf', encoding: 'gzip' },
  { name: 'rival_protobufjs', kind: 'protobufjs', format: 'protobuf', encoding: 'gzip' },
]

/** Per span. */
interface Cost {
  cpuUs: number
  allocatedBytes: number
}

/** Measures the doors against one another. */
export const collector: Part<IngestPlan> = async (plan) => {
  const rows: Row[] = []
  for (const spans of [512, 5_000]) {
    const costs = await measureDoors(plan, spans)
    const bare = await measureSteps(plan, spans)
    const of = (name: string): Cost => costs.get(name) ?? { cpuUs: Number.NaN, allocatedBytes: Number.NaN }
    const ours = of('collector')
    const rival = of('rival_protobufjs')
    const floor = of('floor_http_gunzip')
    const kiloSpans = ({ cpuUs }: Cost): number => 1_000 / cpuUs
    rows.push(
      judged(`collector_${spans}`, kiloSpans(ours), 'k spans/CPU-s', { atLeast: goals.kiloSpans }),
      judged(`collector_${spans}_to_protobufjs`, rival.cpuUs / ours.cpuUs, '×', { atLeast: goals.timesProtobufjs }),
      told(`collector_${spans}_to_gunzip_alone`, ours.cpuUs / bare.gunzip.cpuUs, '× its processor time'),
      told(`collector_zstd_${spans}`, kiloSpans(of('collector_zstd')), 'k spans/CPU-s'),
      told(`collector_json_${spans}`, kiloSpans(of('collector_json')), 'k spans/CPU-s'),
      told(`rival_protobufjs_${spans}`, kiloSpans(rival), 'k spans/CPU-s'),
      told(`floor_http_gunzip_${spans}`, kiloSpans(floor), 'k spans/CPU-s'),
      told(`floor_gunzip_${spans}`, kiloSpans(bare.gunzip), 'k spans/CPU-s'),
      told(`walk_alone_${spans}`, kiloSpans(bare.walk), 'k spans/CPU-s'),
      told(`protobufjs_alone_${spans}`, kiloSpans(bare.protobufjs), 'k spans/CPU-s'),
      judged(`garbage_${spans}`, ours.allocatedBytes - floor.allocatedBytes, 'B/span', { atMost: goals.garbageBytes }),
      told(`garbage_walk_alone_${spans}`, bare.walk.allocatedBytes, 'B/span'),
      told(`garbage_rival_protobufjs_${spans}`, rival.allocatedBytes - floor.allocatedBytes, 'B/span'),
    )
  }
  return rows
}

async function measureDoors({ rounds, progress, nodeOptions }: IngestPlan, spans: number): Promise<Map<string, Cost>> {
  await using cleanup = new AsyncDisposableStack()
  const count = Math.max(Math.ceil(20_000 / spans), 4)
  const times = Math.ceil(roundSpans / (count * spans))
  const doors: (Contestant & { door: Child<DoorProgram>; sender: Child<SenderProgram>; url: string; costs: Cost[] })[] =
    []
  for (const contestant of contestants) {
    const { name, kind, format, encoding } = contestant
    const door = await startChild<DoorProgram>('ingest/door-program.ts', kind === 'collector' ? nodeOptions : [])
    cleanup.defer(() => door.end())
    const sender = await startChild<SenderProgram>('ingest/sender-program.ts')
    cleanup.defer(() => sender.end())
    const sizes = await sender.ask('make', { count, spans: [spans], seed: spans, format, encoding })
    progress(
      `${name}: ${spans} spans a request, ${sizes.attributesOfSpan.toFixed(1)} attributes, ` +
        `${sizes.plainBytesOfSpan.toFixed(0)} bytes, ${sizes.bytesOfSpan.toFixed(0)} as ${format} in ${encoding}`,
    )
    doors.push({ ...contestant, door, sender, url: await door.ask('open', kind), costs: [] })
  }
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const { name, door, sender, url, costs } of doors) {
      const before = await door.ask('usage', undefined)
      const sent = await sender.ask('send', { url, times, lanes })
      const used = usedBetween(before, await door.ask('usage', undefined))
      if (sent.spansTaken !== count * times * spans) {
        throw new Error(`Cannot measure ${name}: not all was taken: ${JSON.stringify(sent)}`)
      }
      if (round >= 0) costs.push(perSpan(used, sent.spansTaken))
    }
  }
  return new Map(doors.map(({ name, costs }) => [name, middle(costs)]))
}

async function measureSteps({ rounds }: IngestPlan, spans: number): Promise<Record<Step, Cost>> {
  await using cleanup = new AsyncDisposableStack()
  const count = Math.max(Math.ceil(20_000 / spans), 4)
  const times = Math.ceil(roundSpans / (count * spans))
  const steps: Step[] = ['gunzip', 'walk', 'protobufjs']
  const running: { step: Step; program: Child<BareProgram>; costs: Cost[] }[] = []
  for (const step of steps) {
    const program = await startChild<BareProgram>('ingest/bare-program.ts')
    cleanup.defer(() => program.end())
    await program.ask('prepare', { spans, count, seed: spans })
    running.push({ step, program, costs: [] })
  }
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const { step, program, costs } of running) {
      const used = await program.ask('run', { step, times })
      if (round >= 0) costs.push(perSpan(used, count * times * spans))
    }
  }
  return Object.fromEntries(running.map(({ step, costs }) => [step, middle(costs)])) as Record<Step, Cost>
}

function perSpan({ cpuUs, allocatedBytes }: Usage, spans: number): Cost {
  return { cpuUs: cpuUs / spans, allocatedBytes: allocatedBytes / spans }
}

function middle(costs: readonly Cost[]): Cost {
  return {
    cpuUs: median(costs.map(({ cpuUs }) => cpuUs)),
    allocatedBytes: median(costs.map(({ allocatedBytes }) => allocatedBytes)),
  }
}
