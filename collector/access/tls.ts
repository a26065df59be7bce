// TLS at the door, for those who have no proxy in front. Certificates live for weeks, so a renewed pair is taken without a
// restart, and connections that are open stay open.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import { followFiles } from './followed-files.ts'
import { readSmallFile } from './small-file.ts'

export interface TlsPaths {
  certPath: string
  keyPath: string
}

/** What `createServer` of node:https takes. */
export interface TlsOptions {
  cert: string
  key: string
  minVersion: 'TLSv1.2'
  /** In milliseconds, as Node names it. Who connects and says nothing gives the socket back. */
  handshakeTimeout: number
}

export interface Tls {
  /** For `createServer`; `follow` keeps the server up to date. */
  options: TlsOptions
  /** Gives the server each new pair. */
  follow(server: Pick<Server, 'setSecureContext'>): void
  stop(): void
}

export interface TlsSources extends TlsPaths {
  nowMs: () => number
  log: (line: string) => void
}

/** Reads and checks the pair, which may throw, and follows its changes. */
export function openTls({ certPath, keyPath, nowMs, log }: TlsSources): Tls {
  let latest: TlsOptions
  let follower: Pick<Server, 'setSecureContext'> | undefined
  const followed = followFiles({
    paths: [certPath, keyPath],
    read: () => readPair({ certPath, keyPath }),
    onNew: ({ options, certificate }) => {
      latest = options
      follower?.setSecureContext(options)
      log(`The certificate in ${certPath} has changed; it is good until ${certificate.validToDate.toISOString()}`)
      warnOfDates(certificate)
    },
    log,
  })
  function warnOfDates({ validFromDate, validToDate }: X509Certificate): void {
    const now = nowMs()
    if (now > validToDate.getTime())
      log(`The certificate in ${certPath} was good until ${validToDate.toISOString()}; senders refuse it, renew it`)
    if (now < validFromDate.getTime())
      log(`The certificate in ${certPath} is good from ${validFromDate.toISOString()} only; check this machine's clock`)
  }
  latest = followed.first.options
  warnOfDates(followed.first.certificate)
  return {
    get options() {
      return latest
    },
    follow: (server) => {
      follower = server
      follower.setSecureContext(latest)
    },
    stop: () => followed.stop(),
  }
}

function readPair({ certPath, keyPath }: TlsPaths): { options: TlsOptions; certificate: X509Certificate } {
  const cert = readPem(certPath, 'HEADWATER_OTLP_TLS_CERT')
  const key = readPem(keyPath, 'HEADWATER_OTLP_TLS_KEY')
  const certificate = parseCertificate(cert, certPath)
  const privateKey = parsePrivateKey(key, keyPath)
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(
      `Cannot use the certificate in ${certPath}: the key in ${keyPath} belongs to another; ` +
        'give the two that were made together, the certificate of this machine first in its file',
    )
  }
  const options: TlsOptions = { cert, key, minVersion: 'TLSv1.2', handshakeTimeout: handshakeTimeoutMs }
  try {
    createSecureContext(options)
  } catch (cause) {
    throw new Error(`Cannot serve TLS with ${certPath} and ${keyPath}: make them anew, as OpenSSL refuses them`, {
      cause,
    })
  }
  return { options, certificate }
}

const handshakeTimeoutMs = 10_000

/** A chain of a hundred certificates takes less. */
const pemBytesMax = 1024 * 1024

function readPem(path: string, setting: string): string {
  try {
    return readSmallFile(path, { bytesMax: pemBytesMax })
  } catch (cause) {
    throw new Error(`Cannot read ${path}: set ${setting} to a PEM file that this user may read`, { cause })
  }
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no line says BEGIN CERTIFICATE')
    return new X509Certificate(pem)
  } catch (cause) {
    throw new Error(`Cannot understand ${path}: HEADWATER_OTLP_TLS_CERT has to name a certificate in PEM form`, {
      cause,
    })
  }
}

function parsePrivateKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new Error(
      `Cannot understand ${path}: HEADWATER_OTLP_TLS_KEY has to name a private key in PEM form, without a passphrase`,
      { cause },
    )
  }
}
