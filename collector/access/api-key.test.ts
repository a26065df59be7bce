import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createApiKey } from './api-key.ts'

test('a key is 32 bytes of chance, and what is kept of it is the SHA-256 of what the sender shows', () => {
  const { secret, digest, id } = createApiKey((bytes) => Buffer.alloc(bytes, 0xfb))
  expect(secret).toBe(`hw_${Buffer.alloc(32, 0xfb).toString('base64url')}`)
  expect(digest).toEqual(createHash('sha256').update(secret).digest())
  expect(id).toBe('k_fbfbfbfb')
})

test('no two keys are the same, and none needs to be encoded in a header', () => {
  const secrets = Array.from({ length: 100 }, () => createApiKey().secret)
  expect(new Set(secrets).size).toBe(100)
  for (const secret of secrets) expect(secret).toMatch(/^hw_[\w-]{43}$/)
})
