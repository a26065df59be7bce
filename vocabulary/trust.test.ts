import { BlockList } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  defaultTrust,
  forwardedHopsMax,
  holds,
  isTrustedHost,
  isTrustedPeer,
  parseAddress,
  parseRange,
  parseTrust,
} from './trust.ts'

test('IPv4 and IPv6 ranges agree with Node’s', () => {
  const families = [
    { addresses: fc.ipV4(), bits: 32, type: 'ipv4' as const },
    { addresses: fc.ipV6(), bits: 128, type: 'ipv6' as const },
  ]
  for (const { addresses, bits, type } of families) {
    fc.assert(
      fc.property(addresses, addresses, fc.integer({ min: 1, max: bits }), (base, other, prefixBits) => {
        const range = parseRange(`${base}/${prefixBits}`)
        const [first, second] = [parseAddress(base), parseAddress(other)]
        if (!range || !first || !second) throw new Error(`Cannot read ${base} or ${other}`)
        // Node takes IPv4 that is mapped into IPv6 for IPv6; we take it for IPv4.
        fc.pre(first.bits === bits && second.bits === bits)
        const node = new BlockList()
        node.addSubnet(base, prefixBits, type)
        expect(holds(range, first)).toBe(true)
        expect(holds(range, second)).toBe(node.check(other, type))
      }),
    )
  }
})

test('an IPv4 address that is mapped into IPv6 is the IPv4 address', () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
      expect(parseAddress(`::ffff:${text}`)).toEqual(parseAddress(text))
      expect(parseAddress(`::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`)).toEqual(
        parseAddress(text),
      )
      expect(parseRange(`::ffff:${text}/104`)).toEqual(parseRange(`${text}/8`))
    }),
  )
})

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '0x7f.1.1.1',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '12345::',
  'g::',
])('"%s" is no address', (text) => {
  expect(parseAddress(text)).toBe(undefined)
})

test.each([
  '127.0.0.1',
  '::1',
  '10.200.3.4',
  '172.31.255.255',
  '192.168.0.1',
  'fd00::1',
  'fe80::1%eth0',
  '::ffff:10.0.0.1',
])('a peer at %s is trusted by default', (address) => {
  expect(isTrustedPeer(defaultTrust, address)).toBe(true)
})

test.each(['8.8.8.8', '172.32.0.1', '2001:db8::1', '::ffff:8.8.8.8', '', 'localhost', undefined])(
  'a peer at %s is not trusted by default',
  (address) => {
    expect(isTrustedPeer(defaultTrust, address)).toBe(false)
  },
)

test.each([
  [true, { xForwardedFor: '10.0.0.1, 192.168.0.2:5050' }],
  [true, { forwarded: 'for=10.0.0.1;proto=https, For="[fd00::1]:80"' }],
  [false, { xForwardedFor: '203.0.113.9, 10.0.0.1' }],
  [false, { xForwardedFor: '10.0.0.1, 203.0.113.9' }],
  [false, { xForwardedFor: '10.0.0.1,' }],
  [false, { xForwardedFor: '' }],
  [false, { xForwardedFor: 'unknown' }],
  [false, { forwarded: 'for=_hidden' }],
  [false, { forwarded: 'host="a;for=10.0.0.1";for=203.0.113.9' }],
  [false, { forwarded: 'for=203.0.113.9;host="a,for=10.0.0.1"' }],
  [false, { forwarded: 'for=10.0.0.1;for=203.0.113.9' }],
  [true, { forwarded: 'by=10.0.0.9; for="10.0.0.1:80"; host="a;b"' }],
  [false, { forwarded: 'proto=https' }],
  [false, { forwarded: 'for="[2001:db8::1]"' }],
  [false, { forwarded: 'for=10.0.0.1', xForwardedFor: '203.0.113.9' }],
  [false, { xForwardedFor: Array.from({ length: forwardedHopsMax + 1 }, () => '10.0.0.1').join(',') }],
])('every hop must be trusted: %s for %o', (isTrusted, forwarding) => {
  expect(isTrustedPeer(defaultTrust, '127.0.0.1', forwarding)).toBe(isTrusted)
})

test('a public hop anywhere makes a request untrusted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constant<string>('10.0.0.1'), { maxLength: 5 }),
      fc.nat(),
      fc.ipV4(),
      (hops, at, stranger) => {
        fc.pre(!isTrustedPeer(defaultTrust, stranger))
        const xForwardedFor = hops.toSpliced(at % (hops.length + 1), 0, stranger).join(', ')
        expect(isTrustedPeer(defaultTrust, '10.0.0.1', { xForwardedFor })).toBe(false)
      },
    ),
  )
})

test.each([
  'localhost',
  'stock',
  'stock.shop.svc',
  'stock.shop.svc.cluster.local',
  'STOCK.INTERNAL.',
  '127.0.0.1',
  '[::1]',
  'fd00::1',
  '10.1.2.3',
])('%s is told by default', (host) => {
  expect(isTrustedHost(defaultTrust, host)).toBe(true)
})

test.each([
  'api.example.com',
  'internal.example.com',
  'notinternal',
  '8.8.8.8',
  '[2001:db8::1]',
  '',
  '1',
  '0x7f000001',
  'a b',
])('%s is told only if it has no dot and is a name', (host) => {
  expect(isTrustedHost(defaultTrust, host)).toBe(host === 'notinternal')
})

test('HEADWATER_TRUST widens whom we tell, and its ranges narrow whom we believe', () => {
  const { trust, malformed } = parseTrust('api.example.com, .example.org ,10.1.0.0/16,')
  expect(malformed).toEqual([])
  const told = ['api.example.com', 'x.example.org', 'a.b.example.org', '10.1.2.3', '127.0.0.1', 'stock']
  const notTold = ['x.api.example.com', 'example.org', 'evilexample.org', 'api.example.com.evil.net']
  expect(told.filter((host) => !isTrustedHost(trust, host))).toEqual([])
  expect(notTold.filter((host) => isTrustedHost(trust, host))).toEqual([])
  expect(isTrustedPeer(trust, '10.1.2.3')).toBe(true)
  expect(isTrustedPeer(trust, '10.2.0.1')).toBe(false)
  expect(isTrustedPeer(trust, '127.0.0.1')).toBe(false)
})

test('names alone leave the default for peers; what cannot be read believes nobody', () => {
  expect(parseTrust(undefined).trust).toEqual(defaultTrust)
  expect(parseTrust('api.example.com').trust.peers).toEqual(defaultTrust.peers)
  expect(parseTrust('10.0.0.0/33')).toMatchObject({ malformed: ['10.0.0.0/33'], trust: { peers: [] } })
  expect(parseTrust('10.0.0')).toMatchObject({ malformed: ['10.0.0'], trust: { peers: [] } })
})
