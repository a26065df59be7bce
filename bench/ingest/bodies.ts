import { Chance } from './chance.ts'
import { decodeRequest } from '../otlp.ts'
import { type BodyEncoding, type BodyFormat, makePayload, toBody } from './payloads.ts'
import { readRecordings } from './recordings.ts'

export interface BodyOptions {
  count: number
  /** Spans of the bodies, in turn. */
  spans: readonly number[]
  seed: number
  format?: BodyFormat
  encoding?: BodyEncoding
  /** So many services × operations; as recorded without. */
  pairs?: number
}

/** Requests that can be sent. */
export interface Bodies {
  format: BodyFormat
  encoding: BodyEncoding
  list: { bytes: Buffer; spans: number }[]
}

/** What bodies are like, on average. */
export interface BodySizes {
  spans: number
  plainBytesOfSpan: number
  bytesOfSpan: number
  attributesOfSpan: number
}

/** Makes bodies whose spans end now. */
export function makeBodies(options: BodyOptions): { bodies: Bodies; sizes: BodySizes } {
  const { count, spans: sizes, seed, format = 'protobuf', encoding = 'gzip', pairs } = options
  const recorded = readRecordings()
  const chance = new Chance(seed)
  let plainBytes = 0
  let attributes = 0
  let sampled = 0
  const list = Array.from({ length: count }, (_, index) => {
    const spans = sizes[index % sizes.length] ?? 0
    const payload = makePayload(recorded, {
      spans,
      endMs: Date.now(),
      chance,
      ...(pairs === undefined ? {} : { pairs }),
    })
    plainBytes += payload.length
    if (index < 10) {
      sampled += spans
      attributes += attributesOf(payload)
    }
    return { bytes: toBody(payload, format, encoding), spans }
  })
  const spans = list.reduce((sum, body) => sum + body.spans, 0)
  const bytes = list.reduce((sum, body) => sum + body.bytes.length, 0)
  return {
    bodies: { format, encoding, list },
    sizes: {
      spans,
      plainBytesOfSpan: plainBytes / spans,
      bytesOfSpan: bytes / spans,
      attributesOfSpan: attributes / sampled,
    },
  }
}

function attributesOf(payload: Buffer): number {
  const spans = decodeRequest(payload).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans),
  )
  return spans.reduce((sum, span) => sum + span.attributes.length, 0)
}
