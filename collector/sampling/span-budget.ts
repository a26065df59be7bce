// How large the chance of a span must be, so that as many are kept as the budget says. Rates are measured and the chance
// follows from them: nothing is fed back, so nothing swings.
//
// Spans that are certain (of runs with trouble) are taken whole as long as they leave a tenth of the budget to the rest,
// since what is normal must still be seen beside what is not. When they come to more than that, as in an outage where
// everything fails, they are thinned as well, by the same hash and with their weight, and the budget holds.

const slotMs = 100
/** Rates forget by e in this time: short enough to follow a step within two seconds, long enough to even out requests. */
const memoryMs = 600
/** What the rest may have of the budget, however much is certain. */
const restShare = 0.1
/** A chance that is right within so much stays as it is: each change of it cuts the runs that are on their way. */
const deadBand = 0.03
/** Budget that a quiet time saves, in seconds: a single large request after silence is not too much. */
const savedMaxS = 0.2
/**
 * The last resort, for what comes faster than rates can be measured and for flow IDs that were picked to be lucky: never more
 * than twice the budget in the long run, or ten seconds of it at once. No weight makes up for what it sheds; the counts have it.
 */
const ceiling = { factor: 2, burstS: 10 }

/** Owns the measured rates. Time and what comes are told to it. */
export class SpanBudget {
  /** The chance of a span that nothing speaks for. */
  chance = 1
  /** The chance of one of a run with trouble; never the smaller one. */
  certainChance = 1
  readonly #spansPerSecond: number
  #certain = 0
  #rest = 0
  #certainRate = 0
  #restRate = 0
  #slotStartMs = -Infinity
  #refilledMs = -Infinity
  #savedS = savedMaxS
  #room: number

  constructor(spansPerSecond: number) {
    this.#spansPerSecond = spansPerSecond
    this.#room = spansPerSecond * ceiling.burstS
  }

  /** Lets time pass; a clock that jumps is followed from where it is. */
  advance(nowMs: number): void {
    const refillMs = Math.min(ceiling.burstS * 1_000, Math.max(0, nowMs - this.#refilledMs))
    this.#refilledMs = nowMs
    const budget = this.#spansPerSecond
    this.#room = Math.min(budget * ceiling.burstS, this.#room + (refillMs / 1_000) * budget * ceiling.factor)
    const elapsedMs = nowMs - this.#slotStartMs
    if (elapsedMs >= 0 && elapsedMs < slotMs) return
    this.#slotStartMs = nowMs
    if (elapsedMs < 0 || elapsedMs === Infinity) return
    const kept = Math.exp(-elapsedMs / memoryMs)
    this.#certainRate = this.#certainRate * kept + (1 - kept) * ((this.#certain * 1_000) / elapsedMs)
    this.#restRate = this.#restRate * kept + (1 - kept) * ((this.#rest * 1_000) / elapsedMs)
    this.#certain = 0
    this.#rest = 0
    const excess = (this.#certainRate + this.#restRate) / budget - 1
    this.#savedS = Math.min(savedMaxS, Math.max(0, this.#savedS - (excess * elapsedMs) / 1_000))
    this.#choose(excess)
  }

  /** Counts a span that came. */
  note(isCertain: boolean): void {
    if (isCertain) this.#certain += 1
    else this.#rest += 1
  }

  /** Takes the room of one span below the ceiling, if there is any. */
  take(): boolean {
    if (this.#room < 1) return false
    this.#room -= 1
    return true
  }

  #choose(excess: number): void {
    if (excess <= 0 || this.#savedS > 0) {
      this.chance = 1
      this.certainChance = 1
      return
    }
    const budget = this.#spansPerSecond
    const certain = this.#certainRate
    const rest = this.#restRate
    const restBudget = Math.min(rest, Math.max(budget - certain, budget * restShare))
    const certainBudget = Math.min(certain, budget - restBudget)
    const chance = rest > 0 ? restBudget / rest : 1
    const certainChance = certain > 0 ? certainBudget / certain : 1
    // Where little comes beside an outage, all are treated alike rather than failures worse than the rest.
    const alike = budget / (certain + rest)
    const isWorse = certainChance < chance
    this.chance = near(this.chance, isWorse ? alike : chance)
    this.certainChance = Math.max(this.chance, near(this.certainChance, isWorse ? alike : certainChance))
  }
}

function near(now: number, wanted: number): number {
  return wanted < 1 && Math.abs(wanted / now - 1) <= deadBand ? now : wanted
}
