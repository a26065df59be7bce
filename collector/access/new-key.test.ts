import { expect, test } from 'vitest'
import { readNewKey } from './new-key.ts'

const nowMs = Date.UTC(2026, 10, 27)

test('a key is asked for by name, and by rate and end if it is to have them', () => {
  expect(readNewKey({ name: 'shop' }, nowMs)).toEqual({ name: 'shop' })
  expect(readNewKey({ name: 'shop.eu-1', recordsPerSecond: '20000', notAfter: '2027-01-31T00:00:00Z' }, nowMs)).toEqual(
    { name: 'shop.eu-1', recordsPerSecond: 20_000, notAfterMs: Date.UTC(2027, 0, 31) },
  )
})

test.each([
  [{ name: '' }, 'the name "": give 1 to 64 letters'],
  [{ name: '-shop' }, 'the name "-shop": give 1 to 64 letters'],
  [{ name: 'n'.repeat(1_000) }, `the name "${'n'.repeat(80)}…": give`],
  [{ recordsPerSecond: '' }, 'the records per second "": give a whole number from 1 to 1000000000'],
  [{ recordsPerSecond: '0' }, 'the records per second "0": give a whole number'],
  [{ recordsPerSecond: '1e3' }, 'the records per second "1e3": give a whole number'],
  [{ recordsPerSecond: '1000000001' }, 'the records per second "1000000001": give a whole number'],
  [{ notAfter: 'tomorrow' }, 'the end "tomorrow": give a time such as 2027-01-31T00:00:00Z'],
  [{ notAfter: '2026-11-27T00:00:00Z' }, 'the end "2026-11-27T00:00:00Z": give a time to come'],
])('%j is refused by value and mend', (change, message) => {
  expect(() => readNewKey({ name: 'shop', ...change }, nowMs)).toThrow(`Cannot make a key with ${message}`)
})
