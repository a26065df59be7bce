import { expect, test } from 'vitest'
import { createRedaction } from './redaction.ts'
import { defaultRules, parseRules } from './rules.ts'

const hashKey = 'a key of sixteen bytes or more'
const byDefault = createRedaction(defaultRules, { hashKey: undefined })

function withRules(...rules: object[]) {
  return createRedaction(parseRules(JSON.stringify({ rules }), 'rules.json'), { hashKey })
}

test.each([
  ['http.request.header.authorization', 'mask'],
  ['http.request.header.Proxy-Authorization', 'mask'],
  ['http.request.header.set_cookie', 'mask'],
  ['http.request.header.x-api-key', 'mask'],
  ['http.request.header.x-csrf-token', 'mask'],
  ['X-XSRF-TOKEN', 'mask'],
  ['Cookie', 'mask'],
  ['db.password', 'mask'],
  ['newPassword', 'mask'],
  ['oauth.client_secret', 'mask'],
  ['clientSecret', 'mask'],
  ['AWS_SECRET_ACCESS_KEY', 'mask'],
  ['id_token', 'mask'],
  ['http.request.header.content-type', 'keep'],
  ['session.id', 'keep'],
  ['user.id', 'keep'],
  ['url.full', 'keep'],
  ['gen_ai.usage.input_tokens', 'keep'],
  ['messaging.kafka.message.key', 'keep'],
  ['http.response.status_code', 'keep'],
  ['authorization.granted', 'keep'],
  ['page_token', 'keep'],
  ['', 'keep'],
])('by default, an attribute %s is: %s', (name, action) => {
  expect(byDefault.ofName(name)).toBe(action)
})

test('the first rule that fits a name decides, and defaults come last', () => {
  const redaction = withRules(
    { attribute: 'test.password', action: 'keep' },
    { attribute: 'User.Email', action: 'hash' },
    { attribute: '*.ssn', action: 'drop' },
    { attribute: 'user.*', action: 'mask' },
  )
  const names = ['test.password', 'other.password', 'user.email', 'user.ssn', 'USER.name', 'users.name']
  expect(names.map((name) => redaction.ofName(name))).toEqual(['keep', 'mask', 'hash', 'drop', 'mask', 'keep'])
})

test('without the defaults only rules count', () => {
  const redaction = createRedaction({ ...defaultRules, defaults: false }, { hashKey: undefined })
  const text = 'https://u:p@host?token=abc'
  expect(redaction.ofName('password')).toBe('keep')
  expect(redaction.ofText(text)).toBe(text)
  expect(redaction.mayHoldSecret(Buffer.from(text), 0, text.length)).toBe(false)
})

test('equal values have equal hashes under one key, and a hash is not hashed again', () => {
  const redaction = withRules({ attribute: 'user.email', action: 'hash' })
  const hash = redaction.hash('ada@example.com')
  expect(hash).toMatch(/^hmac:[0-9a-f]{32}$/)
  expect(redaction.hash('ada@example.com')).toBe(hash)
  expect(redaction.hash('eve@example.com')).not.toBe(hash)
  expect(redaction.hash(hash)).toBe(hash)
})

test('hashing needs a key that cannot be found by trying', () => {
  const rules = parseRules('{"rules": [{"attribute": "user.email", "action": "hash"}]}', 'rules.json')
  const fault = 'Cannot hash attributes with a key of 5 bytes: give a secret one of at least 16 bytes'
  expect(() => createRedaction(rules, { hashKey: 'short' })).toThrow(fault)
  expect(() => createRedaction(rules, { hashKey: undefined })).toThrow('a key of 0 bytes')
})

test('what a pattern finds is masked or hashed, and the rest stays', () => {
  const redaction = withRules(
    { pattern: '\\bPO-\\d{6}\\b', action: 'mask' },
    { pattern: '[a-z]+@example\\.com', action: 'hash' },
  )
  expect(redaction.looksAtEveryText).toBe(true)
  expect(redaction.ofText('PO-123456 and PO-1234567')).toBe('[redacted] and PO-1234567')
  expect(redaction.ofText('mail to ada@example.com')).toBe(`mail to ${redaction.hash('ada@example.com')}`)
})

test('what a pattern hashes under a secret name stays joinable', () => {
  const redaction = withRules({ pattern: 'abc[0-9]+', action: 'hash' })
  expect(redaction.ofText('token=abc123')).toBe(`token=${redaction.hash('abc123')}`)
})

test('a pattern that drops takes the attribute with it', () => {
  const redaction = withRules({ pattern: 'top secret', action: 'drop' })
  expect(redaction.ofText('this is top secret')).toBeUndefined()
  expect(redaction.ofText('this is not')).toBe('this is not')
})

test('a pattern that finds marks leaves them, and half a mark is never left', () => {
  expect(withRules({ pattern: '\\w+', action: 'mask' }).ofText('ab cd')).toBe('[redacted] [redacted]')
  expect(withRules({ pattern: 'redacted|hmac', action: 'drop' }).ofText('x token=1')).toBe('x token=[redacted]')
  expect(withRules({ pattern: 'x .red', action: 'mask' }).ofText('x [redacted] y')).toBe('[redacted] y')
})

test('a character beyond U+FFFF is masked whole', () => {
  expect(withRules({ pattern: '^.', action: 'mask' }).ofText('😀 there')).toBe('[redacted] there')
})

test('a text that would become mostly marks is masked as a whole', () => {
  expect(withRules({ pattern: '[a-z]', action: 'hash' }).ofText('every letter alone')).toBe('[redacted]')
})

test('a pattern that strangers would make slow reads each character once', () => {
  const redaction = withRules({ pattern: '(a+)+$', action: 'mask' }, { pattern: '[\\w.]+@[\\w.]+', action: 'mask' })
  const hostile = `${'a'.repeat(1_000_000)}!`
  expect(redaction.ofText(hostile)).toBe(hostile)
})
