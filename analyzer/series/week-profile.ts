import { DayProfile, type DayProfileOptions } from './day-profile.ts'

/** What a series usually is at a time; `null` while too little is known. */
export interface Season {
  expected(timeMs: number): number | null
  push(timeMs: number, value: number): void
}

/**
 * What a series usually is at a time of day, weekdays and weekends apart: after a week of 9 on weekdays and 2 on the weekend, 2 is
 * expected on Saturday. By the clock of the process's time zone, by which people and their batches go when it changes.
 */
export class WeekProfile implements Season {
  readonly #weekdays: DayProfile
  readonly #weekend: DayProfile

  constructor(options: DayProfileOptions) {
    this.#weekdays = new DayProfile(options)
    this.#weekend = new DayProfile(options)
  }

  expected(timeMs: number): number | null {
    const time = new Date(timeMs)
    return this.#of(time).expected(byTheClock(time))
  }

  push(timeMs: number, value: number): void {
    const time = new Date(timeMs)
    this.#of(time).push(byTheClock(time), value)
  }

  #of(time: Date): DayProfile {
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
