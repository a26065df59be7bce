/** A closed interval of sequence numbers. */
export type Interval = readonly [first: number, last: number]

/** A set of sequence numbers as closed intervals in order, joined where they touch: small however many numbers it has. */
export class Sequences {
  readonly #intervals: [number, number][] = []

  constructor(intervals: Iterable<Interval> = []) {
    for (const [first, last] of intervals) this.add(first, last)
  }

  get intervals(): readonly Interval[] {
    return this.#intervals
  }

  get last(): number | undefined {
    return this.#intervals.at(-1)?.[1]
  }

  has(sequence: number): boolean {
    const interval = this.#intervals[this.#firstEndingAtOrAfter(sequence)]
    return interval !== undefined && interval[0] <= sequence
  }

  add(first: number, last: number = first): void {
    if (last < first) return
    const from = this.#firstEndingAtOrAfter(first - 1)
    let to = from
    let joined: [number, number] = [first, last]
    for (let next = this.#intervals[to]; next !== undefined && next[0] <= last + 1; next = this.#intervals[to]) {
      joined = [Math.min(joined[0], next[0]), Math.max(joined[1], next[1])]
      to += 1
    }
    this.#intervals.splice(from, to - from, joined)
  }

  remove(first: number, last: number): void {
    const from = this.#firstEndingAtOrAfter(first)
    let to = from
    const left: [number, number][] = []
    for (let next = this.#intervals[to]; next !== undefined && next[0] <= last; next = this.#intervals[to]) {
      if (next[0] < first) left.push([next[0], first - 1])
      if (next[1] > last) left.push([last + 1, next[1]])
      to += 1
    }
    this.#intervals.splice(from, to - from, ...left)
  }

  /** The intervals between `first` and `last` that are not in the set. */
  missing(first: number, last: number): Interval[] {
    const gaps: Interval[] = []
    let next = first
    for (const [start, end] of this.#intervals) {
      if (start > last) break
      if (start > next) gaps.push([next, start - 1])
      next = Math.max(next, end + 1)
    }
    if (next <= last) gaps.push([next, last])
    return gaps
  }

  #firstEndingAtOrAfter(sequence: number): number {
    let low = 0
    let high = this.#intervals.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#intervals[middle]?.[1] ?? Infinity) < sequence) low = middle + 1
      else high = middle
    }
    return low
  }
}
