import type { AttributeValue, Attributes } from '@opentelemetry/api'
import { cutText } from './as-text.ts'

/** Bounds of one kind of attributes. */
export interface AttributeLimits {
  countMax: number
  /** Longest text of a value, in UTF-16 units. */
  valueCharsMax: number
}

const unlimited: AttributeLimits = { countMax: Number.POSITIVE_INFINITY, valueCharsMax: Number.POSITIVE_INFINITY }

/** Values within a value go no deeper, and there are no more of them: a map may contain itself. The rest is left out. */
const depthMax = 8
const valuesMax = 4_096

/** Attributes in the order in which they came, each key once. What exceeds the limit is counted. */
export class AttributeList {
  readonly keys: string[] = []
  readonly values: AttributeValue[] = []
  dropped = 0
  /** How many of them do not count. */
  #exempt = 0

  /** Sets one for which there is always room, and which takes none from the others. */
  setExempt(key: string, value: AttributeValue): void {
    const at = this.keys.indexOf(key)
    if (at === -1) this.#exempt += 1
    this.#set(key, value, unlimited, at)
  }

  set(key: string, value: AttributeValue, limits: AttributeLimits): void {
    if (typeof key === 'string') this.#set(key, value, limits, this.keys.indexOf(key))
  }

  setAll(attributes: Attributes | undefined, limits: AttributeLimits): void {
    if (typeof attributes !== 'object') return
    // Keys of one object differ from each other: in an empty list there is nothing to look for.
    const isEmpty = this.keys.length === 0
    for (const key in attributes) this.#set(key, attributes[key], limits, isEmpty ? -1 : this.keys.indexOf(key))
  }

  #set(key: string, value: AttributeValue, limits: AttributeLimits, at: number): void {
    if (key === '') return
    const kept =
      typeof value === 'object' ? keptObject(value, limits.valueCharsMax) : keptScalar(value, limits.valueCharsMax)
    if (kept === undefined) return
    if (at !== -1) {
      this.values[at] = kept
    } else if (this.keys.length - this.#exempt < limits.countMax) {
      this.keys.push(key)
      this.values.push(kept)
    } else {
      this.dropped += 1
    }
  }

  get(key: string): AttributeValue {
    const at = this.keys.indexOf(key)
    return at === -1 ? undefined : this.values[at]
  }

  toObject(): Attributes {
    return Object.fromEntries(this.keys.map((key, index) => [key, this.values[index]]))
  }
}

/** A value as it is kept: cut where it is too long, `undefined` if it is none. */
function keptScalar(value: unknown, charsMax: number): string | number | boolean | bigint | undefined {
  switch (typeof value) {
    case 'string':
      return cutText(value, charsMax)
    case 'number':
    case 'boolean':
    case 'bigint':
      return value
    case 'object':
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined
  }
}

/** The same of lists and maps, which are copied, since their owner may change them. Instances of classes are no values. */
function keptObject(object: object | null, charsMax: number): AttributeValue {
  let left = valuesMax

  function kept(value: unknown, depth: number): unknown {
    left -= 1
    if (typeof value !== 'object') return keptScalar(value, charsMax)
    if (value === null) return null
    if (value instanceof Uint8Array) return new Uint8Array(value.subarray(0, charsMax))
    if (depth >= depthMax) return undefined
    if (Array.isArray(value)) return value.slice(0, Math.max(left, 0)).map((each) => kept(each, depth + 1) ?? null)
    return isPlain(value) ? keptMap(value, depth) : undefined
  }

  function keptMap(map: object, depth: number): object {
    const entries: [string, unknown][] = []
    for (const [key, value] of Object.entries(map)) {
      if (left <= 0) break
      const each = kept(value, depth + 1)
      if (each !== undefined) entries.push([key, each])
    }
    return Object.fromEntries(entries)
  }

  return kept(object, 0)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
