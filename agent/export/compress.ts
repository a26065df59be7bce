// Bodies of requests, compressed one after another by the same stream: a new one for each would take a megabyte and more beside
// V8's heap, which then looks for garbage in all of the service's, over and over.

import { promisify } from 'node:util'
import type { Gzip, ZlibReset, ZstdCompress } from 'node:zlib'
import type { Encoding } from './post.ts'

/** Makes `body` smaller. One at a time. */
export type Compress = (body: Buffer) => Promise<Buffer>

/** Loaded when something is sent. */
const zlib = () => process.getBuiltinModule('node:zlib')

/** Compressors, each made when it is first asked for, and anew after it has failed. */
export function compressors(): Readonly<Record<Encoding, Compress>> {
  return { identity: async (body) => body, gzip: kept(gzipper), zstd: kept(zstandard) }
}

function kept(make: () => Compress): Compress {
  let compress: Compress | undefined
  return async (body) => {
    compress ??= make()
    try {
      return await compress(body)
    } catch (error) {
      compress = undefined
      throw error
    }
  }
}

/** The opposite. */
export const inflaters: Readonly<Record<Encoding, (body: Buffer) => Promise<Buffer>>> = {
  identity: async (body) => body,
  gzip: (body) => promisify(zlib().gunzip)(body),
  zstd: (body) => promisify(zlib().zstdDecompress)(body),
}

// Off the main thread, and fast rather than small: the service pays for it.

function gzipper(): Compress {
  const { constants, createGzip } = zlib()
  const stream = createGzip({ level: 1 }) as Gzip & ZlibReset
  return bodies(stream, constants.Z_FINISH, () => stream.reset())
}

function zstandard(): Compress {
  const { constants, createZstdCompress } = zlib()
  const stream = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  // What follows the end of a frame begins a new one.
  return bodies(stream, constants.ZSTD_e_end, () => undefined)
}

function bodies(stream: Gzip | ZstdCompress, ending: number, ended: () => void): Compress {
  let parts: Buffer[] = []
  let fail: (error: Error) => void = () => undefined
  stream.on('data', (part: Buffer) => parts.push(part))
  stream.on('error', (error) => fail(error))

  return (body) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    fail = reject
    stream.write(body)
    stream.flush(ending, () => {
      // What is not told yet is told by reading it.
      while (stream.read() !== null);
      const whole = Buffer.concat(parts)
      parts = []
      ended()
      resolve(whole)
    })
    return promise
  }
}
