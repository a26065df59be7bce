/**
 * The last values of a series in order of size, so that each quantile is at hand. A value costs one search and one move of
 * memory; the window is bounded. After 5, 1, 3 the median is 3.
 */
export class SortedWindow {
  readonly #arrived: Float64Array
  readonly #sorted: Float64Array
  #count = 0
  #next = 0

  constructor(size: number) {
    this.#arrived = new Float64Array(size)
    this.#sorted = new Float64Array(size)
  }

  get count(): number {
    return this.#count
  }

  get median(): number {
    const middle = this.#count >> 1
    return this.#count % 2 === 1 ? this.at(middle) : (this.at(middle - 1) + this.at(middle)) / 2
  }

  /** The value at a rank: 0 is the smallest. */
  at(rank: number): number {
    return this.#sorted[rank] ?? Number.NaN
  }

  /** How many values are smaller. */
  below(value: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.at(middle) < value) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How many values are smaller or the same. */
  atMost(value: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.at(middle) <= value) low = middle + 1
      else high = middle
    }
    return low
  }

  push(value: number): void {
    if (this.#count === this.#arrived.length) this.#forget(this.#arrived[this.#next] ?? Number.NaN)
    const rank = this.below(value)
    this.#sorted.copyWithin(rank + 1, rank, this.#count)
    this.#sorted[rank] = value
    this.#count += 1
    this.#arrived[this.#next] = value
    this.#next = (this.#next + 1) % this.#arrived.length
  }

  #forget(value: number): void {
    const rank = this.below(value)
    this.#sorted.copyWithin(rank, rank + 1, this.#count)
    this.#count -= 1
  }
}
