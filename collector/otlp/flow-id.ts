import type { ByteColumn } from '@headwater/store'

/** Of a flow ID, in hex digits. */
export const flowIdLength = 32

/** What is no lowercase hex digit is 256, which no sum of digits hides. */
const hexDigit = new Uint16Array(256).fill(256)
for (const digit of '0123456789abcdef') hexDigit[digit.charCodeAt(0)] = Number.parseInt(digit, 16)

/** Whether these bytes name a flow: 32 lowercase hex digits that are not all zero. */
export function isFlowId(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== flowIdLength) return false
  let digits = 0
  for (let from = start; from < end; from += 1) digits |= hexDigit[bytes[from] as number] as number
  return digits > 0 && digits < 256
}

/**
 * Writes the flow that bytes from `start` to `end` state, or nothing where they state none, or the trace itself, as most do.
 * `traceId` is the column whose last row is the trace.
 */
export function writeOtherFlow(
  column: ByteColumn,
  traceId: ByteColumn,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (isFlowId(bytes, start, end) && !endsWith(traceId, bytes, start)) {
    column.u8(flowIdLength)
    column.copy(bytes, start, end)
  } else column.u8(0)
}

function endsWith(traceId: ByteColumn, bytes: Uint8Array, start: number): boolean {
  const traceStart = traceId.length - flowIdLength
  if (traceId.bytes[traceStart - 1] !== flowIdLength) return false
  for (let digit = 0; digit < flowIdLength; digit += 1) {
    if (traceId.bytes[traceStart + digit] !== bytes[start + digit]) return false
  }
  return true
}
