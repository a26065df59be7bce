import { Refusal } from './refusal.ts'

/** What one request holds of the bytes that all requests may hold together. */
export interface Hold {
  /** Counts bytes more, or refuses with 429: the client comes again when others are done. */
  grow(bytes: number): void
  /** Counts bytes that are there already: others are refused for them. */
  charge(bytes: number): void
  release(): void
}

/** Bounds the memory of all requests between their first byte and their answer. */
export class InFlightBytes {
  #bytes = 0
  readonly #bytesMax: number
  readonly #onChange: (bytes: number) => void

  constructor({ bytesMax, onChange }: { bytesMax: number; onChange: (bytes: number) => void }) {
    this.#bytesMax = bytesMax
    this.#onChange = onChange
  }

  hold(): Hold {
    let held = 0
    return {
      grow: (bytes) => {
        if (this.#bytes + bytes > this.#bytesMax) {
          const message = `Requests in flight hold ${this.#bytes} of ${this.#bytesMax} bytes; send this one again later`
          throw new Refusal(429, message, { retryAfterS: 1 })
        }
        held += bytes
        this.#move(bytes)
      },
      charge: (bytes) => {
        held += bytes
        this.#move(bytes)
      },
      release: () => {
        this.#move(-held)
        held = 0
      },
    }
  }

  #move(bytes: number): void {
    this.#bytes += bytes
    this.#onChange(this.#bytes)
  }
}
