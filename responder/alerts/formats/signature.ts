// Standard Webhooks 1.0.0, symmetric signatures: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import { createHmac } from 'node:crypto'

const prefix = 'whsec_'
const bytes = { min: 24, max: 64 }

/** The bytes of a secret as operators write it; `undefined` when it is none. */
export function rawSecret(text: string): Buffer | undefined {
  if (!text.startsWith(prefix)) return undefined
  const encoded = text.slice(prefix.length)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  const secret = Buffer.from(encoded, 'base64')
  if (secret.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return undefined
  return secret.length >= bytes.min && secret.length <= bytes.max ? secret : undefined
}

/**
 * The headers that prove who sends `body`. Each secret signs, so that a receiver that knows the new one only, or the old
 * one only, believes it: that is how secrets are replaced without a gap.
 */
export function signatureHeaders(
  body: string,
  { id, atMs, secrets }: { id: string; atMs: number; secrets: readonly string[] },
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000))
  const signatures = secrets.map((text) => {
    const secret = rawSecret(text)
    if (secret === undefined) throw new Error('Cannot sign with a secret that is not one of Standard Webhooks')
    return `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }),
  }
}
