import type { AttributeValue, Attributes } from '@opentelemetry/api'

/** Bounds of one kind of attributes. */
export interface AttributeLimits {
  countMax: number
  /** Longest text of a value, in UTF-16 units. */
  valueCharsMax: number
}

/** Values within values go no deeper; what is below is left out. */
const depthMax = 8

/** Attributes in the order in which they came, each key once. What exceeds the limit is counted. */
export class AttributeList {
  readonly keys: string[] = []
  readonly values: AttributeValue[] = []
  dropped = 0

  set(key: string, value: AttributeValue, limits: AttributeLimits): void {
    if (value === undefined || value === null || typeof key !== 'string' || key === '') return
    const kept = keepable(value, limits.valueCharsMax, 0)
    if (kept === undefined) return
    const at = this.keys.indexOf(key)
    if (at !== -1) {
      this.values[at] = kept
    } else if (this.keys.length < limits.countMax) {
      this.keys.push(key)
      this.values.push(kept)
    } else {
      this.dropped += 1
    }
  }

  setAll(attributes: Attributes | undefined, limits: AttributeLimits): void {
    for (const key in attributes) this.set(key, attributes[key], limits)
  }

  get(key: string): AttributeValue {
    const at = this.keys.indexOf(key)
    return at === -1 ? undefined : this.values[at]
  }

  toObject(): Attributes {
    return Object.fromEntries(this.keys.map((key, index) => [key, this.values[index]]))
  }
}

/** The value as it is kept: cut where it is too long, copied where its owner could change it, `undefined` if it is none. */
function keepable(value: unknown, charsMax: number, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > charsMax ? value.slice(0, charsMax) : value
    case 'number':
    case 'boolean':
    case 'bigint':
      return value
    case 'object':
      if (value === null) return null
      if (value instanceof Uint8Array) return value.slice(0, charsMax)
      if (depth >= depthMax) return undefined
      if (Array.isArray(value)) return value.map((each) => keepable(each, charsMax, depth + 1) ?? null)
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, keepable(each, charsMax, depth + 1)]))
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined
  }
}
