import { expect, test } from 'vitest'
import { isLoopback, readApiSettings } from './settings.ts'

test('by default only this machine is served, on 8012', () => {
  expect(readApiSettings({})).toEqual({ host: '127.0.0.1', port: 8012, token: undefined })
})

test('empty equals unset, and 0 means any port', () => {
  expect(readApiSettings({ HEADWATER_HOST: '', HEADWATER_PORT: '0', HEADWATER_TOKEN: '' })).toEqual({
    host: '127.0.0.1',
    port: 0,
    token: undefined,
  })
})

test('others are served with a token only', () => {
  expect(() => readApiSettings({ HEADWATER_HOST: '0.0.0.0' })).toThrow(/HEADWATER_HOST="0.0.0.0".*set HEADWATER_TOKEN/)
  expect(readApiSettings({ HEADWATER_HOST: '0.0.0.0', HEADWATER_TOKEN: 'secret' }).token).toBe('secret')
})

test.each([
  [{ HEADWATER_PORT: 'http' }, /HEADWATER_PORT="http": set a port/],
  [{ HEADWATER_PORT: '70000' }, /HEADWATER_PORT="70000"/],
  [{ HEADWATER_HOST: 'a b' }, /HEADWATER_HOST="a b": set an address/],
])('%j is refused with the mend', (env, message) => {
  expect(() => readApiSettings(env)).toThrow(message)
})

test('a token that no header can carry is refused without being shown', () => {
  expect(() => readApiSettings({ HEADWATER_TOKEN: 'se cret' })).toThrow(/^(?!.*se cret).*HEADWATER_TOKEN/)
})

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['evil.example', false],
  ['127.0.0.1.evil.example', false],
])('%s is loopback: %j', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})
