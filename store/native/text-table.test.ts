import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TextTable } from './text-table.ts'

/** Few letters and lengths, so that texts have the same ends, and the same beginnings. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }),
  fc.tuple(fc.constantFrom('GET /', 'POST'), fc.nat(40), fc.constantFrom('', '/end')).map((parts) => parts.join('')),
)

test('a text has one number, whatever else was asked for, until the table forgets', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 200 }), fc.nat(200), (texts, forgetAt) => {
      const table = new TextTable()
      let numbers = new Map<string, number>()
      for (const [index, each] of texts.entries()) {
        if (index === forgetAt) {
          table.forget()
          numbers = new Map()
        }
        const number = table.numberOfText(each)
        expect(number).toBe(numbers.get(each) ?? numbers.size)
        expect(table.text(number)).toBe(each)
        numbers.set(each, number)
      }
      expect(table.size).toBe(numbers.size)
    }),
  )
})
