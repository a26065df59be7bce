import { expect, test } from 'vitest'
import { windowAt } from './maintenance.ts'
import { testConfiguration } from './test-incidents.ts'

const windowsOf = (...maintenance: object[]) => testConfiguration({ maintenance }).maintenance
const at = (time: string) => Date.parse(time)

test('a window begins at its beginning and is over at its end', () => {
  const windows = windowsOf({ name: 'move', from: '2026-11-28T22:00:00Z', until: '2026-11-29T00:00:00+01:00' })
  const isOn = (time: string) => windowAt(windows, 'db', at(time))?.name
  expect(isOn('2026-11-28T21:59:59Z')).toBeUndefined()
  expect(isOn('2026-11-28T22:00:00Z')).toBe('move')
  expect(isOn('2026-11-28T22:59:59Z')).toBe('move')
  expect(isOn('2026-11-28T23:00:00Z')).toBeUndefined()
})

test('a window is of its services, or of all', () => {
  const times = { from: '2026-11-28T22:00:00Z', until: '2026-11-28T23:00:00Z' }
  const some = windowsOf({ name: 'some', services: ['db', 'cache-*'], ...times })
  const now = at('2026-11-28T22:30:00Z')
  expect(windowAt(some, 'db', now)?.name).toBe('some')
  expect(windowAt(some, 'cache-2', now)?.name).toBe('some')
  expect(windowAt(some, 'shop', now)).toBeUndefined()
  expect(windowAt(some, undefined, now)).toBeUndefined()
  expect(windowAt(windowsOf({ name: 'all', ...times }), undefined, now)?.name).toBe('all')
})

test('a weekly window goes by the clocks of its zone, also when these change, and over midnight', () => {
  const windows = windowsOf({
    name: 'night',
    weekly: { days: ['sat'], from: '23:00', until: '02:30', zone: 'Europe/Berlin' },
  })
  const isOn = (time: string) => windowAt(windows, undefined, at(time)) !== undefined
  // Saturday, 28 November 2026; winter, one hour after UTC.
  expect(isOn('2026-11-28T21:59:00Z')).toBe(false)
  expect(isOn('2026-11-28T22:00:00Z')).toBe(true)
  expect(isOn('2026-11-29T01:29:00Z')).toBe(true)
  expect(isOn('2026-11-29T01:30:00Z')).toBe(false)
  expect(isOn('2026-11-27T22:30:00Z')).toBe(false)
  // Summer, two hours.
  expect(isOn('2026-07-18T21:00:00Z')).toBe(true)
  expect(isOn('2026-07-18T20:59:00Z')).toBe(false)
})
