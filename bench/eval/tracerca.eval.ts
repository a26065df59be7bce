// TraceRCA's TrainTicket, dataset A (Li et al., IWQoS 2021): incidents of some minutes each, traces only.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import type { Evaluation, EvaluationPlan, ScoreRow, Source } from './evaluation.ts'
import { hitsAt, rankTable, shareRow } from './ranking.ts'
import { type Judged, reliabilityTable } from './reliability.ts'
import { openProduct, type Product, type Stretch } from './through-product.ts'
import { addLatencies, type Latencies, type Normal, normalOf, rules } from './tracerca/baselines.ts'
import {
  blastRows,
  blastTable,
  callersOf,
  type RadiusCase,
  trueRadius,
  withAncestors,
} from './tracerca/blast-radius.ts'
import { readAffected, readIncidents, readTraces, type SetIncident } from './tracerca/read.ts'
import { rebuildTrace, type SetSpan } from './tracerca/rebuild-trace.ts'

/** Raised when what is sent changes. */
const version = '1'

export const source: Source = { dataSet: 'tracerca' }

export const evaluation: Evaluation = async (plan) => {
  const folder = await plan.folder('tracerca')
  const part = await partOf(folder)
  const incidents = await readIncidents(folder, part)
  await using product = await openProduct({
    folder: plan.resumeFolder,
    set: 'tracerca',
    version: `${version} ${part}`,
    stretches: incidents.map((incident) => stretchOf(folder, incident)),
    progress: plan.progress,
  })
  const { normal, callers } = await poolOf(folder, incidents)
  const affected = await readAffected(folder, part)
  const cases: Judged[] = []
  const radii: RadiusCase[] = []
  const names = new Map<string, string>()
  for (const incident of incidents) {
    const traces = await readTraces(folder, incident.name)
    for (const { spans } of traces) {
      for (const { caller, callee } of spans) for (const name of [caller, callee]) names.set(idOf(name), name)
    }
    const told = await ask(product, incident, incidents)
    const nameOf = (id: string): string => names.get(id) ?? id
    cases.push({
      name: incident.name,
      kind: incident.fault,
      culprits: incident.culprits,
      rankings: {
        ours: [...new Set(told.causes.map(nameOf))],
        ...Object.fromEntries(Object.entries(rules).map(([rule, rank]) => [rule, rank(traces, normal)])),
      },
      remark: told.remark,
      ...(told.confidence === undefined ? {} : { confidence: told.confidence }),
    })
    const { culprits } = incident
    const first = rules['net abnormal share']?.(traces, normal).slice(0, 1) ?? []
    radii.push({
      kind: incident.fault,
      truth: trueRadius(traces, { culprits, affected: affected.get(incident.name) ?? new Set() }),
      told: {
        ours: new Set(told.services.map(nameOf)),
        floor: withAncestors(culprits, callers),
        'ancestors of the net abnormal share': withAncestors(first, callers),
        'culprit alone': new Set(culprits),
      },
    })
    if (cases.length % 10 === 0) plan.progress(`explained ${cases.length} of ${incidents.length} incidents`)
  }
  return tellAll(plan, cases, radii)
}

function tellAll(plan: EvaluationPlan, cases: readonly Judged[], radii: readonly RadiusCase[]): ScoreRow[] {
  plan.tell(rankTable(cases))
  plan.tell(reliabilityTable(cases))
  plan.tell(blastTable(radii))
  const set = 'TraceRCA TrainTicket'
  return [
    shareRow({ id: 'tracerca_at1', set, measure: 'A@1', goal: 0.9, floor: 'floor' }, cases, (ranking, culprits) =>
      hitsAt(ranking, culprits, 1),
    ),
    shareRow({ id: 'tracerca_at3', set, measure: 'A@3', goal: 0.97, floor: 'floor' }, cases, (ranking, culprits) =>
      hitsAt(ranking, culprits, 3),
    ),
    ...blastRows(radii, set),
  ]
}

async function ask(
  product: Product,
  incident: SetIncident,
  incidents: readonly SetIncident[],
): Promise<{ causes: string[]; services: string[]; remark: string; confidence?: number }> {
  // Normal is what all other incidents' times look like together: nine tenths and more of their traces are healthy.
  const explanation = await product.explain(
    incident.name,
    incidents.filter((other) => other !== incident).map(({ name }) => name),
  )
  if (explanation.state !== 'explained') return { causes: [], services: [], remark: explanation.state }
  const { told, confidence } = explanation
  return {
    causes: told.causes.map(({ service }) => service),
    services: told.impact.services,
    remark: told.title,
    confidence,
  }
}

function stretchOf(folder: string, incident: SetIncident): Stretch {
  return {
    name: incident.name,
    durationMs: (incident.lastUs - incident.firstUs) / 1_000,
    async load(beginMs) {
      const traces = await readTraces(folder, incident.name)
      const shiftUs = beginMs * 1_000 - incident.firstUs
      return {
        spans: traces.flatMap(({ id, spans }) =>
          rebuildTrace(traceIdOf(incident, id), spans.map(withoutNames), { shiftUs }),
        ),
      }
    },
  }
}

/** A trace that two incidents have stays two. */
function traceIdOf({ name }: SetIncident, id: string): string {
  return createHash('sha256').update(`${name}/${id}`).digest('hex').slice(0, 32)
}

/** No name tells the product anything. */
function withoutNames(span: SetSpan): SetSpan {
  return { ...span, caller: idOf(span.caller), callee: idOf(span.callee) }
}

function idOf(service: string): string {
  return `s${createHash('sha256').update(service).digest('hex').slice(0, 6)}`
}

/** What the whole part has in common: usual latencies, and who calls whom. */
async function poolOf(
  folder: string,
  incidents: readonly SetIncident[],
): Promise<{ normal: Normal; callers: ReturnType<typeof callersOf> }> {
  const latencies: Latencies = new Map()
  const calls = new Map<string, SetSpan>()
  for (const { name } of incidents) {
    const traces = await readTraces(folder, name)
    addLatencies(latencies, traces)
    for (const span of traces.flatMap(({ spans }) => spans)) calls.set(`${span.caller}\u0000${span.callee}`, span)
  }
  return { normal: normalOf(latencies), callers: callersOf([...calls.values()]) }
}

/** Which part lies in the folder: the answers' file says it. */
async function partOf(folder: string): Promise<string> {
  for (const file of await readdir(folder)) {
    const [, part] = /^incidents\.(\w+)\.json$/.exec(file) ?? []
    if (part !== undefined) return part
  }
  throw new Error(`There is no incidents.PART.json in ${folder}`)
}
