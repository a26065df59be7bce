import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatService, parseService } from './service.ts'

test('a service without namespace and environment is just its name', () => {
  expect(formatService({ name: 'checkout', namespace: '', environment: '' })).toBe('checkout')
})

test('staging is another service than production', () => {
  expect(formatService({ name: 'checkout', namespace: 'shop', environment: 'staging' })).toBe('shop/checkout@staging')
})

test('any identity survives being written and read', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (name, namespace, environment) => {
      expect(parseService(formatService({ name, namespace, environment }))).toEqual({ name, namespace, environment })
    }),
  )
})
