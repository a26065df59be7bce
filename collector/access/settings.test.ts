import { expect, test } from 'vitest'
import { readAccessSettings } from './settings.ts'

test('an empty environment asks for no keys and serves plain HTTP', () => {
  expect(readAccessSettings({})).toEqual({})
})

test('an empty variable counts as unset', () => {
  const env = { HEADWATER_KEYS: '', HEADWATER_OTLP_TLS_CERT: ' ', HEADWATER_OTLP_TLS_KEY: '' }
  expect(readAccessSettings(env)).toEqual({})
})

test('paths are read from the environment', () => {
  const env = {
    HEADWATER_KEYS: ' keys.json ',
    HEADWATER_OTLP_TLS_CERT: '/t/a b.crt',
    HEADWATER_OTLP_TLS_KEY: '/t/a.key',
  }
  expect(readAccessSettings(env)).toEqual({
    keysPath: 'keys.json',
    tls: { certPath: '/t/a b.crt', keyPath: '/t/a.key' },
  })
})

test.each([
  ['HEADWATER_KEYS', 'a\0b', 'HEADWATER_KEYS is "a\\u0000b": give the path of a file of keys'],
  ['HEADWATER_OTLP_TLS_CERT', 'a\nb', 'HEADWATER_OTLP_TLS_CERT is "a\\nb": give the path of a PEM file'],
  ['HEADWATER_OTLP_TLS_KEY', 'x'.repeat(5_000), 'give the path of a PEM file'],
  [
    'HEADWATER_OTLP_TLS_CERT',
    'a.crt',
    'HEADWATER_OTLP_TLS_CERT is "a.crt" and HEADWATER_OTLP_TLS_KEY is not set: set both',
  ],
  [
    'HEADWATER_OTLP_TLS_KEY',
    'a.key',
    'HEADWATER_OTLP_TLS_KEY is "a.key" and HEADWATER_OTLP_TLS_CERT is not set: set both',
  ],
])('%s=%j is refused by name, value and mend', (name, value, message) => {
  expect(() => readAccessSettings({ [name]: value })).toThrow(message)
})
