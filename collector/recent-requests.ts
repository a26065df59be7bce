// A sender that got no answer sends the same bytes again. Those that are still known are not taken twice: they wait for the
// fate of the first. What is not known any more is taken again, and removed when it is settled and read.

import { hash } from 'node:crypto'

export interface RecentRequestsOptions {
  requestsMax: number
  forgetAfterMs: number
}

export interface Known<Fate> {
  fate: Promise<Fate>
  atMs: number
}

/** Remembers requests by their bytes, the newest so many, for some time. */
export class RecentRequests<Fate> {
  readonly #options: RecentRequestsOptions
  readonly #known = new Map<string, Known<Fate>>()

  constructor(options: RecentRequestsOptions) {
    this.#options = options
  }

  /** What names a request: who sent it where, and its bytes as they were sent. */
  static nameOf(body: Uint8Array, ...sender: string[]): string {
    return `${hash('sha256', body, 'base64')} ${sender.join(' ')}`
  }

  get(name: string, nowMs: number): Promise<Fate> | undefined {
    const known = this.#known.get(name)
    return known !== undefined && nowMs - known.atMs <= this.#options.forgetAfterMs ? known.fate : undefined
  }

  /** Remembers a request unless it fails: then its next copy is a new one. */
  add(name: string, fate: Promise<Fate>, nowMs: number): void {
    for (const [oldest, { atMs }] of this.#known) {
      const isOver = this.#known.size >= this.#options.requestsMax
      if (!isOver && nowMs - atMs <= this.#options.forgetAfterMs) break
      this.#known.delete(oldest)
    }
    const known = { fate, atMs: nowMs }
    this.#known.set(name, known)
    fate.catch(() => {
      if (this.#known.get(name) === known) this.#known.delete(name)
    })
  }
}
