import type { Store } from '@headwater/store'
import { type Books, insertBooks } from './books.ts'

/** Losses that wait to be booked. They are few, or a disk is dying; beyond, the log keeps them to be told again. */
const waitingMax = 1_000
const againAfterMs = 2_000

/** Books what was lost, whenever ClickHouse takes it, and tells the log so: until then the log tells it again when opened. */
export class LossBooks {
  readonly #store: Store
  readonly #waiting: { books: Books; confirm: () => void }[] = []
  #timer: NodeJS.Timeout | undefined
  #booking: Promise<void> | undefined
  #isStopped = false

  constructor(store: Store) {
    this.#store = store
  }

  /** Whether losses that the log tells again by itself should be left to it. */
  get isFull(): boolean {
    return this.#waiting.length >= waitingMax
  }

  /** `confirm` is called once the books have it. */
  add(books: Books, confirm: () => void): void {
    this.#waiting.push({ books, confirm })
    void this.#book()
  }

  /** Resolves once all is booked. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isStopped) {
      await this.#book()
      if (this.#waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #book(): Promise<void> {
    return (this.#booking ??= this.#bookAll().finally(() => (this.#booking = undefined)))
  }

  async #bookAll(): Promise<void> {
    clearTimeout(this.#timer)
    for (let first = this.#waiting[0]; first !== undefined && !this.#isStopped; first = this.#waiting[0]) {
      const { kind } = await insertBooks(this.#store, first.books)
      if (kind !== 'stored') {
        this.#timer = setTimeout(() => void this.#book(), againAfterMs)
        return
      }
      this.#waiting.shift()
      first.confirm()
    }
  }
}
