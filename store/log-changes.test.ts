import { expect, test } from 'vitest'
import { byLogChange, type LoggedKinds } from './log-changes.ts'

/** Of each service its calls, and its lines by kind. */
function logged(services: Record<string, [calls: number, lines: Record<string, number>]>, share = 1): LoggedKinds {
  return {
    share,
    calls: new Map(Object.entries(services).map(([service, [calls]]) => [service, calls])),
    kinds: Object.entries(services).flatMap(([service, [, lines]]) =>
      Object.entries(lines).map(([kind, count]) => ({ serviceName: service, service, kind, lines: count })),
    ),
  }
}

const order = (recent: LoggedKinds, usual: LoggedKinds): string[] =>
  byLogChange(recent, usual).map(({ service }) => service)

test('the services whose lines changed most for each call come first, whether lines began or ceased', () => {
  const usual = logged({ gateway: [1e6, { got: 1e6 }], orders: [1e4, { took: 1e4 }], mail: [1e4, { sent: 1e4 }] })
  const recent = logged({
    gateway: [1e6, { got: 1.01e6 }],
    orders: [1e4, { took: 1e4, failed: 4e3 }],
    mail: [1e4, { sent: 1e3 }],
  })
  expect(order(recent, usual)).toEqual(['mail', 'orders', 'gateway'])
})

test('more calls, or a part of the records, are no change', () => {
  const usual = logged({ orders: [1e4, { took: 1e4 }], mail: [1e4, { sent: 1e4 }] })
  const recent = logged({ orders: [4e4, { took: 1e4 }], mail: [4e4, { sent: 2e3 }] }, 0.25)
  expect(order(recent, usual)).toEqual(['mail', 'orders'])
})

test('what chance makes of a few lines comes after what it cannot make of many', () => {
  const usual = logged({ idle: [10, { woke: 5 }], busy: [1e5, { took: 1e4 }] })
  const recent = logged({ idle: [10, { woke: 8 }], busy: [1e5, { took: 2e4 }] })
  expect(order(recent, usual)).toEqual(['busy', 'idle'])
})

test('who has no calls, then or now, is not told', () => {
  const usual = logged({ gone: [0, { said: 5 }], orders: [10, { took: 10 }] })
  expect(order(logged({ gone: [10, { said: 5 }], orders: [10, { took: 10 }] }), usual)).toEqual(['orders'])
  expect(order(logged({}), usual)).toEqual([])
})
