import { expect, test } from 'vitest'
import { serviceId, toTelemetry } from './to-otlp.ts'

const span = (spanId: string, parentId: string, pod: string) => ({
  traceId: 't',
  spanId,
  parentId,
  pod,
  operation: 'work',
  startNs: 5_000_000n,
  endNs: 7_000_000n,
})

test('kinds follow from who is above and below, and names are gone', () => {
  const { spans, logs = [] } = toTelemetry(
    {
      spans: [span('1', '', 'a-1-x'), span('2', '1', 'a-1-x'), span('3', '2', 'b-1-x'), span('4', '3', 'b-1-x')],
      logs: [{ traceId: 't', spanId: '4', pod: 'b-1-x', timeNs: 6_000_000n, severity: 'WARN', logger: 'L', line: 7 }],
    },
    { shiftMs: 2, stretch: 'one' },
  )
  expect(spans.map(({ spanId, kind, service }) => [spanId, kind, service])).toEqual([
    ['1', 'server', serviceId('a-2-y')],
    ['2', 'client', serviceId('a-2-y')],
    ['3', 'server', serviceId('b-2-y')],
    ['4', 'internal', serviceId('b-2-y')],
  ])
  expect(spans[0]).toMatchObject({ startNs: 7_000_000n, durationNs: 2_000_000n })
  expect(logs[0]).toMatchObject({ traceId: spans[0]?.traceId, severity: 'WARN', line: 7, timeNs: 8_000_000n })
  expect(
    JSON.stringify([spans, logs], (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toMatch(/work|"L"|-x/)
})
