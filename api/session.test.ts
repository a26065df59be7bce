import { expect, test } from 'vitest'
import { endedSessionCookie, provesToken, sessionCookie } from './session.ts'

const nowMs = 1_800_000_000_000
const token = 'a secret of many characters'
const cookieOf = (header: string) => header.split(';')[0] ?? ''
const cookie = cookieOf(sessionCookie({ token, nowMs, isSecure: false }))

test('a session proves its token, among other cookies, until it ends', () => {
  expect(provesToken(`a=b; ${cookie}; c=d`, { token, nowMs })).toBe(true)
  expect(provesToken(cookie, { token, nowMs: nowMs + 31 * 86_400_000 })).toBe(false)
})

test('another token, a later end, and anything malformed prove nothing', () => {
  expect(provesToken(cookie, { token: 'another', nowMs })).toBe(false)
  const [, ends = '', proof = ''] = /=(\d+)\.(.*)$/.exec(cookie) ?? []
  for (const forged of [
    `headwater_session=${Number(ends) + 1}.${proof}`,
    `headwater_session=${ends}.${proof.slice(1)}`,
    `headwater_session=${ends}.${'A'.repeat(43)}`,
    `headwater_session=${token}`,
    'headwater_session=',
    '',
  ]) {
    expect(provesToken(forged, { token, nowMs })).toBe(false)
  }
  expect(provesToken(undefined, { token, nowMs })).toBe(false)
})

test('no script reads the cookie, no other site sends it, and it does not hold the token', () => {
  const header = sessionCookie({ token, nowMs, isSecure: true })
  expect(header).toContain('HttpOnly')
  expect(header).toContain('SameSite=Strict')
  expect(header).toContain('Secure')
  expect(header).not.toContain(token)
  expect(endedSessionCookie({ isSecure: false })).toContain('Max-Age=0')
})
