// Flow identity is believed only when a trusted peer states it, and told only to trusted hosts: otherwise anybody on the
// Internet could join a run, and every third party that we call would learn our names.

/** Whom we believe and whom we tell. Made by `parseTrust`. */
export interface Trust {
  /** Peers in these ranges are believed. */
  peers: readonly AddressRange[]
  /** Address literals in these ranges are told. */
  hosts: readonly AddressRange[]
  /** Host names that are told, in lower case; one that begins with a dot stands for all names that end with it. */
  names: readonly string[]
}

/** The addresses that share their first `prefixBits` bits with `address`. */
export interface AddressRange {
  address: Address
  prefixBits: number
}

/** An IP address as a number. An IPv4 address that is mapped into IPv6 is an IPv4 address. */
export interface Address {
  bits: 32 | 128
  value: bigint
}

/** What proxies on the way say about the peers before them: the two headers as they came. */
export interface Forwarding {
  forwarded?: string | undefined
  xForwardedFor?: string | undefined
}

/** A request that says it came over more proxies than this came from nobody whom we know. */
export const forwardedHopsMax = 32

const localRanges = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].map((text) => knownRange(text))
const localSuffixes = ['.internal', '.svc', '.cluster.local']

/** Loopback, private and link-local addresses; the host names that only a private network resolves. */
export const defaultTrust: Trust = { peers: localRanges, hosts: localRanges, names: localSuffixes }

/**
 * Reads a comma-separated list of host names (`api.example.com`), suffixes (`.example.com`), addresses and ranges
 * (`10.1.0.0/16`). Names and ranges widen whom we tell. Ranges narrow whom we believe: where there is one, only these. An
 * entry that cannot be read is returned, and narrows too: a misspelt range must not believe everybody on the network.
 */
export function parseTrust(text: string | undefined): { trust: Trust; malformed: string[] } {
  const entries = (text ?? '').split(',').flatMap((entry) => entry.trim() || [])
  const ranges: AddressRange[] = []
  const names: string[] = []
  const malformed: string[] = []
  for (const entry of entries) {
    const range = parseRange(entry)
    if (range) ranges.push(range)
    else if (hostNameForm.test(entry) && !looksNumeric(entry)) names.push(entry.toLowerCase())
    else malformed.push(entry)
  }
  const narrowed = ranges.length + malformed.length > 0
  const trust = {
    peers: narrowed ? ranges : localRanges,
    hosts: [...localRanges, ...ranges],
    names: [...localSuffixes, ...names],
  }
  return { trust, malformed }
}

/** Longest host name of DNS; a longer one would only keep the pattern busy. */
const hostCharsMax = 253
const hostNameForm = /^\.?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i

/** `10.1.0` and `0x7f000001` are addresses to some resolvers, and never host names: no top-level domain is a number. */
function looksNumeric(text: string): boolean {
  return /^(\d+|0x[0-9a-f]*)$/i.test(text.slice(text.lastIndexOf('.') + 1))
}

/** Whether a request from `address` is believed: its own address and, over proxies, every address that they name. */
export function isTrustedPeer(trust: Trust, address: string | undefined, forwarding: Forwarding = {}): boolean {
  if (!isIn(trust.peers, address)) return false
  const hops = [...forwardedFor(forwarding.forwarded), ...listed(forwarding.xForwardedFor)]
  return hops.length <= forwardedHopsMax && hops.every((hop) => isIn(trust.peers, withoutPort(hop)))
}

/** Whether flow identity may be told to `host`: a host name or an address literal, in brackets or not, without port. */
export function isTrustedHost(trust: Trust, host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
  if (parseAddress(name)) return isIn(trust.hosts, name)
  if (name.length > hostCharsMax || !hostNameForm.test(name) || looksNumeric(name)) return false
  if (!name.includes('.')) return true
  return trust.names.some((known) => (known.startsWith('.') ? name.endsWith(known) : name === known))
}

/** Reads an IPv4 or IPv6 address; a zone (`fe80::1%eth0`) is ignored. */
export function parseAddress(text: string): Address | undefined {
  const zoneless = text.includes(':') ? text.replace(/%.*$/, '') : text
  return parseIpv4(zoneless) ?? parseIpv6(zoneless)
}

/** Reads `address/prefix`, or an address alone, which is a range of one. */
export function parseRange(text: string): AddressRange | undefined {
  const [addressText = '', prefixText, ...rest] = text.split('/')
  const address = parseAddress(addressText)
  if (!address || rest.length > 0) return undefined
  if (prefixText === undefined) return { address, prefixBits: address.bits }
  if (!/^\d{1,3}$/.test(prefixText)) return undefined
  // ::ffff:10.0.0.0/104 counts its prefix in IPv6 bits, though we keep the address as IPv4.
  const mapped = address.bits === 32 && addressText.includes(':')
  const prefixBits = Number(prefixText) - (mapped ? 96 : 0)
  return prefixBits >= 0 && prefixBits <= address.bits ? { address, prefixBits } : undefined
}

/** Whether `range` holds `address`. */
export function holds(range: AddressRange, address: Address): boolean {
  if (range.address.bits !== address.bits) return false
  const shift = BigInt(address.bits - range.prefixBits)
  return range.address.value >> shift === address.value >> shift
}

function isIn(ranges: readonly AddressRange[], text: string | undefined): boolean {
  const address = text === undefined ? undefined : parseAddress(text)
  return address !== undefined && ranges.some((range) => holds(range, address))
}

function parseIpv4(text: string): Address | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    // A leading zero means octal to some resolvers, so such an address is not the same to everybody.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return { bits: 32, value }
}

function parseIpv6(text: string): Address | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = [groupsOf(halves[0] ?? ''), groupsOf(halves[1] ?? '')]
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<bigint>(missing).fill(0n), ...tail]
  const value = groups.reduce((sum, group) => (sum << 16n) | group, 0n)
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value }
}

/** The 16-bit groups between colons; the last may be written as IPv4. */
function groupsOf(text: string): bigint[] | undefined {
  if (text === '') return []
  const groups: bigint[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 ? parseIpv4(part) : undefined
    if (ipv4) groups.push(ipv4.value >> 16n, ipv4.value & 0xffffn)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`))
    else return undefined
  }
  return groups
}

/**
 * The `for` of each element (RFC 7239). An element without one hides its sender, one with two has two, and what is within quotes is
 * no part of its own: nobody trusts the empty address, which stands for all of these.
 */
function forwardedFor(header: string | undefined): string[] {
  return listed(header).map((element) => {
    const senders: string[] = []
    const pair = /\s*([\w!#$%&'*+.^`|~-]+)=(?:"([^"\\]*)"|([^";\s]*))\s*(?:;|$)/y
    while (pair.lastIndex < element.length) {
      const [, name, quoted, plain] = pair.exec(element) ?? []
      if (name === undefined) return ''
      if (name.toLowerCase() === 'for') senders.push(quoted ?? plain ?? '')
    }
    return senders.length === 1 ? (senders[0] ?? '') : ''
  })
}

function listed(header: string | undefined): string[] {
  return header === undefined ? [] : header.split(',').map((element) => element.trim())
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without their ports. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text)
  if (bracketed) return bracketed[1] ?? ''
  return text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
}

function knownRange(text: string): AddressRange {
  const range = parseRange(text)
  if (!range) throw new Error(`Cannot read the address range "${text}"`)
  return range
}
