/**
 * Lets through only what is higher than all of the last values: an incident that goes on is not told again, one that gets worse
 * is. Of 5, 7, 6, 7 and 9 it lets 5, 7 and 9 through; the others become 0.
 */
export class News {
  readonly #points: number
  /** Values that may still be the highest, falling. */
  #highest: { index: number; value: number }[] = []
  #index = 0

  /** How many values back it looks. */
  constructor(points: number) {
    this.#points = points
  }

  push(value: number): number {
    const oldest = this.#index - this.#points
    if ((this.#highest[0]?.index ?? oldest) < oldest) this.#highest.shift()
    const isRecord = value > (this.#highest[0]?.value ?? -Infinity)
    while ((this.#highest.at(-1)?.value ?? Infinity) <= value) this.#highest.pop()
    this.#highest.push({ index: this.#index, value })
    this.#index += 1
    return isRecord ? value : 0
  }
}
