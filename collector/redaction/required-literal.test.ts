import fc from 'fast-check'
import { expect, test } from 'vitest'
import { linearPattern } from './linear-pattern.ts'
import { requiredLiteral } from './required-literal.ts'

test.each([
  ['\\bPO-\\d{6}\\b', 'PO-'],
  ['sk_live_[0-9A-Za-z]+', 'sk_live_'],
  ['[a-z]+@example\\.com', '@example.com'],
  ['(?:Mr|Mrs) Smith', ' Smith'],
  ['abc?de', 'ab'],
  ['ab{2}cd', 'cd'],
  ['colou+r', 'colou'],
  ['a|b', ''],
  ['\\x41bc', ''],
  ['[)\\]](abc)', ''],
  ['a{', ''],
])('every find of %s holds "%s"', (source, literal) => {
  expect(requiredLiteral(source)).toBe(literal)
})

test('no find is without its literal', () => {
  const pieces = fc.constantFrom(
    'a',
    'b',
    'ab',
    '-',
    '.',
    '\\.',
    '[ab]',
    '[^\\]a]',
    '(a|b)',
    '(?:ab)',
    '\\b',
    '\\d',
    '|',
    '^',
  )
  const counts = fc.constantFrom('', '', '', '+', '*', '?', '+?', '{2}', '{0,2}')
  const part = fc.tuple(pieces, counts).map((pair) => pair.join(''))
  const sources = fc.array(part, { minLength: 1, maxLength: 6 }).map((list) => list.join(''))
  const texts = fc
    .array(fc.constantFrom('a', 'b', '-', '.', '1', '\\', ']'), { maxLength: 12 })
    .map((list) => list.join(''))
  const finds = fc.property(sources, fc.array(texts, { minLength: 20, maxLength: 20 }), (source, samples) => {
    let pattern: RegExp
    try {
      pattern = linearPattern(source)
    } catch {
      return
    }
    const usual = new RegExp(source, 'g')
    for (const text of samples) {
      const found = text.match(pattern) ?? []
      // Both engines must agree, for operators try their patterns with the usual one.
      expect(found).toEqual(text.match(usual) ?? [])
      for (const each of found) expect(each).toContain(requiredLiteral(source))
    }
  })
  fc.assert(finds, { numRuns: 5000 })
})
