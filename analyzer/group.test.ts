import { expect, test } from 'vitest'
import { groupFindings } from './group.ts'
import { pictureOf } from './picture.ts'
import { callsIn, findingsOf, shop } from './test-table.ts'

const known = [...pictureOf(shop(1_000)).edges.values()]

test('what goes wrong along one way of calls is one problem', () => {
  const findings = findingsOf(
    shop(100, {
      payments: '100 calls, 40 ms, self 10 ms, 60 failed, 60 by itself',
      orders: '100 calls, 60 ms, self 15 ms, 60 failed',
      order: '100 calls, 90 ms, self 10 ms, 60 failed',
    }),
  )
  const groups = groupFindings(findings, known)
  expect(groups).toHaveLength(1)
  expect(groups[0]?.services.toSorted()).toEqual(['gateway', 'orders', 'payments'])
  expect(groups[0]?.findings).toHaveLength(findings.length)
})

test('what goes wrong in services that do not call each other are two problems', () => {
  const findings = findingsOf(
    shop(100, {
      mailer: '100 calls, 20 ms, self 20 ms, 60 failed, 60 by itself',
      catalog: '100 calls, 15 ms, self 15 ms, 60 at 900 ms, 60 self at 900 ms',
    }),
  )
  const groups = groupFindings(findings, known)
  expect(groups.map(({ services }) => services.join(' ')).toSorted()).toEqual(['catalog', 'mailer'])
  expect(groups.flatMap((group) => group.findings)).toHaveLength(findings.length)
})

test('messages join services as calls do', () => {
  const findings = findingsOf(
    shop(100, {
      mailer: '100 calls, 20 ms, self 20 ms, 60 failed, 60 by itself',
      orders: '100 calls, 60 ms, self 15 ms, 60 failed, 60 by itself',
    }),
  )
  expect(groupFindings(findings, known).map(({ services }) => services.toSorted())).toEqual([['mailer', 'orders']])
})

test('a finding on an edge joins its ends, though nobody has seen them call each other before', () => {
  const findings = findingsOf(
    callsIn('gateway GET / ?> search: 100 calls, 60 failed'),
    callsIn('gateway GET / ?> search: 1000 calls'),
  )
  expect(groupFindings(findings, [])).toMatchObject([{ services: ['search', 'gateway'] }])
})

test('without findings there is no problem', () => {
  expect(groupFindings([], known)).toEqual([])
})
