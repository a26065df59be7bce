// Most attributes of a service come again and again: its routes, methods, peers, status codes. What they look like in bytes is
// kept, which is half of the work on a span.

import { type KeptBytes, kept } from './protobuf.ts'

/** More keys than any set of conventions that a service uses. */
const keysMax = 256
/** Of a key so many values are kept; a new one takes the place of the oldest. */
const valuesMax = 8
/** So that all that is kept has at most half a megabyte. */
const valueCharsMax = 160
/** A key whose values are new so often in a row has ever new ones, and they are no longer looked up. */
const missesMax = 64

/** A power of two. */
const placesMax = 256

/** What is known of one key. */
export class KnownKey {
  readonly key: string
  /** The key as a field. */
  readonly field: KeptBytes
  readonly #values: (string | number)[] = []
  readonly #fields: KeptBytes[] = []
  /** Where the next value goes. */
  #next = 0
  #misses = 0

  constructor(key: string, field: Uint8Array) {
    this.key = key
    this.field = kept(field)
  }

  /** The encoded attribute, if it has come before. */
  find(value: string | number): KeptBytes | undefined {
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
    this.#fields[this.#next] = kept(field)
    this.#next = (this.#next + 1) % valuesMax
  }
}

/** Encoded attributes, by key and value. */
export class KnownAttributes {
  readonly #keys = new Map<string, KnownKey>()
  /** Spans of one kind have the same keys at the same places: to compare is cheaper than to look up. */
  readonly #lastAt = Array.from<KnownKey | undefined>({ length: placesMax })
  readonly #encodeKey: (key: string) => Uint8Array

  constructor(encodeKey: (key: string) => Uint8Array) {
    this.#encodeKey = encodeKey
  }

  /** What is known of `key`, which stands at `place`; nothing of one for which there is no room. */
  of(key: string, place = 0): KnownKey | undefined {
    const last = this.#lastAt[place & (placesMax - 1)]
    if (last !== undefined && last.key === key) return last
    const known = this.#keys.get(key) ?? this.#made(key)
    this.#lastAt[place & (placesMax - 1)] = known
    return known
  }

  #made(key: string): KnownKey | undefined {
    if (this.#keys.size >= keysMax || key.length > valueCharsMax) return undefined
    const made = new KnownKey(key, this.#encodeKey(key))
    this.#keys.set(key, made)
    return made
  }
}
