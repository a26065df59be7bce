// Protobuf's JSON mapping, read field by field: null is a field that did not come, 64-bit integers are text or numbers.
// What is of a wrong kind is an error that says where it stands, what it is and what it should be.
import { TooLarge } from './too-large.ts'

/** An object of the body, and where it stands there. */
export class JsonFields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #owner: JsonFields | undefined
  readonly #name: string
  readonly #index: number

  /** `name` is the field of its owner that holds it, `index` its place where that is a list. */
  constructor(value: unknown, owner?: JsonFields, name = '', index = -1) {
    this.#owner = owner
    this.#name = name
    this.#index = index
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(this.path, value, 'an object')
    this.#fields = value as Record<string, unknown>
  }

  /** Where it stands, put together only when an error tells it. */
  get path(): string {
    if (this.#owner === undefined) return ''
    return this.#owner.#at(this.#name) + (this.#index < 0 ? '' : `[${this.#index}]`)
  }

  /** Undefined when the field did not come. */
  get(name: string): unknown {
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
    return value ?? undefined
  }

  text(name: string): string {
    const value = this.get(name)
    if (value === undefined) return ''
    if (typeof value !== 'string') throw wrong(this.#at(name), value, 'text')
    // Half a surrogate pair has no UTF-8.
    return value.toWellFormed()
  }

  boolean(name: string): boolean {
    const value = this.get(name) ?? false
    if (typeof value !== 'boolean') throw wrong(this.#at(name), value, 'true or false')
    return value
  }

  integer(name: string, { min, max }: { min: bigint; max: bigint }): bigint {
    const value = this.get(name) ?? 0
    const integer = toInteger(value)
    if (integer === undefined || integer < min || integer > max) {
      throw wrong(this.#at(name), value, `an integer from ${min} to ${max}, as a number or as text`)
    }
    return integer
  }

  uint32(name: string): number {
    return Number(this.integer(name, { min: 0n, max: 0xffff_ffffn }))
  }

  uint64(name: string): bigint {
    return this.integer(name, { min: 0n, max: 0xffff_ffff_ffff_ffffn })
  }

  double(name: string): number {
    const value = this.get(name) ?? 0
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
    if (Number.isNaN(number) && value !== 'NaN') throw wrong(this.#at(name), value, 'a number, "NaN" or "Infinity"')
    return number
  }

  /** Base64, of either alphabet. */
  bytes(name: string): Uint8Array {
    const value = this.get(name) ?? ''
    if (typeof value !== 'string' || !/^[\w+/-]*={0,2}$/.test(value)) throw wrong(this.#at(name), value, 'base64')
    return Uint8Array.from(Buffer.from(value, 'base64'))
  }

  /** A number of an enumeration; unknown numbers are kept, as protobuf keeps them. */
  enumeration(name: string, names: readonly string[]): number {
    const value = this.get(name) ?? 0
    const number = typeof value === 'string' && names.includes(value) ? BigInt(names.indexOf(value)) : toInteger(value)
    if (number === undefined || BigInt.asIntN(32, number) !== number) {
      throw wrong(this.#at(name), value, `a number or one of ${names.join(', ')}`)
    }
    return Number(number)
  }

  /** Undefined when the field did not come. */
  message(name: string): JsonFields | undefined {
    const value = this.get(name)
    return value === undefined ? undefined : new JsonFields(value, this, name)
  }

  messages(name: string): JsonFields[] {
    return this.#list(name).map((item, index) => new JsonFields(item, this, name, index))
  }

  /** The messages of a list one at a time, the last one first. */
  *messagesFromLast(name: string): Generator<JsonFields> {
    const items = this.#list(name)
    for (let index = items.length - 1; index >= 0; index -= 1) yield new JsonFields(items[index], this, name, index)
  }

  #list(name: string): readonly unknown[] {
    const value = this.get(name) ?? []
    if (!Array.isArray(value)) throw wrong(this.#at(name), value, 'a list')
    return value
  }

  #at(name: string): string {
    const { path } = this
    return path === '' ? name : `${path}.${name}`
  }
}

/** What one body may take once parsed: a small body can hold millions of empty objects. */
export interface JsonLimits {
  /** Objects and lists together; values may be some times as many. */
  objectsMax: number
}

const valuesPerObject = 4

/** Parses a body. Integers that a double cannot hold come as bigint; throws `TooLarge` for what would take too much. */
export function parseJson(body: Uint8Array, { objectsMax }: JsonLimits): JsonFields {
  const { objects, values } = countParts(body)
  if (objects > objectsMax) throw new TooLarge(`The body has more than ${objectsMax} JSON objects and lists`)
  if (values > objectsMax * valuesPerObject) {
    throw new TooLarge(`The body has more than ${objectsMax * valuesPerObject} JSON values`)
  }
  const text = new TextDecoder().decode(body)
  // Exact integers cost a call per value, so only for bodies that may have some.
  const hasLongIntegers = /[:[,]\s*-?\d{16}/.test(text)
  return new JsonFields(hasLongIntegers ? JSON.parse(text, keepExact) : JSON.parse(text))
}

const quote = '"'.charCodeAt(0)
const backslash = '\\'.charCodeAt(0)
const brace = '{'.charCodeAt(0)
const bracket = '['.charCodeAt(0)
const comma = ','.charCodeAt(0)

/** What parsing would make, by the signs outside of texts. */
function countParts(body: Uint8Array): { objects: number; values: number } {
  let objects = 0
  let values = 0
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at] as number
    if (byte === brace || byte === bracket) objects += 1
    else if (byte === comma) values += 1
    else if (byte === quote) {
      for (at += 1; at < body.length && body[at] !== quote; at += 1) if (body[at] === backslash) at += 1
    }
  }
  return { objects, values }
}

function keepExact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  return context?.source !== undefined && /^-?\d{1,40}$/.test(context.source) ? BigInt(context.source) : value
}

function toInteger(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && /^-?\d{1,40}$/.test(value) ? BigInt(value) : undefined
}

function wrong(path: string, value: unknown, expected: string): Error {
  const plain = (_key: string, item: unknown): unknown => (typeof item === 'bigint' ? Number(item) : item)
  const shown = typeof value === 'bigint' ? String(value) : (JSON.stringify(value, plain) ?? String(value))
  const short = shown.length > 80 ? `${shown.slice(0, 80)}…` : shown
  return new TypeError(`${path === '' ? 'The body' : path} is ${short}, expected ${expected}`)
}
