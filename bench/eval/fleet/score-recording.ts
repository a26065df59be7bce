import type { Judged } from '../reliability.ts'
import { disturbances, type Outcome, overlaps, type Stretch } from './outcomes.ts'
import type { FleetEvent, Recording } from './record.ts'
import { type ShareError, shareErrors, trueImpact, usualDurations } from './true-impact.ts'
import { falseIncidents, healthyTime, type Verdict, verdictOf } from './verdict.ts'
import type { Told, Watched } from './watch-recording.ts'

/** A fault with what is said of it, and the truth. */
export interface FaultScore extends Judged {
  fault: FleetEvent
  verdict: Verdict
  /** The shares since the fault began. */
  shares: ShareError[]
  /** The same, the truth since when the product says that it began: what is left is not the onset's. */
  sharesSinceTold: ShareError[]
}

export interface RecordingScore {
  name: string
  faults: FaultScore[]
  /** Faults during which, or shortly before, the machine kept users waiting. */
  leftOut: FaultScore[]
  healthyMs: number
  /** Deploys and spikes. */
  harmless: number
  falseIncidents: { told: Told; afterMs: number }[]
}

/** An incident takes so long to close. */
const closesMs = 60_000

/** Scores what was told of a recording by what its users saw. */
export function scoreRecording(
  recording: Recording,
  { name, watched, outcomes }: { name: string; watched: Watched; outcomes: readonly Outcome[] },
): RecordingScore {
  const { events } = recording
  const usual = usualDurations(outcomes, events)
  const disturbed = disturbances(outcomes, events)
  const scored = events.flatMap((fault, index) => {
    if (fault.what !== 'fault') return []
    const verdict = verdictOf(fault, watched.steps)
    const flows = verdict.told?.flows ?? []
    const since = (fromMs: number): ShareError[] =>
      shareErrors(flows, trueImpact(outcomes, { ...fault, fromMs }, { untilMs: verdict.atMs, usual }), fault)
    const rankings = watched.rankings[index]
    const score: FaultScore = {
      name: `${name} ${fault.kind} ${fault.service} ${fault.operation}`,
      kind: fault.kind,
      culprits: [fault.service],
      rankings: {
        ours: [...new Set(verdict.told?.causes.map(({ service }) => service))],
        'deepest failing span': rankings?.deepestFailing ?? [],
        'most abnormal service': rankings?.mostAbnormal ?? [],
      },
      remark: verdict.told?.title ?? 'no incident with a cause',
      ...(verdict.told === undefined ? {} : { confidence: verdict.told.confidence }),
      fault,
      verdict,
      shares: since(fault.fromMs),
      sharesSinceTold: since(verdict.told?.sinceMs ?? fault.fromMs),
    }
    return [score]
  })
  const isDisturbed = ({ fault }: FaultScore): boolean =>
    disturbed.some((stretch) => overlaps(stretch, { fromMs: fault.fromMs - closesMs, toMs: fault.toMs }))
  const faults: Stretch[] = scored.map(({ fault }) => fault)
  const healthy = healthyTime(recording, [...faults, ...disturbed])
  return {
    name,
    faults: scored.filter((fault) => !isDisturbed(fault)),
    leftOut: scored.filter(isDisturbed),
    healthyMs: healthy.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    harmless: events.filter((event) => event.what !== 'fault' && healthy.some((stretch) => overlaps(stretch, event)))
      .length,
    falseIncidents: falseIncidents(watched.steps, healthy).map((told) => ({
      told,
      afterMs: told.openedMs - recording.fromMs,
    })),
  }
}
