// Most attributes of a service come again and again: its routes, methods, peers, status codes. What they look like in bytes is
// kept, which is half of the work on a span.

/** More keys than any set of conventions that a service uses. */
const keysMax = 256
/** Of a key so many values are kept; a new one takes the place of the oldest. */
const valuesMax = 8
/** So that all that is kept has at most half a megabyte. */
const valueCharsMax = 160
/** A key whose values are new so often in a row has ever new ones, and they are no longer looked up. */
const missesMax = 64

/** What is known of one key. */
export class KnownKey {
  /** The key as a field. */
  readonly field: Uint8Array
  readonly #values: (string | number)[] = []
  readonly #fields: Uint8Array[] = []
  /** Where the next value goes. */
  #next = 0
  #misses = 0

  constructor(field: Uint8Array) {
    this.field = field
  }

  /** The encoded attribute, if it has come before. */
  find(value: string | number): Uint8Array | undefined {
    if (this.#misses > missesMax) return undefined
    const values = this.#values
    for (let index = 0; index < values.length; index += 1) {
      if (values[index] === value) {
        this.#misses = 0
        return this.#fields[index]
      }
    }
    this.#misses += 1
    return undefined
  }

  /** Whether a value that was not found may come again. */
  isKept(value: string | number): boolean {
    return this.#misses <= missesMax && (typeof value === 'number' || value.length <= valueCharsMax)
  }

  /** Keeps a copy of the encoded attribute. */
  keep(value: string | number, field: Uint8Array): void {
    this.#values[this.#next] = value
    this.#fields[this.#next] = Uint8Array.from(field)
    this.#next = (this.#next + 1) % valuesMax
  }
}

/** Encoded attributes, by key and value. */
export class KnownAttributes {
  readonly #keys = new Map<string, KnownKey>()
  readonly #encodeKey: (key: string) => Uint8Array

  constructor(encodeKey: (key: string) => Uint8Array) {
    this.#encodeKey = encodeKey
  }

  /** What is known of `key`; nothing of one for which there is no room. */
  of(key: string): KnownKey | undefined {
    const known = this.#keys.get(key)
    if (known !== undefined || this.#keys.size >= keysMax || key.length > valueCharsMax) return known
    const made = new KnownKey(this.#encodeKey(key))
    this.#keys.set(key, made)
    return made
  }
}
