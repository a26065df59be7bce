import { hash, randomBytes } from 'node:crypto'

/** A new key: what its sender keeps, and what we keep. */
export interface ApiKey {
  /** Shown once, kept by nobody but the sender. */
  secret: string
  /** SHA-256 of the secret. */
  digest: Buffer
  /** Names the key where the secret must not be seen. */
  id: string
}

const secretBytes = 32
const idBytes = 4

/** Makes a key by chance; `random` gives so many bytes of it. */
export function createApiKey(random: (bytes: number) => Buffer = randomBytes): ApiKey {
  const secret = `hw_${random(secretBytes).toString('base64url')}`
  return { secret, digest: digestOf(secret), id: `k_${random(idBytes).toString('hex')}` }
}

/**
 * What is kept of a secret, and what it is recognized by. A slow hash is for passwords, which people choose and others
 * guess; 32 random bytes cannot be guessed however fast the hash is, and each request pays for it.
 */
export function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}
