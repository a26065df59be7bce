import { randomBytes } from 'node:crypto'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { compressors, inflaters } from './compress.ts'

const others = { gzip: gunzipSync, zstd: zstdDecompressSync }

test.for(['gzip', 'zstd'] as const)('%s: each body is whole by itself, however many come', async (encoding) => {
  const compress = compressors()
  for (const bytes of [0, 1, 100, 16_384, 200_000, 5, 2_000_000, 0, 1]) {
    const body = Buffer.concat([randomBytes(bytes / 2), Buffer.alloc(bytes / 2, 'spans')])
    const compressed = await compress[encoding](body)
    expect(others[encoding](compressed).equals(body)).toBe(true)
    expect((await inflaters[encoding](compressed)).equals(body)).toBe(true)
  }
})
