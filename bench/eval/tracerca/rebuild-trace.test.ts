import { expect, test } from 'vitest'
import { rebuildTrace, type SetSpan } from './rebuild-trace.ts'

const span = (caller: string, callee: string, latencyUs: number, startUs = 0): SetSpan => ({
  caller,
  callee,
  startUs,
  latencyUs,
  status: 200,
})

/** The tree in one line: `service>callee` for a call, the service alone for its own span, children in brackets. */
function treeOf(spans: readonly SetSpan[]): string {
  const sent = rebuildTrace('t', spans, { shiftUs: 0 })
  const told = (parentSpanId: string): string =>
    sent
      .filter((one) => one.parentSpanId === parentSpanId)
      .map(({ kind, service, name, spanId }) => {
        const below = told(spanId)
        return `${kind === 'client' ? `${service}>${name}` : service}${below === '' ? '' : `(${below})`}`
      })
      .join(' ')
  return told('')
}

test('a server span answers the call that it fits into, whatever the clocks say', () => {
  const spans = [span('b', 'b', 8, 900), span('a', 'a', 12, 0), span('door', 'a', 14, 700), span('a', 'b', 10, 500)]
  expect(treeOf(spans)).toBe('door>a(a(a>b(b)))')
  expect(treeOf(spans.toReversed())).toBe('door>a(a(a>b(b)))')
})

test('a call that got no answer stands alone below its caller', () => {
  expect(treeOf([span('door', 'a', 14), span('a', 'a', 12), span('a', 'b', 1)])).toBe('door>a(a(a>b))')
})

test('calls are made by the span that still has time for them', () => {
  expect(treeOf([span('a', 'a', 100), span('a', 'a', 20), span('a', 'b', 90), span('a', 'b', 15)])).toBe(
    'a(a>b) a(a>b)',
  )
})

test('children lie within their parents, one after the other', () => {
  const sent = rebuildTrace('t', [span('a', 'a', 100, 50), span('a', 'b', 30, 7), span('a', 'c', 40, 3)], {
    shiftUs: 1_000,
  })
  expect(sent.map(({ name, startNs, durationNs }) => [name, Number(startNs), Number(durationNs)])).toEqual([
    ['a', 1_050_000, 100_000],
    ['c', 1_065_000, 40_000],
    ['b', 1_105_000, 30_000],
  ])
})

test('what failed is told as HTTP has it, and a broken connection as failed', () => {
  const [failed, broken] = rebuildTrace(
    't',
    [
      { ...span('a', 'b', 2), status: 503 },
      { ...span('c', 'c', 1), status: 0 },
    ],
    {
      shiftUs: 0,
    },
  )
  expect(failed).toMatchObject({
    isFailed: true,
    attributes: { 'http.response.status_code': 503, 'service.peer.name': 'b' },
  })
  expect(broken).toMatchObject({ isFailed: true, attributes: {} })
})
