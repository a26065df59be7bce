import { SortedWindow } from './sorted-window.ts'

export interface DayProfileOptions {
  /** A day is cut into slots of this length. */
  slotMs: number
  /** So many days are remembered. */
  days: number
  /** A season is believed after so many days. */
  daysMin: number
  /** So many slots before and after belong to a time of day. */
  slotsAround: number
}

/** A slot of the day: its mean on the last days, and when the latest of these began. */
interface Slot {
  means: number[]
  latestMs: number
}

/**
 * What a series usually is at a time of day: the median over the last days of the means of the slots around it. What is less than
 * half a day old does not count, so that a fault of this hour does not become normal. With 1, 2 and 9 on three days,
 * 2 is expected on the fourth.
 */
export class DayProfile {
  readonly #options: DayProfileOptions
  readonly #slots: Slot[]
  #startMs: number | null = null
  /** What was said last: it holds for a whole slot. */
  #told: { slotStartMs: number; expected: number } | null = null
  #open: { slotStartMs: number; sum: number; count: number } | null = null

  constructor(options: DayProfileOptions) {
    this.#options = options
    this.#slots = Array.from({ length: Math.round(dayMs / options.slotMs) }, () => ({ means: [], latestMs: -Infinity }))
  }

  /** `null` while too little is known. */
  expected(timeMs: number): number | null {
    if (this.#startMs === null || timeMs - this.#startMs <= this.#options.daysMin * dayMs) return null
    const { slotMs, slotsAround } = this.#options
    const slotStartMs = timeMs - (timeMs % slotMs)
    if (this.#told !== null && this.#told.slotStartMs === slotStartMs) return this.#told.expected
    const middle = this.#slotOf(timeMs)
    const known: number[] = []
    for (let shift = -slotsAround; shift <= slotsAround; shift += 1) {
      const slot = this.#slots[(middle + shift + this.#slots.length) % this.#slots.length]
      if (slot === undefined) continue
      const isRecent = timeMs - slot.latestMs < dayMs / 2
      known.push(...(isRecent ? slot.means.slice(0, -1) : slot.means))
    }
    if (known.length < meansMin) return null
    const window = new SortedWindow(known.length)
    for (const mean of known) window.push(mean)
    this.#told = { slotStartMs, expected: window.median }
    return window.median
  }

  push(timeMs: number, value: number): void {
    this.#startMs ??= timeMs
    const slotStartMs = timeMs - (timeMs % this.#options.slotMs)
    if (this.#open !== null && this.#open.slotStartMs === slotStartMs) {
      this.#open.sum += value
      this.#open.count += 1
      return
    }
    this.#close()
    this.#open = { slotStartMs, sum: value, count: 1 }
  }

  #close(): void {
    if (this.#open === null) return
    const { slotStartMs, sum, count } = this.#open
    const slot = this.#slots[this.#slotOf(slotStartMs)]
    if (slot === undefined) return
    slot.means.push(sum / count)
    if (slot.means.length > this.#options.days) slot.means.shift()
    slot.latestMs = slotStartMs
  }

  #slotOf(timeMs: number): number {
    const ofDayMs = ((timeMs % dayMs) + dayMs) % dayMs
    return Math.floor(ofDayMs / this.#options.slotMs) % this.#slots.length
  }
}

const dayMs = 86_400_000
/** Fewer means than this have no median worth the name. */
const meansMin = 3
