import fc from 'fast-check'
import { expect, test } from 'vitest'
import { atRiskOf } from './at-risk.ts'
import type { Suspect } from './cause.ts'
import { pictureOf } from './picture.ts'
import { callsIn, shop } from './test-table.ts'

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
  expect(atRiskOf(suspect({}), world, [])).toEqual([
    { service: 'orders', share: 1 },
    { service: 'gateway', share: 0.5 },
    { service: 'refunds', share: 0.25 },
  ])
})

test('who is hit already is not told again', () => {
  expect(atRiskOf(suspect({}), world, ['orders', 'gateway'])).toEqual([{ service: 'refunds', share: 0.25 }])
})

test('who gives no answer at all is missed by all who call any of its operations', () => {
  const services = atRiskOf(suspect({ kind: 'unavailable' }), world, [])
  expect(services).toContainEqual({ service: 'refunds', share: 1 })
})

test('a message that is taken late keeps nobody waiting', () => {
  const services = atRiskOf(suspect({ service: 'templates', operation: 'GET /template' }), world, [])
  expect(services).toEqual([{ service: 'mailer', share: 1 }])
})

test('a peer without spans puts at risk who waits for it', () => {
  const shopping = pictureOf(shop(100))
  const bank = suspect({ kind: 'dependency', peer: 'bank.example:443' })
  expect(atRiskOf(bank, shopping, [])).toEqual([
    { service: 'orders', share: 1 },
    { service: 'gateway', share: 0.5 },
  ])
})

test('shares stay between 0 and 1, whoever calls whom, in circles too', () => {
  const place = fc.constantFrom('a', 'b', 'c', 'd')
  const calls = fc.array(fc.tuple(place, place, fc.integer({ min: 1, max: 50 })), { maxLength: 12 })
  fc.assert(
    fc.property(calls, (made) => {
      const known = pictureOf(callsIn(made.map(([from, to, n]) => `${from} work > ${to} work: ${n} calls`).join('\n')))
      const services = atRiskOf(suspect({ service: 'a', operation: 'work' }), known, [])
      expect(services.map((each) => each.service)).not.toContain('a')
      for (const { share } of services) expect(share > 0 && share <= 1).toBe(true)
    }),
  )
})

test('in a graph of tens of thousands of operations only those that lead to the cause are looked at', () => {
  const many = Array.from(
    { length: 20_000 },
    (_, i) => `s${i % 200} op${i} > s${(i + 7) % 200} op${(i * 31) % 20_000}: 10 calls`,
  )
  const known = pictureOf(
    callsIn([...many, '- > front GET /: 10 calls', 'front GET / > payments POST /charge: 10 calls'].join('\n')),
  )
  expect(atRiskOf(suspect({}), known, [])).toEqual([{ service: 'front', share: 1 }])
})
