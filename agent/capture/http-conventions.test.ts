import { expect, test } from 'vitest'
import { pathOf, readAuthority } from './http-conventions.ts'

test.each([
  ['shop', 'http', { host: 'shop', port: 80 }],
  ['shop', 'https', { host: 'shop', port: 443 }],
  ['shop:8080', 'http', { host: 'shop', port: 8080 }],
  ['127.0.0.1:65535', 'http', { host: '127.0.0.1', port: 65_535 }],
  ['[::1]', 'http', { host: '[::1]', port: 80 }],
  ['[::1]:8080', 'http', { host: '[::1]', port: 8080 }],
  ['shop:', 'http', { host: 'shop:', port: 80 }],
  ['shop:123456', 'http', { host: 'shop:123456', port: 80 }],
  ['8080', 'http', { host: '8080', port: 80 }],
  [':8080', 'http', { host: '', port: 8080 }],
  ['', 'ws', { host: '', port: undefined }],
])('the authority "%s" of %s', (authority, scheme, expected) => {
  expect(readAuthority(authority, scheme)).toEqual(expected)
})

test.each([
  ['/a?b#c', '/a'],
  ['/a#b?c', '/a'],
  ['/a', '/a'],
  ['', ''],
])('of "%s" only the path is told', (target, path) => {
  expect(pathOf(target)).toBe(path)
})
