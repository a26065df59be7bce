import { expect, test } from 'vitest'
import { attributeText } from './attribute-text.ts'

test.each([
  ['a string as it is', 'a "b"\n\u0000', 'a "b"\n\u0000'],
  ['an empty string', '', ''],
  ['true', true, 'true'],
  ['an integer of 64 bits', -9_223_372_036_854_775_808n, '-9223372036854775808'],
  ['the shortest double', 0.1, '0.1'],
  ['a whole double', 3, '3'],
  ['a large double', 1e21, '1e+21'],
  ['no number', Number.NaN, 'NaN'],
  ['infinity', Number.NEGATIVE_INFINITY, '-Infinity'],
  ['bytes', Uint8Array.of(0, 255), 'AP8='],
  ['nothing', undefined, ''],
  ['an empty list', [], '[]'],
  ['an empty map', new Map(), '{}'],
  [
    'what is nested, as JSON',
    ['a"', 1n, 0.5, Number.NaN, false, undefined, Uint8Array.of(1), new Map([['__proto__', [9_007_199_254_740_993n]]])],
    '["a\\"",1,0.5,"NaN",false,null,"AQ==",{"__proto__":[9007199254740993]}]',
  ],
])('%s', (_what, value, text) => {
  expect(attributeText(value)).toBe(text)
})
