// What OTLP/HTTP answers, in the request's own content type.

import { exportTraceResponse, rpcStatus } from './otlp/schema.ts'
import type { Refusal } from './refusal.ts'

/** The encodings of OTLP/HTTP. */
export type OtlpFormat = 'protobuf' | 'json'

export type Signal = 'traces' | 'logs' | 'metrics'

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
  return exportTraceResponse.encode({ partialSuccess: { rejectedSpans: rejected, errorMessage: message } }).finish()
}

/** A google.rpc.Status. */
export function encodeStatus(format: OtlpFormat, { rpcCode, message }: Refusal): Uint8Array {
  const status = { code: rpcCode, message }
  return format === 'json' ? Buffer.from(JSON.stringify(status)) : rpcStatus.encode(status).finish()
}
