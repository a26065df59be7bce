import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodePartialSuccess } from '../test-otlp.ts'
import { rejectedOf } from './partial-success.ts'

test('what a collector rejects is read, with its reason', () => {
  fc.assert(
    fc.property(fc.nat(), fc.string({ unit: 'grapheme-ascii', maxLength: 150 }), (rejected, message) => {
      const answer = encodePartialSuccess({ rejectedSpans: rejected, errorMessage: message })
      expect(rejectedOf(answer)).toEqual({ rejected, message: message.replaceAll(/\s+/g, ' ') })
    }),
  )
})

test('a reason is one line of at most 200 characters', () => {
  const errorMessage = `too\nold\r\n${'x'.repeat(500)}`
  const { message } = rejectedOf(encodePartialSuccess({ rejectedSpans: 1, errorMessage }))
  expect(message).toBe(`too old ${'x'.repeat(192)}`)
})

test('an answer that says nothing of it rejects nothing', () => {
  for (const answer of [Buffer.alloc(0), encodePartialSuccess({}), Buffer.from('<html>'), Buffer.from('{}')]) {
    expect(rejectedOf(answer)).toEqual({ rejected: 0, message: '' })
  }
})

test('of an answer that ends too soon nothing is believed', () => {
  const answer = encodePartialSuccess({ rejectedSpans: 300, errorMessage: 'too old' })
  for (let length = 0; length < answer.length; length += 1) {
    expect(rejectedOf(answer.subarray(0, length))).toEqual({ rejected: 0, message: '' })
  }
})

test('any bytes are read without an exception, and reject no less than nothing', () => {
  const honest = fc
    .record({ rejectedSpans: fc.nat(), errorMessage: fc.string({ unit: 'binary', maxLength: 40 }) })
    .map((answer) => [...encodePartialSuccess(answer)])
  const broken = fc
    .tuple(honest, fc.nat(60), fc.integer({ min: 0, max: 255 }), fc.nat(60))
    .map(([bytes, at, byte, length]) => bytes.with(at % bytes.length, byte).slice(0, length))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), broken), (bytes) => {
      const { rejected, message } = rejectedOf(Buffer.from(bytes))
      expect(rejected).toBeGreaterThanOrEqual(0)
      expect(message.length).toBeLessThanOrEqual(200)
    }),
    { numRuns: 2_000 },
  )
})
