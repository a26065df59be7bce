// One flow by what is usual at this time of the week: its traffic, its failures and its time. What an hour does not show does: traffic
// that is missing, and what has grown so slowly that the last hour has grown with it.
import type { EntryCounts, EntryOperation } from '@headwater/store'
import { bucketMiddle } from '@headwater/vocabulary'
import { parameters } from './parameters.ts'
import { SeriesJudge } from './series/series-judge.ts'
import { WeekProfile } from './series/week-profile.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

const { seasons } = parameters

/** What a flow's calls of a slot are judged by. */
export type Aspect = 'traffic' | 'errors' | 'latency'

export type SlotCounts = Pick<EntryCounts, 'calls' | 'errors' | 'buckets'>

/** One aspect of a slot against its season, in its unit: calls, the share that failed, or nanoseconds. */
export interface SeasonView {
  aspect: Aspect
  /** As unlikely is what is seen, by all views of the series. */
  pValue: number
  expected: number
  seen: number
  calls: number
  /** The calls that were due. */
  due: number
  /** Whether it is so far on the bad side that it is worth telling, and by more than its count allows. */
  isFar: boolean
  /** Whether this time of the week by itself makes it surprising. */
  isOutOfSeason: boolean
}

/** A departure that goes on. */
interface Run {
  sinceMs: number
  lastMs: number
  state: 'begun' | 'told'
}

/** A departure that is told, and since when it goes on. */
export interface ToldView extends SeasonView {
  sinceMs: number
}

/**
 * A flow's three series, judged slot by slot. Nothing is said before the season is known. A departure is told once it has lasted,
 * and for as long as it is far from its season; what is told is not learned for a while, so that a second outage is as plain as the first.
 */
export class FlowSeason {
  readonly entry: EntryOperation
  readonly #judges: Readonly<Record<Aspect, SeriesJudge>>
  readonly #runs = new Map<Aspect, Run>()

  constructor(entry: EntryOperation) {
    this.entry = entry
    this.#judges = { traffic: newJudge(), errors: newJudge(), latency: newJudge() }
  }

  /** What the slot from a time on is like against its season, in all aspects in which that is known. */
  views(slotMs: number, counts: SlotCounts): SeasonView[] {
    const usual = this.#judges.traffic.usualAt(slotMs)
    if (usual === null) return []
    const due = Math.max(0, usual) ** 2
    return aspects.flatMap((aspect) => {
      const value = valueOf(aspect, counts)
      const judge = this.#judges[aspect]
      const season = judge.usualAt(slotMs)
      if (value === undefined || season === null) return []
      const { pValue, views } = judge.at(slotMs, value)
      const [expected, seen] = [amountOf(aspect, season), amountOf(aspect, value)]
      return [
        {
          aspect,
          pValue,
          expected,
          seen,
          calls: counts.calls,
          due,
          isFar: isFar(aspect, { expected, seen, counts }),
          isOutOfSeason: views.season >= seasons.seasonSurpriseMin,
        },
      ]
    })
  }

  /** Takes note of the views of a time, and tells those that have lasted. `pValueMax` is significant over all flows. */
  follow(untilMs: number, views: readonly SeasonView[], pValueMax: number): ToldView[] {
    const seen = new Map(views.map((view) => [view.aspect, view]))
    return aspects.flatMap((aspect) => {
      const view = seen.get(aspect)
      const known = this.#runs.get(aspect)
      // A time that was not looked at breaks nothing; a longer one does.
      const run = known !== undefined && untilMs - known.lastMs <= seasons.slotMs ? known : undefined
      const isSignificant = view !== undefined && view.isOutOfSeason && view.pValue <= pValueMax
      if (view === undefined || !view.isFar || !(isSignificant || run?.state === 'told')) {
        this.#runs.delete(aspect)
        return []
      }
      const sinceMs = run?.sinceMs ?? untilMs - seasons.slotMs
      const hasLasted = untilMs - sinceMs >= seasons.slotMs + seasons.lastsMs
      this.#runs.set(aspect, { sinceMs, lastMs: untilMs, state: hasLasted ? 'told' : 'begun' })
      return hasLasted ? [{ ...view, sinceMs }] : []
    })
  }

  /** Learns a whole slot, but for what departs from it just now. */
  learn(slotMs: number, counts: SlotCounts): void {
    for (const aspect of aspects) {
      const value = valueOf(aspect, counts)
      const run = this.#runs.get(aspect)
      const isHeld = run !== undefined && slotMs - run.sinceMs < seasons.holdMs
      if (value !== undefined && !isHeld) this.#judges[aspect].push(slotMs, value)
    }
  }
}

const aspects = ['traffic', 'errors', 'latency'] as const

function newJudge(): SeriesJudge {
  return new SeriesJudge({
    season: new WeekProfile(seasons.week),
    tail: seasons.tail,
    delayPoints: seasons.delayPoints,
  })
}

/**
 * A slot as a number of which chance moves large ones about as much as small ones: the square root of a count, the arcsine of a share's (Anscombe
 * 1948), the mean of the logarithms of times. `undefined` where calls are too few to tell.
 */
function valueOf(aspect: Aspect, { calls, errors, buckets }: SlotCounts): number | undefined {
  if (aspect === 'traffic') return Math.sqrt(calls)
  if (calls < seasons.callsMin) return undefined
  return aspect === 'latency' ? buckets / calls : Math.asin(Math.sqrt((errors + 3 / 8) / (calls + 3 / 4)))
}

/** The amount that such a number stands for. */
function amountOf(aspect: Aspect, value: number): number {
  switch (aspect) {
    case 'traffic':
      return Math.max(0, value) ** 2
    case 'errors':
      return Math.sin(Math.max(0, value)) ** 2
    case 'latency':
      return bucketMiddle(value)
  }
}

function isFar(
  aspect: Aspect,
  { expected, seen, counts: { calls, errors } }: { expected: number; seen: number; counts: SlotCounts },
): boolean {
  switch (aspect) {
    case 'traffic': {
      const { dueMin, shareMax, pValueMax } = seasons.traffic
      if (expected < dueMin || seen > expected * shareMax) return false
      return negativeBinomialAtMost({ k: calls, expected, dispersion: parameters.callsDispersion }) <= pValueMax
    }
    case 'errors': {
      const { shareRiseMin, pValueMax } = seasons.errors
      if (seen - expected < shareRiseMin) return false
      const chance = {
        k: errors,
        n: calls,
        badBefore: expected * trustedSlots * calls,
        callsBefore: trustedSlots * calls,
      }
      return betaBinomialTail(chance) <= pValueMax
    }
    case 'latency': {
      const { factorMin, riseMinNs } = seasons.latency
      return seen >= expected * factorMin && seen - expected >= riseMinNs
    }
  }
}

/** An expected share is the median of a week: it is as good as that of so many slots. */
const trustedSlots = 10
