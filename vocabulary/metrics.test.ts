import { expect, test } from 'vitest'
import { MetricSet } from './metrics.ts'

test('metrics print in Prometheus text, with zero for what has not moved yet', () => {
  const metrics = new MetricSet({
    spans_total: { type: 'counter', help: 'Spans' },
    refused_total: { type: 'counter', help: 'Refused', labels: ['reason'] },
  })
  metrics.add('refused_total', 2, { reason: 'say "why"' })
  expect(metrics.text()).toBe(
    '# HELP spans_total Spans\n# TYPE spans_total counter\nspans_total 0\n' +
      '# HELP refused_total Refused\n# TYPE refused_total counter\nrefused_total{reason="say \\"why\\""} 2\n',
  )
})

test('label values beyond the bound are counted together, and none is lost', () => {
  const metrics = new MetricSet({ seen_total: { type: 'counter', help: 'Seen', labels: ['key'] } })
  for (let i = 0; i < 1_000; i += 1) metrics.add('seen_total', 1, { key: String(i) })
  expect(metrics.get('seen_total', { key: 'other' })).toBe(800)
})
