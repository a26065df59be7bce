// What OTLP/HTTP answers, in the request's own content type.

import { ProtobufWriter } from './otlp/protobuf-writer.ts'
import type { Signal } from './ledger.ts'
import type { Refusal } from './refusal.ts'

/** The encodings of OTLP/HTTP. */
export type OtlpFormat = 'protobuf' | 'json'

export const mediaTypes = { protobuf: 'application/x-protobuf', json: 'application/json' } as const

const rejectedFields = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' } as const

/** What was left out of a request that was taken otherwise. */
export interface PartialSuccess {
  rejected: number
  message: string
}

/** An Export…ServiceResponse; nothing rejected is an empty message. All signals share one layout on the wire. */
export function encodeSuccess(signal: Signal, format: OtlpFormat, { rejected, message }: PartialSuccess): Uint8Array {
  if (format === 'json') {
    const partialSuccess = { [rejectedFields[signal]]: String(rejected), errorMessage: message }
    return Buffer.from(JSON.stringify(rejected === 0 ? {} : { partialSuccess }))
  }
  if (rejected === 0) return new Uint8Array()
  // The response holds a partial success at 1: the count at 1, the message at 2.
  const writer = new ProtobufWriter()
  writer.text(2, message)
  writer.integer(1, BigInt(rejected))
  writer.message(1, 0)
  return writer.finish()
}

/** A google.rpc.Status. */
export function encodeStatus(format: OtlpFormat, { rpcCode, message }: Refusal): Uint8Array {
  if (format === 'json') return Buffer.from(JSON.stringify({ code: rpcCode, message }))
  const writer = new ProtobufWriter()
  writer.text(2, message)
  writer.integer(1, BigInt(rpcCode))
  return writer.finish()
}
