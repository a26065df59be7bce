import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedaction, suspiciousDigits } from './redaction.ts'
import { defaultRules, parseRules } from './rules.ts'
import { SecretSearch } from './secret-search.ts'

const byDefault = createRedaction(defaultRules, { hashKey: undefined })

// Texts in which the parts of secrets, of marks and of what ends them meet in every order.
const parts = fc.oneof(
  fc.constantFrom(
    '=',
    '@',
    '://',
    '%3D',
    '%3F',
    '%26',
    '&',
    '?',
    ' ',
    '"',
    "'",
    '\\',
    '[',
    ']',
    '-',
    '_',
    '.',
    ':',
    ';',
  ),
  fc.constantFrom('token', 'password', 'key', 'sig', 'https', 'Bearer ', 'basic ', 'authorization=', 'hmac:', '>'),
  fc.constantFrom('4111111111111111', '4111', '1111', '378282246310005', '3782', '822463', '10005', '0123456789abcdef'),
  fc.constantFrom('[redacted]', '[redacted card …1111]', 'hmac:0123456789abcdef0123456789abcdef', 'dXNlcjpwYXNz1'),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const texts = fc.array(parts, { maxLength: 16 }).map((list) => list.join(''))

const isSuspicious = (text: string) => /[=@]/.test(text) || text.replaceAll(/[^0-9]/g, '').length >= suspiciousDigits

test('redacting twice changes nothing more', () => {
  const twice = fc.property(texts, (text) => {
    const once = byDefault.ofText(text) ?? ''
    expect(byDefault.ofText(once)).toBe(once)
  })
  fc.assert(twice, { numRuns: 10_000 })
})

test('redacting twice changes nothing more with patterns either', () => {
  const sources = [
    '[0-9]',
    '\\w+',
    'token|4',
    '^.',
    '.$',
    'redacted',
    'a.*',
    '\\] .',
    '[^a]',
    'hmac:.',
    '=.',
    '(?:ab?)+',
  ]
  const actions = fc.constantFrom('mask', 'hash', 'drop')
  const rule = fc.record({ pattern: fc.constantFrom(...sources), action: actions })
  const twice = fc.property(texts, fc.array(rule, { minLength: 1, maxLength: 3 }), (text, rules) => {
    const read = parseRules(JSON.stringify({ rules }), 'rules.json')
    const redaction = createRedaction(read, { hashKey: 'a key of sixteen bytes or more' })
    const once = redaction.ofText(text) ?? ''
    fc.pre(once !== '')
    expect(redaction.ofText(once)).toBe(once)
    expect(once.isWellFormed()).toBe(true)
  })
  fc.assert(twice, { numRuns: 2000 })
})

test('without = and @ and with few digits no text is changed', () => {
  const plain = fc.property(
    texts.filter((text) => !isSuspicious(text)),
    (text) => {
      expect(byDefault.ofText(text)).toBe(text)
    },
  )
  fc.assert(plain)
})

test('bytes may hold a secret exactly when their text would change, whatever stands around them', () => {
  const suspicious = fc.property(texts.filter(isSuspicious), texts, texts, (text, before, after) => {
    const start = Buffer.byteLength(before)
    const bytes = Buffer.from(before + text + after)
    const mayHold = byDefault.mayHoldSecret(bytes, start, start + Buffer.byteLength(text))
    expect(mayHold).toBe(byDefault.ofText(text) !== text)
  })
  fc.assert(suspicious, { numRuns: 10_000 })
})

test('what was well-formed stays so', () => {
  const wellFormed = fc.property(texts, (text) => {
    expect(byDefault.ofText(text)?.isWellFormed()).toBe(true)
  })
  fc.assert(wellFormed)
})

test('a secret does not survive, whatever stands around it', () => {
  const plants = fc.constantFrom(
    (secret: string) => `?token=${secret}&`,
    (secret: string) => ` password = "${secret}" `,
    (secret: string) => ` https://user:${secret}@host/ `,
    (secret: string) => `{"mail":"a@b.c","password":"${secret}"}`,
    (secret: string) => ` a=1 Bearer ${secret} `,
    (secret: string) => ` next=%3Fapi_key%3D${secret}%26`,
  )
  // After a quote that was left open, nobody can tell what the next one means.
  const closed = texts.map((text) => text.replaceAll(/["'\\]/g, ''))
  const planted = fc.property(closed, plants, texts, (before, plant, after) => {
    const secret = 'S3cretThatIsSecret'
    expect(byDefault.ofText(before + plant(secret) + after)).not.toContain(secret)
  })
  fc.assert(planted, { numRuns: 10_000 })
})

test.each([
  'a',
  '=',
  'token=',
  'token=[',
  'token="',
  'token="\\',
  'token=?&',
  'authorization=Bearer ',
  '-=',
  '_-_-_-token=',
  '%3D',
  '%5D=',
  '://',
  'a://',
  'a://:',
  'a://u:p@',
  '@',
  ':',
  '4',
  '4111 ',
  '4111-1111-1111-111',
  '4111111111111111 ',
  'Bearer ',
  'bearer Bearer1234',
  '[redacted]=',
  '"token":"',
  '"token":',
  '"token":"\\',
])('the work for a text of "%s" over and over grows as its length', (part) => {
  const reads = (length: number) => readsOf(Buffer.from(part.repeat(Math.ceil(length / part.length)).slice(0, length)))
  expect(reads(16_000) / reads(4000)).toBeLessThan(4.1)
  expect(reads(16_000) / 16_000).toBeLessThan(20)
})

/** How often a search to the end reads a byte. */
function readsOf(bytes: Buffer): number {
  let reads = 0
  const counted = new Proxy<Uint8Array>(bytes, {
    get(target, name) {
      reads += 1
      return target[Number(name)]
    },
  })
  const search = new SecretSearch()
  search.open(counted, 0, bytes.length)
  while (search.next()) reads += 0
  return reads
}
