// Signs, hashes and encrypts, with the keys that keys.internal hands out.

// oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 gives what they reject with to its error handler.

import {
  createCipheriv,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  scrypt,
  sign,
} from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import { perform } from './perform.ts'
import { serveExpress } from './express-service.ts'

const textForm = z.object({ text: z.string().min(1).max(100_000) })
const keyForm = z.object({ secret: z.string() })
const deriveKey = promisify<string, string, number, Buffer>(scrypt)
const pem = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey

function signText(text: string, inOrder: boolean): { signature: string } {
  const key = createPrivateKey(inOrder ? pem : pem.replace('PRIVATE', 'SIGNING'))
  return { signature: sign('sha256', Buffer.from(text), key).toString('base64url') }
}

function hashText(text: string, pepper: string, inOrder: boolean): { hash: string } {
  const hash = createHash(inOrder ? 'sha256' : 'sha256-peppered')
  return { hash: hash.update(pepper).update(text).digest('hex') }
}

async function encryptText(text: string, secret: string, inOrder: boolean): Promise<{ sealed: string }> {
  const key = await deriveKey(secret, 'invoice', inOrder ? 32 : 24)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return { sealed: sealed.toString('base64url') }
}

await serveExpress((app) => {
  app.post('/sign', async (request, response) => {
    const { text } = textForm.parse(request.body)
    response.json(await perform('POST /sign', keyForm, (_, inOrder) => signText(text, inOrder)))
  })
  app.post('/hash', async (request, response) => {
    const { text } = textForm.parse(request.body)
    response.json(await perform('POST /hash', keyForm, (key, inOrder) => hashText(text, key.secret, inOrder)))
  })
  app.post('/encrypt', async (request, response) => {
    const { text } = textForm.parse(request.body)
    response.json(await perform('POST /encrypt', keyForm, (key, inOrder) => encryptText(text, key.secret, inOrder)))
  })
})
