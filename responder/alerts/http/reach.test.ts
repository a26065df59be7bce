import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { expect, test } from 'vitest'
import { startReceiver } from '../test-receiver.ts'
import { post } from './post.ts'
import { isPublicAddress } from './reach.ts'

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.1',
  '192.169.0.1',
  '::ffff:8.8.8.8',
  '2606:4700:4700::1111',
  '2a00:1450::1',
])('%s is on the Internet', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

test.each([
  ['this machine', '127.0.0.1'],
  ['this machine, too', '127.255.255.254'],
  ['this machine in IPv6', '::1'],
  ['this machine mapped', '::ffff:127.0.0.1'],
  ['this machine mapped, in hex', '::ffff:7f00:1'],
  ['this machine as IPv4-compatible', '::127.0.0.1'],
  ['no address', '0.0.0.0'],
  ['no address in IPv6', '::'],
  ['a private network', '10.1.2.3'],
  ['a private network', '172.16.0.1'],
  ['a private network', '192.168.1.1'],
  ['a carrier', '100.64.0.1'],
  ['the metadata of a cloud', '169.254.169.254'],
  ['the metadata of a cloud mapped', '::ffff:169.254.169.254'],
  ['the metadata of a cloud in IPv6', 'fd00:ec2::254'],
  ['link-local', 'fe80::1'],
  ['link-local with its interface', 'fe80::1%eth0'],
  ['IPv4 translated', '64:ff9b::a9fe:a9fe'],
  ['IPv4 by 6to4', '2002:a9fe:a9fe::1'],
  ['IPv4 by Teredo', '2001:0:a9fe:a9fe::1'],
  ['documentation', '192.0.2.1'],
  ['documentation', '2001:db8::1'],
  ['a benchmark', '198.18.0.1'],
  ['multicast', '224.0.0.1'],
  ['multicast in IPv6', 'ff02::1'],
  ['broadcast', '255.255.255.255'],
  ['octal to some', '0177.0.0.1'],
  ['nonsense', 'localhost'],
  ['nothing', ''],
])('%s (%s) is not', (_, address) => {
  expect(isPublicAddress(address)).toBe(false)
})

const nobody = { headers: {}, body: '{}' }

test.each([
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://0/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:a9fe:a9fe]/latest/meta-data/',
  'http://169.254.169.254/latest/meta-data/',
  'http://localhost/',
  'http://user:password@127.0.0.1/',
  'http://127。0。0。1/',
])('a URL that others chose does not reach us as %s', async (url) => {
  const one = await startReceiver()
  const target = new URL(url)
  target.port = new URL(one.url).port
  try {
    const reply = await post({ ...nobody, url: target.href, reach: 'public' })
    expect(reply.kind).toBe('refused')
    expect(one.received).toEqual([])
  } finally {
    await one.close()
  }
})

/** A resolver that says what it is told, and another thing the next time. */
function resolver(...answers: LookupAddress[][]) {
  let asked = 0
  const lookup = ((
    _name: string,
    _options: LookupAllOptions,
    callback: (error: null, found: LookupAddress[]) => void,
  ) => {
    callback(null, answers[Math.min(asked++, answers.length - 1)] ?? [])
  }) as unknown as NonNullable<Parameters<typeof post>[0]['resolve']>
  return { lookup, asked: () => asked }
}

const here = { address: '127.0.0.1', family: 4 }
const elsewhere = { address: '192.0.2.1', family: 4 }
const abroad = { address: '8.8.8.8', family: 4 }

test.each([
  ['one of our own', [here]],
  ['one of ours among others', [abroad, here]],
  ['one that is nobody’s', [elsewhere]],
  ['a mapped one of ours', [{ address: '::ffff:10.0.0.1', family: 6 }]],
])('a name that resolves to %s is refused', async (_, addresses) => {
  const one = await startReceiver()
  const url = `http://evil.example:${new URL(one.url).port}/`
  try {
    const reply = await post({ ...nobody, url, reach: 'public', resolve: resolver(addresses).lookup })
    expect(reply.kind).toBe('refused')
    expect(one.received).toEqual([])
  } finally {
    await one.close()
  }
})

test('a name is asked for once, and what was judged is what is connected to', async () => {
  const one = await startReceiver()
  const url = `http://rebound.example:${new URL(one.url).port}/`
  try {
    // The second answer would be another machine; nobody hears it.
    const { lookup, asked } = resolver([here], [elsewhere])
    expect(await post({ ...nobody, url, reach: 'anywhere', resolve: lookup })).toMatchObject({ status: 204 })
    expect(asked()).toBe(1)
    expect(one.received).toHaveLength(1)
  } finally {
    await one.close()
  }
})

test('the operator’s own URLs may lead to this machine', async () => {
  const one = await startReceiver()
  try {
    expect(await post({ ...nobody, url: `${one.url}/hook`, reach: 'anywhere' })).toMatchObject({
      kind: 'answered',
      status: 204,
    })
  } finally {
    await one.close()
  }
})
