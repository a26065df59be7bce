import { expect, test } from 'vitest'
import type { Reply } from './http/post.ts'
import { outcomeOf, retryAfterMs } from './outcome.ts'

const nowMs = Date.UTC(2026, 10, 28)
const answered = (status: number, retryAfter?: string): Reply => ({ kind: 'answered', status, retryAfter, says: '' })
const judge = (reply: Reply, more: object = {}) =>
  outcomeOf(reply, { tries: 1, waitingSinceMs: nowMs, nowMs, giveUpAfterMs: 86_400_000, chance: 0, ...more })

test.each([
  [200, 'delivered'],
  [202, 'delivered'],
  [204, 'delivered'],
  [301, 'again'],
  [307, 'again'],
  [400, 'dead'],
  [401, 'again'],
  [403, 'again'],
  [404, 'again'],
  [408, 'again'],
  [410, 'gone'],
  [413, 'dead'],
  [422, 'dead'],
  [429, 'again'],
  [500, 'again'],
  [502, 'again'],
  [503, 'again'],
  [504, 'again'],
])('%i: %s', (status, kind) => {
  expect(judge(answered(status)).kind).toBe(kind)
})

test('no answer means again, a refused address never', () => {
  expect(judge({ kind: 'failed', reason: 'ECONNREFUSED' }).kind).toBe('again')
  expect(judge({ kind: 'refused', reason: '127.0.0.1 is not an address on the Internet' }).kind).toBe('dead')
})

test('pauses grow to a quarter of an hour, until it is given up', () => {
  const pauses = Array.from({ length: 9 }, (_, index) => {
    const outcome = judge(answered(500), { tries: index + 1 })
    return outcome.kind === 'again' ? (outcome.atMs - nowMs) / 1_000 : outcome.kind
  })
  expect(pauses).toEqual([5, 15, 60, 300, 600, 900, 900, 900, 900])
  expect(judge(answered(500), { tries: 99, waitingSinceMs: nowMs - 86_400_000 })).toEqual({
    kind: 'dead',
    reason: 'it answered 500; given up after 99 attempts',
  })
})

test('chance adds up to a tenth', () => {
  expect(judge(answered(500), { tries: 6, chance: 1 })).toEqual({ kind: 'again', atMs: nowMs + 990_000 })
})

test.each([
  ['120', 120_000],
  [new Date(nowMs + 90_000).toUTCString(), 90_000],
  [new Date(nowMs - 90_000).toUTCString(), 0],
  ['99999999', 3_600_000],
  ['999999999999999999999', 0],
  ['-5', 0],
  ['soon', 0],
  ['', 0],
  [undefined, 0],
])('Retry-After: %s is %i ms', (header, ms) => {
  expect(retryAfterMs(header, nowMs)).toBe(ms)
})

test('Retry-After makes a pause longer, and never shorter', () => {
  expect(judge(answered(429, '120'))).toEqual({ kind: 'again', atMs: nowMs + 120_000 })
  expect(judge(answered(429, '1'))).toEqual({ kind: 'again', atMs: nowMs + 5_000 })
})
