// Reads a request's body within its bounds: as sent and as inflated, since a small body can inflate to a thousand times its size.

import type { IncomingMessage } from 'node:http'
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { giveBack } from './give-back.ts'
import type { Hold } from './in-flight-bytes.ts'
import { Refusal } from './refusal.ts'

/** Of one body, as sent and as inflated. */
export const bodyBytesMax = 20 * 1024 * 1024

/** What comes in smaller pieces is gathered in pieces of the larger size. */
const smallBytes = 4_096
const gatheringBytes = 65_536

const minChunkBytes = 16_384
/** Requests of many spans inflate to some ten times their size. */
const usualRatioMax = 16

/** A frame that claims a larger window would take that much memory to read. 32 MiB covers any body that may come. */
const zstdWindowLogMax = 25

export type ContentEncoding = 'identity' | 'gzip' | 'zstd'

/** Where a body comes from: Node's own request costs a third of a web stream, which tests without sockets have. */
export type BodySource = IncomingMessage | ReadableStream<Uint8Array> | null

/** The body's bytes, as they were sent. */
export async function readBody(source: BodySource, hold: Hold): Promise<Buffer> {
  return source === null ? Buffer.alloc(0) : await readRaw(source, hold)
}

/** The body's bytes as they were before they were compressed. */
export function inflate(raw: Buffer, encoding: ContentEncoding, hold: Hold): Buffer {
  if (encoding === 'identity' || raw.length === 0) return raw
  const body = inflateWithinBounds(raw, encoding)
  hold.grow(body.length)
  return body
}

/** Gives back the memory of bytes as they came from Node, unless others are in it. */
export function giveBackSent(raw: Uint8Array): void {
  if (raw.length === raw.buffer.byteLength) giveBack(raw)
}

async function readRaw(source: IncomingMessage | ReadableStream<Uint8Array>, hold: Hold): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  /** Small chunks are copied together: each by itself would take ten times its size. */
  let gathered = Buffer.alloc(0)
  let gatheredBytes = 0
  const take = (chunk: Uint8Array) => {
    length += chunk.length
    if (length > bodyBytesMax) throw tooLarge('The body')
    hold.grow(chunk.length)
    if (chunk.length > smallBytes) {
      chunks.push(gathered.subarray(0, gatheredBytes), chunk)
      gathered = gathered.subarray(gatheredBytes)
      gatheredBytes = 0
      return
    }
    if (gatheredBytes + chunk.length > gathered.length) {
      chunks.push(gathered.subarray(0, gatheredBytes))
      gathered = Buffer.allocUnsafeSlow(gatheringBytes)
      gatheredBytes = 0
    }
    gathered.set(chunk, gatheredBytes)
    gatheredBytes += chunk.length
  }
  // Chunks of a web stream are whoever's made it.
  const isOurs = !('getReader' in source)
  if (isOurs) await readIncoming(source, take)
  else for await (const chunk of source) take(chunk)
  if (isOurs && chunks.length === 1 && gatheredBytes === 0 && chunks[0] instanceof Buffer) return chunks[0]
  chunks.push(gathered.subarray(0, gatheredBytes))
  const body = Buffer.concat(chunks, length)
  if (isOurs) for (const chunk of chunks) giveBackSent(chunk)
  return body
}

function readIncoming(incoming: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onData = (chunk: Buffer) => {
    try {
      take(chunk)
    } catch (error) {
      done()
      reject(error)
    }
  }
  const onClose = () => {
    done()
    reject(new Refusal(400, 'The body ended before it was whole', { cause: incoming.errored }))
  }
  const onEnd = () => {
    done()
    resolve()
  }
  const done = () => {
    incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
  }
  if (incoming.destroyed) onClose()
  else incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  return promise
}

function inflateWithinBounds(raw: Buffer, encoding: 'gzip' | 'zstd'): Buffer {
  try {
    // Synchronous inflation costs less of the main thread than handing the work over and back.
    return encoding === 'gzip'
      ? gunzipSync(raw, { maxOutputLength: bodyBytesMax, chunkSize: claimedBytes(raw) })
      : zstdDecompressSync(raw, {
          maxOutputLength: bodyBytesMax,
          params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax },
        })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('The inflated body')
    const reason = error instanceof Error ? error.message : String(error)
    throw new Refusal(400, `Cannot inflate the body as ${encoding}: ${reason}`, { cause: error })
  }
}

/** What a gzip says at its end that it inflates to, within reason: the memory for it is taken at once. */
function claimedBytes(raw: Buffer): number {
  const claimed = raw.length < 18 ? 0 : raw.readUInt32LE(raw.length - 4)
  return Math.max(minChunkBytes, Math.min(claimed, raw.length * usualRatioMax, bodyBytesMax))
}

function tooLarge(what: string): Refusal {
  return new Refusal(413, `${what} is larger than ${bodyBytesMax} bytes; send fewer records in one request`)
}
