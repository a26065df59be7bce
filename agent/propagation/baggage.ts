// W3C Baggage: https://www.w3.org/TR/baggage/

import { type Baggage, type BaggageEntry, baggageEntryMetadataFromString, propagation } from '@opentelemetry/api'

export const baggageHeader = 'baggage'
export const baggageBytesMax = 8_192
export const baggageMembersMax = 64

/** The members that `header` states; none of a header that is over its bounds, and no malformed ones. */
export function readBaggage(header: string): Baggage | undefined {
  if (Buffer.byteLength(header) > baggageBytesMax) return undefined
  const members = header.split(',')
  if (members.length > baggageMembersMax) return undefined
  const entries = members.flatMap((member) => readMember(member) ?? [])
  return entries.length === 0 ? undefined : propagation.createBaggage(Object.fromEntries(entries))
}

function readMember(member: string): [[name: string, entry: BaggageEntry]] | undefined {
  const [pair = '', ...properties] = member.split(';')
  const equals = pair.indexOf('=')
  if (equals <= 0) return undefined
  try {
    const name = decodeURIComponent(pair.slice(0, equals).trim())
    const value = decodeURIComponent(pair.slice(equals + 1).trim())
    if (name === '') return undefined
    const metadata = properties.join(';').trim()
    return [[name, metadata === '' ? { value } : { value, metadata: baggageEntryMetadataFromString(metadata) }]]
  } catch {
    return undefined
  }
}

/**
 * A member as it stands in the header, or nothing for what is none; a lone surrogate, which has no escape, becomes U+FFFD.
 */
export function writeMember(name: string, entry: BaggageEntry | undefined): string {
  const value: unknown = entry?.value
  if (name === '' || !isWritable(value)) return ''
  const properties = entry?.metadata === undefined ? '' : `;${entry.metadata.toString().replaceAll(unfit, '')}`
  return `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(String(value).toWellFormed())}${properties}`
}

function isWritable(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Properties go as they came, except for what would end the member or the header. */
const unfit = /[^\u0021-\u002b\u002d-\u007e]/g
