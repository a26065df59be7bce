import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeStatus, encodeSuccess } from '../answer.ts'
import { Refusal } from '../refusal.ts'
import { ProtobufWriter } from './protobuf-writer.ts'
import { exportTraceResponse, rpcStatus } from './reference/schema.ts'
import { Wire } from './wire.ts'

test('integers of any size are read as they were written, however many were written before', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 2_000 }), (values) => {
      const writer = new ProtobufWriter()
      for (const value of values.toReversed()) writer.integer(5, value)
      const wire = new Wire(writer.finish())
      const end = wire.bytes.length
      const read: bigint[] = []
      while (wire.at < end) {
        expect(wire.tag(end)).toBe(5 * 8)
        read.push(wire.varint64(end))
      }
      expect(read).toEqual(values)
    }),
    { numRuns: 50 },
  )
})

test('a partial success reads as the protocol has it', () => {
  const message = 'Rejected: ż'.repeat(50)
  const bytes = encodeSuccess('traces', 'protobuf', { rejected: 1_000, message })
  expect(exportTraceResponse.toObject(exportTraceResponse.decode(bytes), { longs: Number })).toEqual({
    partialSuccess: { rejectedSpans: 1_000, errorMessage: message },
  })
})

test('a refusal reads as the protocol has it', () => {
  const bytes = encodeStatus('protobuf', new Refusal(413, 'too large'))
  expect(rpcStatus.toObject(rpcStatus.decode(bytes))).toEqual({ code: 8, message: 'too large' })
})
