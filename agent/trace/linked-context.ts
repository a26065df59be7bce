// The API's own context copies all its values, and makes three functions, for each value that is set; a request sets four.

import { type Context, ROOT_CONTEXT } from '@opentelemetry/api'

/** A context within a context within a context would otherwise grow for ever. */
const depthMax = 16

class LinkedContext implements Context {
  readonly key: symbol
  readonly value: unknown
  readonly rest: LinkedContext | undefined
  readonly depth: number

  constructor(key: symbol, value: unknown, rest: LinkedContext | undefined) {
    this.key = key
    this.value = value
    this.rest = rest
    this.depth = rest === undefined ? 1 : rest.depth + 1
  }

  getValue(key: symbol): unknown {
    if (this.key === key) return this.value
    for (let at = this.rest; at !== undefined; at = at.rest) {
      if (at.key === key) return at.value
    }
    return undefined
  }

  setValue(key: symbol, value: unknown): Context {
    return new LinkedContext(key, value, this.depth < depthMax ? this : withoutRepetition(this))
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined)
  }
}

/** The values that count, each once. */
function withoutRepetition(context: LinkedContext): LinkedContext | undefined {
  const values = new Map<symbol, unknown>()
  for (let at: LinkedContext | undefined = context; at !== undefined; at = at.rest) {
    if (!values.has(at.key)) values.set(at.key, at.value)
  }
  let rest: LinkedContext | undefined
  for (const [key, value] of values) if (value !== undefined) rest = new LinkedContext(key, value, rest)
  return rest
}

/** A context without values, cheaper to build upon than the API's `ROOT_CONTEXT`. */
export const emptyContext: Context = {
  getValue: (key) => ROOT_CONTEXT.getValue(key),
  setValue: (key, value) => new LinkedContext(key, value, undefined),
  deleteValue: () => emptyContext,
}
