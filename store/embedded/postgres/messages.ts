// As much of PostgreSQL's wire protocol as the front speaks itself.

/** A message of the client: its type, and all of its bytes. */
export interface Message {
  type: string
  bytes: Buffer
}

/** A message that a client cannot mean. */
export class ProtocolError extends Error {}

export const sslRequestCode = 80_877_103
export const gssRequestCode = 80_877_104
export const cancelRequestCode = 80_877_102

/** Builds a message. */
export function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)))
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** The first message of a session, which has no type. */
export function startupMessage(parameters: Record<string, string>): Buffer {
  const body = Buffer.from(
    `${Object.entries(parameters)
      .flat()
      .map((text) => `${text}\0`)
      .join('')}\0`,
  )
  const head = Buffer.alloc(8)
  head.writeInt32BE(body.length + 8, 0)
  head.writeInt32BE(196_608, 4)
  return Buffer.concat([head, body])
}

/** `user`, `database` and the rest of a startup message. */
export function readStartup(bytes: Buffer): { code: number; parameters: Map<string, string> } {
  const texts = bytes.subarray(8).toString().split('\0')
  const parameters = new Map<string, string>()
  for (let at = 0; at + 1 < texts.length && texts[at] !== ''; at += 2)
    parameters.set(texts[at] ?? '', texts[at + 1] ?? '')
  return { code: bytes.readInt32BE(4), parameters }
}

/** An ErrorResponse that ends the connection. */
export function fatalError(sqlState: string, text: string): Buffer {
  return message('E', `SFATAL`, `VFATAL`, `C${sqlState}`, `M${text}`, Buffer.from([0]))
}

export const askForCleartextPassword = message('R', Buffer.from([0, 0, 0, 3]))

/** Takes bytes as they come, gives whole messages. A startup message comes first and has type ''. */
export function createMessageReader(bytesMax: { startup: number; message: number }) {
  let buffered: Buffer = Buffer.alloc(0)
  return {
    push(chunk: Buffer): void {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    },
    /** The next whole message, or undefined until more bytes come. */
    next(isStartup: boolean): Message | undefined {
      const lengthAt = isStartup ? 0 : 1
      if (buffered.length < lengthAt + 4) return undefined
      const length = buffered.readInt32BE(lengthAt)
      const max = isStartup ? bytesMax.startup : bytesMax.message
      if (length < (isStartup ? 8 : 4) || length > max)
        throw new ProtocolError(`Message length ${length} is not within ${max} bytes`)
      const end = lengthAt + length
      if (buffered.length < end) return undefined
      const bytes = buffered.subarray(0, end)
      buffered = buffered.subarray(end)
      return { type: isStartup ? '' : String.fromCharCode(bytes[0] ?? 0), bytes }
    },
  }
}

/** The transaction state in the last ReadyForQuery of an answer: idle, in a transaction, in a failed one. */
export function readyState(answer: Buffer): 'I' | 'T' | 'E' | undefined {
  // ReadyForQuery is always the last message: Z, length 5, state.
  const at = answer.length - 6
  if (at < 0 || answer[at] !== 0x5a || answer.readInt32BE(at + 1) !== 5) return undefined
  const state = String.fromCharCode(answer[at + 5] ?? 0)
  return state === 'I' || state === 'T' || state === 'E' ? state : undefined
}
