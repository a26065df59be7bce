// A record is what the log keeps of one sealed block:
//
//   header 56 | meta (JSON) | payload (column bytes) | trailer 56
//
// The trailer repeats the header under another magic. So a damaged header is told from a torn tail, and how many rows
// were lost is known as long as one of the two is whole. Both bear the random ID of the log: bytes that somebody put
// into a span cannot pass for a record when the scan looks for the next good one.

import { crc32 } from 'node:zlib'

export const signals = ['traces', 'logs'] as const

export type Signal = (typeof signals)[number]

/** What a header says. Sequence numbers count up by one per signal over the life of the log's directory. */
export interface Header {
  signal: Signal
  sequence: number
  rows: number
  metaBytes: number
  payloadBytes: number
  metaCrc: number
  payloadCrc: number
}

/** The two ends of a record. */
export type Edge = 'header' | 'trailer'

export const idBytes = 16
export const edgeBytes = 56
/** Where the log's ID stands in an edge: what a scan looks for. */
export const idOffset = 4
export const metaBytesMax = 64 * 1024
/** Bounds what reading one record back may take. A request's body has at most 20 MiB. */
export const payloadBytesMax = 128 * 1024 * 1024

const magicOf: Readonly<Record<Edge, number>> = { header: 0x48_57_4c_48, trailer: 0x48_57_4c_54 }
/** The only kind so far; another kind or form of records takes another number. */
const blockKind = 1
const crcOffset = edgeBytes - 4

/** The bytes of a record from its first to its last. */
export function recordBytes({ metaBytes, payloadBytes }: Pick<Header, 'metaBytes' | 'payloadBytes'>): number {
  return 2 * edgeBytes + metaBytes + payloadBytes
}

/** One end of a record as bytes. */
export function encodeEdge(edge: Edge, header: Header, id: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(edgeBytes)
  bytes.writeUInt32BE(magicOf[edge], 0)
  bytes.set(id, idOffset)
  bytes.writeUInt8(blockKind, 20)
  bytes.writeUInt8(signals.indexOf(header.signal), 21)
  bytes.writeBigUInt64LE(BigInt(header.sequence), 24)
  bytes.writeUInt32LE(header.rows, 32)
  bytes.writeUInt32LE(header.metaBytes, 36)
  bytes.writeUInt32LE(header.payloadBytes, 40)
  bytes.writeUInt32LE(header.metaCrc, 44)
  bytes.writeUInt32LE(header.payloadCrc, 48)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, crcOffset)), crcOffset)
  return bytes
}

/** Reads one end of a record at the start of `bytes`; undefined when it is none, a damaged one, or another log's. */
export function decodeEdge(bytes: Uint8Array, id: Uint8Array): { edge: Edge; header: Header } | undefined {
  if (bytes.length < edgeBytes) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, edgeBytes)
  const magic = view.readUInt32BE(0)
  const edge = magic === magicOf.header ? 'header' : magic === magicOf.trailer ? 'trailer' : undefined
  if (edge === undefined || view.compare(id, 0, idBytes, idOffset, idOffset + idBytes) !== 0) return undefined
  if (view.readUInt32LE(crcOffset) !== crc32(view.subarray(0, crcOffset))) return undefined
  const signal = signals[view.readUInt8(21)]
  const header = {
    sequence: Number(view.readBigUInt64LE(24)),
    rows: view.readUInt32LE(32),
    metaBytes: view.readUInt32LE(36),
    payloadBytes: view.readUInt32LE(40),
    metaCrc: view.readUInt32LE(44),
    payloadCrc: view.readUInt32LE(48),
  }
  if (view.readUInt8(20) !== blockKind || signal === undefined || !Number.isSafeInteger(header.sequence))
    return undefined
  if (header.metaBytes > metaBytesMax || header.payloadBytes > payloadBytesMax) return undefined
  return { edge, header: { signal, ...header } }
}

/** The checksum of bytes that come in parts. */
export function crcOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((crc, part) => crc32(part, crc), 0)
}
