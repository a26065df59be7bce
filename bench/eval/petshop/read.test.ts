import { expect, test } from 'vitest'
import { parseGraph, parseMetrics } from './read.ts'

test('a row calls the columns in which it has no zero', () => {
  expect(parseGraph(',a,b,c\na,0.0,1.0,1.0\nb,0.0,0.0,1.0\nc,0.0,0.0,0.0\n')).toEqual([
    { caller: 'a', callee: 'b' },
    { caller: 'a', callee: 'c' },
    { caller: 'b', callee: 'c' },
  ])
})

test('intervals have the calls, how many failed, and the time of all', () => {
  const measured = parseMetrics(`microservice,a,b,a,b,a,b,a
metric,requests,requests,latency,latency,availability,availability,latency
statistic,Sum,Sum,Average,Average,Average,Average,p99
unix_timestamp,,,,,,,
1681855320.0,200.0,0.0,0.05,,97.0,,0.9
1681855620.0,100.0,4.0,0.02,0.5,100.0,0.0,0.9
`)
  expect([...measured.keys()]).toEqual(['a', 'b'])
  const [first, second] = measured.get('a') ?? []
  expect(first).toMatchObject({ startMs: 1_681_855_320_000, calls: 200 })
  expect(first?.failed).toBeCloseTo(6, 9)
  expect(first?.durationNs).toBeCloseTo(10e9, 0)
  expect(second).toMatchObject({ calls: 100, failed: 0 })
  expect(measured.get('b')).toMatchObject([
    { calls: 0, failed: 0, durationNs: 0 },
    { calls: 4, failed: 4, durationNs: 2e9 },
  ])
})

test('calls of which no time is known are not counted', () => {
  const measured = parseMetrics(`microservice,a,a,a
metric,requests,latency,availability
statistic,Sum,Average,Average
unix_timestamp,,,
1681855320.0,3.0,,100.0
`)
  expect(measured.get('a')).toMatchObject([{ calls: 0, durationNs: 0 }])
})
