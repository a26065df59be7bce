import { expect, test } from 'vitest'
import { missingSentence, unknownSentence } from './missing-sentence.ts'

const missing = {
  runs: 240,
  low: 180,
  high: 300,
  cameLater: 0,
  expected: 400,
  seen: 160,
  from: '2026-11-20T12:00:00.000Z',
  to: '2026-11-20T12:00:50.000Z',
  pValue: 1e-9,
}

test('what is missing is told with its interval, its share and its time', () => {
  expect(missingSentence(missing)).toBe(
    'about 240 runs (180 to 300) did not come when they were due: 60 % fewer than expected in the 50 s from 12:00:00 on',
  )
  expect(missingSentence({ ...missing, cameLater: 40 })).toContain('when they were due, of which 40 came later: 60 %')
})

test('what cannot be told is told with the reason', () => {
  expect(unknownSentence({ flow: 'GET /image', expected: 400, seen: 160, why: 'few-users' })).toBe(
    '60 % fewer runs of GET /image than expected, and whether that is its doing cannot be told: few users explain it',
  )
})
