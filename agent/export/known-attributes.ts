// Most attributes of a service come again and again: its routes, methods, peers, status codes. What they look like in bytes is
// kept, which is a third of the work on a span.

/** More keys than any set of conventions that a service uses. */
const keysMax = 256
/** Of a key so many values are kept; a new one takes the place of the oldest. */
const valuesMax = 8
const valueCharsMax = 64
/** A key whose values are new so often in a row has ever new ones, and is no longer looked up. */
const missesMax = 64

interface KnownKey {
  values: (string | number)[]
  fields: Uint8Array[]
  /** Where the next value goes. */
  next: number
  misses: number
}

/** Encoded fields of attributes, by key and value. */
export class KnownAttributes {
  readonly #keys = new Map<string, KnownKey>()

  get(key: string, value: string | number): Uint8Array | undefined {
    const known = this.#keys.get(key)
    if (known === undefined || known.misses > missesMax) return undefined
    for (let index = 0; index < known.values.length; index += 1) {
      if (known.values[index] === value) {
        known.misses = 0
        return known.fields[index]
      }
    }
    return undefined
  }

  /** Keeps a copy of `field`, if it may come again. */
  add(key: string, value: string | number, field: Uint8Array): void {
    let known = this.#keys.get(key)
    if (known === undefined) {
      if (this.#keys.size >= keysMax) return
      known = { values: [], fields: [], next: 0, misses: 0 }
      this.#keys.set(key, known)
    }
    known.misses += 1
    if (known.misses > missesMax || (typeof value === 'string' && value.length > valueCharsMax)) return
    known.values[known.next] = value
    known.fields[known.next] = Uint8Array.from(field)
    known.next = (known.next + 1) % valuesMax
  }
}
