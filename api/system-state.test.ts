import { expect, test } from 'vitest'
import { systemStateOf } from './system-state.ts'

const nowMs = Date.parse('2026-11-20T12:00:00Z')
const known = {
  settledMs: nowMs - 8_000,
  operations: 5,
  comparable: 4,
  callsNow: 60,
  callsBefore: 900,
  lastMs: nowMs - 20_000,
}

test('with open incidents these are the answer, whatever else is known', () => {
  expect(systemStateOf({ open: 1, closed: 0 }, known, nowMs)).toEqual({
    state: 'incidents',
    summary: 'One incident is open.',
  })
  expect(systemStateOf({ open: 2, closed: 1 }, { ...known, settledMs: null }, nowMs).summary).toBe(
    '2 incidents are open.',
  )
})

test('what somebody resolved and goes on is not nothing', () => {
  expect(systemStateOf({ open: 0, closed: 1 }, known, nowMs)).toEqual({
    state: 'incidents',
    summary: 'No incident is open. One goes on that somebody has resolved.',
  })
})

test('with calls to compare and no incident, no more is said than that', () => {
  expect(systemStateOf({ open: 0, closed: 0 }, known, nowMs)).toEqual({
    state: 'normal',
    summary:
      'No incident is open: 60 calls are of the 40 s up to 2026-11-20T11:59:52.000Z, and 4 of the 5 operations of the last hour were called then, and often enough before to tell.',
  })
})

test.each([
  ['nothing came', { settledMs: null }, 'no spans have come, or no analyzer runs'],
  ['the analyzer is behind', { settledMs: nowMs - 61_000 }, 'what came after 2026-11-20T11:58:59.000Z is not analyzed'],
  [
    'no call in an hour',
    { lastMs: null, callsNow: 0, callsBefore: 0, operations: 0, comparable: 0 },
    'in the last hour',
  ],
  ['no call now', { callsNow: 0, comparable: 0 }, 'no call has come since 2026-11-20T11:59:40.000Z'],
  [
    'too little before',
    { comparable: 0, callsBefore: 7 },
    '67 calls of 5 operations have come, and none that is called now was called eight times before',
  ],
])('nobody can tell, and it says why: %s', (_case, over, why) => {
  const { state, summary } = systemStateOf({ open: 0, closed: 0 }, { ...known, ...over }, nowMs)
  expect(state).toBe('not-enough-data')
  expect(summary).toContain(why)
})
