import { expect, test } from 'vitest'
import { giveBack } from './give-back.ts'

test('memory is given back once, however often', () => {
  const bytes = Buffer.allocUnsafeSlow(100_000)
  giveBack(bytes)
  giveBack(bytes)
  expect(bytes.length).toBe(0)
})

test('small buffers stay, since they share memory with others', () => {
  for (const small of [Buffer.from('small'), Buffer.allocUnsafe(1_000), Buffer.allocUnsafe(30_000)]) {
    const { length } = small
    giveBack(small)
    expect(small.length).toBe(length)
  }
})

test('what has no memory is left alone', () => {
  expect(() => giveBack(Buffer.alloc(0))).not.toThrow()
})
