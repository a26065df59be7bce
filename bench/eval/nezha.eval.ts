// Nezha's TrainTicket (Yu et al., ESEC/FSE 2023): three minutes a fault, spans and logs; the metrics are not used.
import type { Evaluation, Source } from './evaluation.ts'
import { rules } from './nezha/baselines.ts'
import { readFaultFree, readFaults, readMinutes, serviceOf } from './nezha/read.ts'
import { serviceId, toTelemetry } from './nezha/to-otlp.ts'
import { hitsAt, rankTable, shareRow } from './ranking.ts'
import { type Judged, reliabilityTable } from './reliability.ts'
import { replayTable, type ToldCause } from './replay-table.ts'
import { openProduct, type Stretch } from './through-product.ts'

/** Raised when what is sent changes. */
const version = '1'

const minuteMs = 60_000
/** The minute of the injection and two more. */
const minutes = 3

export const source: Source = { dataSet: 'nezha-trainticket' }

export const evaluation: Evaluation = async (plan) => {
  const folder = await plan.folder('nezha-trainticket')
  const faults = await readFaults(folder)
  const faultFree = await readFaultFree(folder)
  const stretches: Stretch[] = [
    ...faultFree.map((free) => stretchOf(free, 1)),
    ...faults.map((fault) => stretchOf(fault, minutes)),
  ]
  await using product = await openProduct({
    folder: plan.resumeFolder,
    set: 'nezha',
    version: `${version} ${faults.map(({ name }) => name).join()}`,
    stretches,
    progress: plan.progress,
  })
  const cases: Judged[] = []
  const toldCauses: ToldCause[] = []
  for (const fault of faults) {
    // Normal is the time without faults, and what all other faults' minutes look like together.
    const explanation = await product.explain(
      fault.name,
      stretches.map(({ name }) => name).filter((name) => name !== fault.name),
    )
    const told = explanation.state === 'explained' ? explanation.told : undefined
    const now = await readMinutes(fault.folder, { fromMs: fault.minuteMs, minutes })
    const [free] = faultFree
    const normal =
      free === undefined
        ? { spans: [], logs: [] }
        : await readMinutes(free.folder, { fromMs: free.minuteMs, minutes: 1 })
    const names = new Map(now.spans.map(({ pod }) => [serviceId(pod), serviceOf(pod)]))
    toldCauses.push(
      ...(told?.causes.slice(0, 3) ?? []).map(({ service, replay }) => ({
        isRight: (names.get(service) ?? service) === serviceOf(fault.pod),
        replay,
      })),
    )
    cases.push({
      name: fault.name,
      kind: fault.kind,
      culprits: [serviceOf(fault.pod)],
      rankings: {
        ours: [...new Set(told?.causes.map(({ service }) => names.get(service) ?? service) ?? [])],
        ...Object.fromEntries(Object.entries(rules).map(([rule, rank]) => [rule, rank(now, normal)])),
      },
      ...(explanation.state === 'explained' ? { confidence: explanation.confidence } : {}),
      remark: [
        `${serviceOf(fault.pod)} ${fault.kind}`,
        ...(told?.causes[0]?.evidence ?? []).slice(0, 1).map(({ sentence }) => sentence),
      ].join(': '),
    })
    plan.progress(`explained ${cases.length} of ${faults.length} faults`)
  }
  plan.tell(rankTable(cases))
  plan.tell(reliabilityTable(cases))
  plan.tell(replayTable(toldCauses))
  const set = 'Nezha TrainTicket'
  return [1, 3].map((k) =>
    shareRow(
      { id: `nezha_at${k}`, set, measure: `AS@${k}`, goal: k === 1 ? 0.928 : 1, floor: 'floor' },
      cases,
      (ranking, culprits) => hitsAt(ranking, culprits, k),
    ),
  )
}

/** Its files begin a little before their minute. */
function stretchOf(part: { name: string; minuteMs: number; folder: string }, count: number): Stretch {
  return {
    name: part.name,
    durationMs: (count + 1) * minuteMs,
    async load(beginMs) {
      const recorded = await readMinutes(part.folder, { fromMs: part.minuteMs, minutes: count })
      return toTelemetry(recorded, { shiftMs: beginMs + minuteMs - part.minuteMs, stretch: part.name })
    },
  }
}
