import { expect, test } from 'vitest'
import { mostAbnormal, type ServiceWindow } from './baselines.ts'

function windows(service: string, means: readonly number[], failed = 0): ServiceWindow[] {
  return means.map((meanMs, index) => ({ windowMs: index * 10_000, service, calls: 100, failed, meanMs }))
}

test('most abnormal is who is farthest above its normal, in deviations', () => {
  const normal = [...windows('pdf', [90, 110]), ...windows('math', [18, 22]), ...windows('worker', [5, 5])]
  // pdf: (130 - 100) / 10 = 3; math: (28 - 20) / 2 = 4; worker: ten percent more fail, that is 10.
  const faulty = [...windows('pdf', [130]), ...windows('math', [28]), ...windows('worker', [5], 10)]
  expect(mostAbnormal(faulty, normal)).toEqual(['worker', 'math', 'pdf'])
  // Of whom nothing is known nothing is said.
  expect(mostAbnormal(windows('crypto', [900]), normal)).toEqual([])
})
