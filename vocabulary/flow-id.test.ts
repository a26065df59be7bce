import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { flowNameCharsMax, parseFlowId, parseFlowName } from './flow-id.ts'

test('a flow ID is 32 lowercase hex digits, not all zero', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }), (value) => {
      const text = value.toString(16).padStart(32, '0')
      expect(parseFlowId(text)).toBe(text)
    }),
  )
  for (const text of [
    undefined,
    '',
    '0'.repeat(32),
    'A'.repeat(32),
    'a'.repeat(31),
    'a'.repeat(33),
    `${'a'.repeat(32)}\n`,
  ]) {
    expect(parseFlowId(text)).toBe(undefined)
  }
})

test('nothing else is a flow ID', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/^[0-9a-f]{32}$/.test(text))
      expect(parseFlowId(text)).toBe(undefined)
    }),
  )
})

test('a flow name is short and printable', () => {
  expect(parseFlowName(' POST /checkout ')).toBe('POST /checkout')
  expect(parseFlowName('x'.repeat(flowNameCharsMax))).toBe('x'.repeat(flowNameCharsMax))
  for (const text of [undefined, '', '  ', 'a\nb', 'a\u0000b', '\ud800', 'x'.repeat(flowNameCharsMax + 1)]) {
    expect(parseFlowName(text)).toBe(undefined)
  }
})
