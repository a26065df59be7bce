import { gunzipSync } from 'node:zlib'

/** Inflates at the least cost that we know: gzip says at its end how large its content is, so it goes into one buffer. */
export function inflate(body: Buffer): Buffer {
  const contentBytes = body.readUInt32LE(body.length - 4)
  return gunzipSync(body, { chunkSize: Math.max(contentBytes, 64) + 1 })
}
