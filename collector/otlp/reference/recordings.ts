// What the SDKs of OpenTelemetry sent, as collector/payloads has it.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { KeptSignal } from '../json-to-protobuf.ts'

export interface Recording {
  /** Name of its files. */
  name: string
  signal: KeptSignal
  format: 'protobuf' | 'json'
  encoding: 'gzip' | 'identity'
  /** As it was sent. */
  sent: Buffer
  /** As it was before it was compressed. */
  body: Buffer
  /** What another decoder read in it. */
  readExpectation: () => unknown
}

const folder = new URL('../../payloads/', import.meta.url)
const sidecarEnd = '.request.json'

interface Sidecar {
  path: string
  contentType: string
  contentEncoding: string
}

/** All recordings. */
export function readRecordings(): Recording[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(sidecarEnd))
    .toSorted()
    .map((file) => {
      const name = file.slice(0, -sidecarEnd.length)
      const sidecar = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Sidecar
      const sent = readFileSync(new URL(`${name}.body`, folder))
      const isGzip = sidecar.contentEncoding === 'gzip'
      return {
        name,
        signal: sidecar.path.endsWith('logs') ? 'logs' : 'traces',
        format: sidecar.contentType.includes('json') ? 'json' : 'protobuf',
        encoding: isGzip ? 'gzip' : 'identity',
        sent,
        body: isGzip ? gunzipSync(sent) : sent,
        readExpectation: () => readExpectation(name),
      }
    })
}

/** One expectation serves the plain and the compressed recording of a story. */
function readExpectation(name: string): unknown {
  const file = new URL(`${name.replace(/-gzip$/, '')}.expected.json`, folder)
  const text = existsSync(file) ? readFileSync(file) : gunzipSync(readFileSync(`${fileURLToPath(file)}.gz`))
  return JSON.parse(text.toString()) as unknown
}
