import { DayProfile, type DayProfileOptions } from './day-profile.ts'

/** What a series usually is at a time; `null` while too little is known. */
export interface Season {
  expected(timeMs: number): number | null
  push(timeMs: number, value: number): void
}

/** The days of a kind that are known. */
interface Days {
  profile: DayProfile
  known: number
  /** The latest, by the clock of the process, counted from 1970. */
  latest: number
}

/**
 * What a series usually is at a time of day, weekdays and weekends apart: after two weeks of 9 on weekdays and 2 on the weekend, 2 is
 * expected on Saturday. Of each kind `daysMin` days before the present one have to be known. By the clock of the process's time zone, by
 * which people and their batches go when it changes.
 */
export class WeekProfile implements Season {
  readonly #daysMin: number
  readonly #weekdays: Days
  readonly #weekend: Days

  constructor(options: DayProfileOptions) {
    this.#daysMin = options.daysMin
    this.#weekdays = { profile: new DayProfile(options), known: 0, latest: -Infinity }
    this.#weekend = { profile: new DayProfile(options), known: 0, latest: -Infinity }
  }

  expected(timeMs: number): number | null {
    const time = new Date(timeMs)
    const { profile, known, latest } = this.#of(time)
    const before = latest === dayOf(time) ? known - 1 : known
    return before < this.#daysMin ? null : profile.expected(byTheClock(time))
  }

  push(timeMs: number, value: number): void {
    const time = new Date(timeMs)
    const days = this.#of(time)
    const day = dayOf(time)
    if (day > days.latest) {
      days.known += 1
      days.latest = day
    }
    days.profile.push(byTheClock(time), value)
  }

  #of(time: Date): Days {
    return isOfWeekend(time) ? this.#weekend : this.#weekdays
  }
}

/** Whether it is Saturday or Sunday where the process is. */
export function isOfWeekend(time: Date): boolean {
  return time.getDay() % 6 === 0
}

function byTheClock(time: Date): number {
  return time.getTime() - time.getTimezoneOffset() * 60_000
}

function dayOf(time: Date): number {
  return Math.floor(byTheClock(time) / 86_400_000)
}
