import { randomFillSync } from 'node:crypto'

const [traceIdBytes, spanIdBytes] = [16, 8]

/** Asking for random bytes costs more than the bytes: they are taken for many IDs at once. */
const pool = Buffer.allocUnsafeSlow(8_192)
let taken = pool.length

function randomHex(bytes: number): string {
  if (taken + bytes > pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  taken += bytes
  return pool.toString('hex', taken - bytes, taken)
}

/** A new trace ID; all zero, which would be invalid, has a chance of 2^-128. */
export function newTraceId(): string {
  return randomHex(traceIdBytes)
}

/** A new span ID; all zero, which would be invalid, has a chance of 2^-64. */
export function newSpanId(): string {
  return randomHex(spanIdBytes)
}
