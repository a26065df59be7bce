/** How many messages may go out at once, and how fast they may follow. Time is given, not read. */
export class RateLimit {
  readonly #messages: number
  readonly #perMs: number
  #tokens: number
  #atMs: number

  constructor({ messages, perMs }: { messages: number; perMs: number }, nowMs: number) {
    this.#messages = messages
    this.#perMs = perMs
    this.#tokens = messages
    this.#atMs = nowMs
  }

  /** Whole messages that may go out now. */
  available(nowMs: number): number {
    const grown = (Math.max(nowMs - this.#atMs, 0) * this.#messages) / this.#perMs
    this.#tokens = Math.min(this.#tokens + grown, this.#messages)
    this.#atMs = nowMs
    // Sums of fractions miss whole numbers by a little.
    return Math.floor(this.#tokens + 1e-9)
  }

  /** Counts one that went out. */
  take(): void {
    this.#tokens -= 1
  }
}
