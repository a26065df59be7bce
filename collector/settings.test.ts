import { expect, test } from 'vitest'
import { readCollectorSettings } from './index.ts'

const usual = {
  port: 4318,
  host: '127.0.0.1',
  corsOrigins: [],
  acknowledgement: 'logged',
  logBytesMax: 4 * 2 ** 30,
  access: {},
  sampling: {},
}

test('an empty environment means the standard port on this machine only, without CORS, an open door and a log', () => {
  expect(readCollectorSettings({})).toEqual(usual)
})

test('an empty variable counts as unset', () => {
  const env = { HEADWATER_OTLP_PORT: '', HEADWATER_OTLP_HOST: ' ', HEADWATER_CORS_ORIGINS: '', HEADWATER_ACK: '' }
  expect(readCollectorSettings(env)).toEqual(readCollectorSettings({}))
})

test('values are read from the environment', () => {
  const env = {
    HEADWATER_OTLP_PORT: '0',
    HEADWATER_OTLP_HOST: '::1',
    HEADWATER_CORS_ORIGINS: 'https://shop.example, http://localhost:3000,',
  }
  const corsOrigins = ['https://shop.example', 'http://localhost:3000']
  expect(readCollectorSettings(env)).toEqual({ ...usual, port: 0, host: '::1', corsOrigins })
})

test.each([
  ['HEADWATER_OTLP_PORT', '65536', 'give a port from 1 to 65535'],
  ['HEADWATER_OTLP_PORT', '4318x', 'give a port'],
  ['HEADWATER_OTLP_HOST', 'http://here', 'give an address or host name'],
  ['HEADWATER_CORS_ORIGINS', 'https://shop.example/path', 'give origins between commas'],
  ['HEADWATER_ACK', 'maybe', 'give logged'],
  ['HEADWATER_LOG_MAX', '10MB', 'give a size from 64MB'],
])('%s=%s is refused by name, value and mend', (name, value, mend) => {
  expect(() => readCollectorSettings({ [name]: value })).toThrow(`${name} is "${value}": ${mend}`)
})

test('a key for hashes is never shown', () => {
  expect(() => readCollectorSettings({ HEADWATER_HASH_KEY: 'short' })).toThrow(
    'HEADWATER_HASH_KEY is not usable: give a secret',
  )
})
