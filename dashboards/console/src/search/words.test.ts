import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filterOf, readWords, writeWords } from './words.ts'

test.each([
  ['service:math', { service: 'math' }],
  ['operation:"POST /evaluate" status:error', { operation: 'POST /evaluate', status: 'error' }],
  ['>250ms <2s', { minMs: 250, maxMs: 2_000 }],
  ['>1.5s', { minMs: 1_500 }],
  ['>300us', { minMs: 0.3 }],
  ['http.route=/pay user.tier="very gold"', { attribute: ['http.route=/pay', 'user.tier=very gold'] }],
  ['db.statement="a=b"', { attribute: ['db.statement=a=b'] }],
  ['timeout service:math of the bank', { service: 'math', text: 'timeout of the bank' }],
  ['status:odd', { text: 'status:odd' }],
  ['https://shop.example/x', { text: 'https://shop.example/x' }],
  ['', {}],
])('%s', (words, filter) => {
  expect(readWords(words)).toEqual(filter)
})

test('what was read can be written and read again', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9/. ]{0,12}[a-z]$/)
  fc.assert(
    fc.property(
      fc.record(
        {
          flow: word,
          service: word,
          operation: word,
          user: word,
          status: fc.constantFrom('ok' as const, 'error' as const),
          minMs: fc.nat(1e6),
          attribute: fc.array(
            word.map((value) => `http.route=${value}`),
            { minLength: 1, maxLength: 3 },
          ),
        },
        { requiredKeys: [] },
      ),
      (filter) => {
        expect(readWords(writeWords(filter))).toEqual(filter)
      },
    ),
  )
})

test('an address is read with care', () => {
  const search = new URLSearchParams('service=math&status=odd&minMs=fast&maxMs=20&attribute=bad&attribute=a%3Db&q=x')
  expect(filterOf(search)).toEqual({ service: 'math', maxMs: 20, attribute: ['a=b'], text: 'x' })
})
