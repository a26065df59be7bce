import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainLine } from './plain-text.ts'

test.each([
  ['POST /pay', 'POST /pay'],
  ['two\r\nlines\tand\u2028more', 'two lines and more'],
  ['\u001b[31mred\u0007', '�[31mred�'],
  ['user\u202egnp.exe', 'user�gnp.exe'],
  ['zero\u200bwidth\u2060', 'zero�width�'],
  ['tag\u{e0041}s', 'tag�s'],
  ['half a pair \ud83d.', 'half a pair �.'],
  ['<script>alert(1)</script> & "so on"', '<script>alert(1)</script> & "so on"'],
  ['नमस्ते 👩‍🚒 שלום', 'नमस्ते 👩‍🚒 שלום'],
  ['', ''],
])('%j is shown as %j', (text, shown) => {
  expect(plainLine(text, { charsMax: 100 })).toBe(shown)
})

test('what is too long ends in an ellipsis, and no character is cut in two', () => {
  expect(plainLine('abcdef', { charsMax: 6 })).toBe('abcdef')
  expect(plainLine('abcdefg', { charsMax: 6 })).toBe('abcde…')
  expect(plainLine('😀😀😀😀', { charsMax: 3 })).toBe('😀😀…')
  expect(plainLine('x'.repeat(10_000_000), { charsMax: 3 })).toBe('xx…')
})

test('any text becomes one line of the length that was asked for, and stays so', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (text, charsMax) => {
      const line = plainLine(text, { charsMax })
      expect(Array.from(line).length).toBeLessThanOrEqual(charsMax)
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
      expect(line.isWellFormed()).toBe(true)
      expect(plainLine(line, { charsMax })).toBe(line)
    }),
  )
})
