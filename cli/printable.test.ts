import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { printable } from './printable.ts'

test('what would steer a terminal or forge a line is told by its number, wherever it stands', () => {
  const answer = { title: 'shop\u001b[2J\nCause: nobody', causes: [{ service: '\u202egnp', score: 1 }], reason: null }
  expect(printable(answer)).toEqual({
    title: 'shop⟨U+001B⟩[2J⟨U+000A⟩Cause: nobody',
    causes: [{ service: '⟨U+202E⟩gnp', score: 1 }],
    reason: null,
  })
})

test('no text has a control character afterwards, and printable ones are as they were', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }), (any, text) => {
      expect(printable({ any }).any).not.toMatch(/\p{Cc}/u)
      expect(printable({ text })).toEqual({ text })
    }),
  )
})
