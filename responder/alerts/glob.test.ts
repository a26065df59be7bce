import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesGlob } from './glob.ts'

test.each([
  ['payments', 'payments', true],
  ['payments', 'pay', false],
  ['payments', 'pay*', true],
  ['payments', '*', true],
  ['', '*', true],
  ['payments', '*ments', true],
  ['payments', 'p*m*s', true],
  ['payments', 'p*x*s', false],
  ['aa', 'a*a*a', false],
  ['aXa', 'a*a', true],
  ['a', 'a*a', false],
  ['a.c', 'a?c', false],
  ['GET /users/{id}', 'GET /users/*', true],
])('%j as %j: %s', (name, pattern, matches) => {
  expect(matchesGlob(name, pattern)).toBe(matches)
})

test('it agrees with the regular expression that says the same', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  fc.assert(
    fc.property(text, text, (name, pattern) => {
      expect(matchesGlob(name, pattern)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name))
    }),
  )
})
