// Where a request may go. A URL that somebody else chose may name our own network: directly, by a name that resolves there, or
// by one that resolves elsewhere until it is asked again. So the address itself is judged, at the moment of the connection.
import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { type AddressRange, holds, parseAddress, parseRange } from '@headwater/vocabulary'

/** `anywhere` for URLs of the operator's own; `public` for those that others chose. */
export type Reach = 'anywhere' | 'public'

/** The address is not one on the Internet. */
export class AddressRefused extends Error {
  override name = 'AddressRefused'
}

/** IPv4 that is not for the Internet (RFC 6890), with what is multicast or reserved. */
const refused4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
].map(rangeOf)
/** IPv6 of the Internet is in here; loopback, link-local, unique local, mapped and translated IPv4 are not. */
const global6 = rangeOf('2000::/3')
/** Teredo and its neighbours, documentation, and 6to4, which carries IPv4 addresses. */
const refused6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'].map(rangeOf)

/** Whether an address, in any notation that a URL or a resolver gives, is one on the Internet. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text.replace(/^\[(.*)\]$/, '$1'))
  if (address === undefined) return false
  // `fe80::1%eth0` names an interface of this machine.
  if (text.includes('%')) return false
  if (address.bits === 32) return !refused4.some((range) => holds(range, address))
  return holds(global6, address) && !refused6.some((range) => holds(range, address))
}

/** Refuses a URL whose host is an address that may not be reached; names are judged when they are resolved. */
export function refuseLiteral(url: URL, reach: Reach): void {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (reach === 'anywhere' || parseAddress(host) === undefined) return
  if (!isPublicAddress(host)) throw new AddressRefused(refusal(host))
}

/**
 * A resolver for a socket: what it gives is what the socket connects to. A name of which one address may not be reached is
 * refused whole, for who mixes them means no good.
 */
export function lookupWithin(reach: Reach, lookup: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '')
      const addresses = found
      const bad = reach === 'public' ? addresses.find(({ address }) => !isPublicAddress(address)) : undefined
      const [first] = addresses
      if (bad !== undefined) return callback(new AddressRefused(refusal(bad.address)), '')
      if (first === undefined) return callback(new Error(`${hostname} has no address`), '')
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
    })
  }
}

function refusal(address: string): string {
  return `${address} is not an address on the Internet, and this URL may not lead elsewhere`
}

function rangeOf(text: string): AddressRange {
  const range = parseRange(text)
  if (range === undefined) throw new Error(`Cannot read the address range "${text}"`)
  return range
}
