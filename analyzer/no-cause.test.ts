import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noCauseReason } from './no-cause.ts'
import { findingsOf, shop } from './test-table.ts'

const failing = findingsOf(shop(100, { order: '100 calls, 90 ms, self 10 ms, 60 failed' }))

test('what departs from normal is named, and that it only waits or fails with something that does not show', () => {
  expect(noCauseReason(failing)).toBe(
    'Not enough data to name a cause: gateway POST /orders departs from normal only as those do who wait for something else, ' +
      'or fail with it; what that is does not show in the spans.',
  )
})

test('nothing that departs any more is told as such', () => {
  expect(noCauseReason([])).toBe('Not enough data to name a cause: nothing departs from normal any more.')
})

test('a service bears its plain name, and a peer, of which no operation is known, no more than its own', () => {
  const [finding] = failing
  if (finding === undefined) throw new Error('Nothing was found')
  const of = (service: string, operation: string): string => noCauseReason([{ ...finding, service, operation }])
  expect(of('shop/payments@production', 'POST /charge')).toContain(': payments POST /charge departs from')
  expect(of('bank.example:443', '')).toContain(': bank.example:443 departs from')
})

test('three places are named at most, each once, and the others are counted', () => {
  const places = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(places, (numbers) => {
      const findings = numbers.flatMap((number) => failing.map((finding) => ({ ...finding, service: `s${number}` })))
      const reason = noCauseReason(findings)
      const distinct = new Set(numbers).size
      expect(reason.match(/s\d POST \/orders/g)).toHaveLength(Math.min(3, distinct))
      expect(reason.includes(' more ')).toBe(distinct > 3)
      expect(/and (\d) more/.exec(reason)?.[1]).toBe(distinct > 3 ? String(distinct - 3) : undefined)
      expect(reason).toContain(distinct === 1 ? ' departs from' : ' depart from')
    }),
  )
})
