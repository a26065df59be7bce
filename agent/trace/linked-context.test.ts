import { createContextKey } from '@opentelemetry/api'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyContext } from './linked-context.ts'

const keys = ['a', 'b', 'c'].map((name) => createContextKey(`test.${name}`))

test('a context holds what was set last, whatever was set before, and the ones before stay as they were', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...keys), fc.option(fc.integer(), { nil: undefined })), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(steps, (values) => {
      const known = new Map<symbol, unknown>()
      let context = emptyContext
      for (const [key, value] of values) {
        const before = keys.map((each) => context.getValue(each))
        const next = value === undefined ? context.deleteValue(key) : context.setValue(key, value)
        expect(keys.map((each) => context.getValue(each))).toEqual(before)
        context = next
        known.set(key, value)
        expect(keys.map((each) => context.getValue(each))).toEqual(keys.map((each) => known.get(each)))
      }
    }),
  )
})

test('a context in a context for ever stays small', () => {
  let context = emptyContext
  for (let turn = 0; turn < 100_000; turn += 1) context = context.setValue(keys[turn % 3] as symbol, turn)
  let depth = 0
  for (let at: unknown = context; at !== undefined; at = (at as { rest?: unknown }).rest) depth += 1
  expect(depth).toBeLessThanOrEqual(17)
})
