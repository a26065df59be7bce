import { expect, test } from 'vitest'
import { attributePattern } from './attribute-pattern.ts'

test.each([
  ['user.email', 'User.Email', true],
  ['user.email', 'user.email.domain', false],
  ['user.*', 'user.', true],
  ['user.*', 'user', false],
  ['*.ssn', 'a.b.SSN', true],
  ['*.ssn', 'ssn', false],
  ['*secret*', 'my.secret.name', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['ab*ba', 'aba', false],
  ['*ab*ab', 'ab', false],
  ['*', '', true],
  ['a.c', 'abc', false],
])('%s fits %s: %s', (written, name, fits) => {
  expect(attributePattern(written)(name)).toBe(fits)
})
