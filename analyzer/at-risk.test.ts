import fc from 'fast-check'
import { expect, test } from 'vitest'
import { atRiskOf } from './at-risk.ts'
import type { Suspect } from './cause.ts'
import { pictureOf } from './picture.ts'
import { callsIn, shop } from './test-table.ts'

const nobody = { services: [], flows: [] }
const suspect = (over: Partial<Suspect>): Suspect => ({
  service: 'payments',
  operation: 'POST /charge',
  kind: 'errors',
  weight: 1,
  findings: [],
  ...over,
})

/** Orders charge each time, refunds in one of four; half of what the gateway takes is orders. */
const world = pictureOf(
  callsIn(`
    - > gateway POST /orders: 100 calls, flow POST /orders
    - > gateway GET /products: 100 calls, flow GET /products
    gateway POST /orders > orders POST /orders: 100 calls
    orders POST /orders > payments POST /charge: 100 calls, flow POST /orders
    - > refunds POST /refunds: 100 calls, flow POST /refunds
    refunds POST /refunds > payments POST /charge: 25 calls, flow POST /refunds
    refunds POST /refunds > payments GET /rates: 75 calls, flow POST /refunds
    payments POST /charge ~> mailer process mails: 125 calls
    mailer process mails > templates GET /template: 125 calls`),
)

test('who calls the cause is at risk by the share of its calls that lead there, directly or through others', () => {
  expect(atRiskOf(suspect({}), world, nobody)).toEqual({
    services: [
      { name: 'orders', share: 1 },
      { name: 'gateway', share: 0.5 },
      { name: 'refunds', share: 0.25 },
    ],
    flows: ['POST /orders', 'POST /refunds'],
  })
})

test('who is hit already is not told again', () => {
  const hit = { services: ['orders', 'gateway'], flows: ['POST /orders'] }
  expect(atRiskOf(suspect({}), world, hit)).toEqual({
    services: [{ name: 'refunds', share: 0.25 }],
    flows: ['POST /refunds'],
  })
})

test('who gives no answer at all is missed by all who call any of its operations', () => {
  const { services } = atRiskOf(suspect({ kind: 'unavailable' }), world, nobody)
  expect(services).toContainEqual({ name: 'refunds', share: 1 })
})

test('a message that is taken late keeps nobody waiting', () => {
  const { services } = atRiskOf(suspect({ service: 'templates', operation: 'GET /template' }), world, nobody)
  expect(services).toEqual([{ name: 'mailer', share: 1 }])
})

test('a peer without spans puts at risk who waits for it', () => {
  const shopping = pictureOf(shop(100))
  const bank = suspect({ kind: 'dependency', peer: 'bank.example:443' })
  expect(atRiskOf(bank, shopping, nobody).services).toEqual([
    { name: 'orders', share: 1 },
    { name: 'gateway', share: 0.5 },
  ])
})

test('shares stay between 0 and 1, whoever calls whom, in circles too', () => {
  const place = fc.constantFrom('a', 'b', 'c', 'd')
  const calls = fc.array(fc.tuple(place, place, fc.integer({ min: 1, max: 50 })), { maxLength: 12 })
  fc.assert(
    fc.property(calls, (made) => {
      const known = pictureOf(callsIn(made.map(([from, to, n]) => `${from} work > ${to} work: ${n} calls`).join('\n')))
      const { services } = atRiskOf(suspect({ service: 'a', operation: 'work' }), known, nobody)
      expect(services.map(({ name }) => name)).not.toContain('a')
      for (const { share } of services) expect(share > 0 && share <= 1).toBe(true)
    }),
  )
})
