// ExportTraceServiceResponse.partial_success: how many spans the collector did not take, and why.

const partialSuccess = 0x0a
const [rejectedSpans, errorMessage] = [0x08, 0x12]
const messageCharsMax = 200

interface Rejected {
  rejected: number
  message: string
}

/** What `answer` says; anything that is no such message says nothing. */
export function rejectedOf(answer: Buffer): Rejected {
  const nothing = { rejected: 0, message: '' }
  const length = varintAt(answer, 1)
  if (answer[0] !== partialSuccess || length === undefined) return nothing
  const end = length.next + length.value
  if (end > answer.length) return nothing
  let { rejected, message } = nothing
  let at = length.next
  while (at < end) {
    const value = varintAt(answer, at + 1)
    if (value === undefined) return nothing
    if (answer[at] === rejectedSpans) {
      rejected = value.value
      at = value.next
    } else if (answer[at] === errorMessage && value.next + value.value <= end) {
      message = answer.toString('utf8', value.next, value.next + value.value).replaceAll(/\s+/g, ' ')
      at = value.next + value.value
    } else return nothing
  }
  return { rejected, message: message.slice(0, messageCharsMax) }
}

function varintAt(bytes: Buffer, start: number): { value: number; next: number } | undefined {
  let value = 0
  for (let count = 0; count < 7; count += 1) {
    const byte = bytes[start + count]
    if (byte === undefined) return undefined
    value += (byte & 127) * 2 ** (7 * count)
    if (byte < 128) return { value, next: start + count + 1 }
  }
  return undefined
}
