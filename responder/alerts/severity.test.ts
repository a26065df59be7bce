import { withInterval } from '@headwater/vocabulary'
import { expect, test } from 'vitest'
import { isAtLeast, severityOf, worstOf } from './severity.ts'

const impact = ({ runs = [0, 0], users = [0, 0] }: { runs?: [number, number]; users?: [number, number] }) => ({
  services: [],
  flows: [{ name: 'POST /checkout', runsAffected: runs[0], runs: runs[1], ...withInterval(...runs) }],
  users: { affected: users[0], seen: users[1], ...withInterval(...users) },
  atRisk: [],
  since: '2026-11-28T00:00:00.000Z',
})

test.each<[string, Parameters<typeof impact>[0], string]>([
  ['nobody is hit yet', {}, 'info'],
  ['one run of thousands is hit', { runs: [1, 10_000] }, 'warning'],
  ['the only run is hit', { runs: [1, 1] }, 'warning'],
  ['three of sixty runs are hit', { runs: [3, 60] }, 'error'],
  ['all nine runs are hit', { runs: [9, 9] }, 'error'],
  ['half of the runs are hit', { runs: [500, 1_000] }, 'critical'],
  ['one user of many is hit', { users: [1, 1_000] }, 'warning'],
  ['a fiftieth of the users is hit', { users: [20, 1_000] }, 'error'],
  ['a fifth of the users is hit, though few of the runs', { runs: [200, 100_000], users: [200, 1_000] }, 'critical'],
])('%s: %j is %s', (_, hit, severity) => {
  expect(severityOf(impact(hit))).toBe(severity)
})

test('severities have an order', () => {
  expect(isAtLeast('error', 'warning')).toBe(true)
  expect(isAtLeast('error', 'error')).toBe(true)
  expect(isAtLeast('info', 'warning')).toBe(false)
  expect(worstOf(['warning', 'critical', 'info'])).toBe('critical')
  expect(worstOf([])).toBe('info')
})
