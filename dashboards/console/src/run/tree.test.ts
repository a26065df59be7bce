import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keyOf, type Span, unfolded, waterfallOf } from './tree.ts'

const baseMs = Date.parse('2026-01-31T12:00:00Z')
const traceId = 'a'.repeat(32)

/** A span from one millisecond of the run to another. */
function span(name: string, from: number, to: number, over: Partial<Span> = {}): Span {
  return {
    traceId,
    spanId: name,
    parentSpanId: '',
    name,
    kind: 'Internal',
    serviceName: 'shop',
    startTime: new Date(baseMs + from).toISOString().replace('Z', '000000Z'),
    durationNs: (to - from) * 1e6,
    statusCode: 'Unset',
    links: [],
    ...over,
  }
}
const under = (parentSpanId: string) => ({ parentSpanId })
const waterfall = (...spans: Span[]) =>
  waterfallOf([...Map.groupBy(spans, (each) => each.traceId)].map(([id, own]) => ({ traceId: id, spans: own })))
const names = (rows: { span: Span }[]) => rows.map((row) => row.span.name)

test('children stand below their parents, in the order of their starts', () => {
  const { rows, totalMs } = waterfall(
    span('late', 50, 60, under('root')),
    span('root', 0, 100),
    span('early', 10, 40, under('root')),
    span('deep', 20, 30, under('early')),
  )
  expect(rows.map(({ span: { name }, depth, below }) => [name, depth, below])).toEqual([
    ['root', 0, 3],
    ['early', 1, 1],
    ['deep', 2, 0],
    ['late', 1, 0],
  ])
  expect(totalMs).toBe(100)
})

test('who took a message stands below who sent it, in another trace too, and the wait between them is told', () => {
  const taken = { traceId: 'b'.repeat(32), kind: 'Consumer' }
  const { rows } = waterfall(
    span('root', 0, 20),
    span('send', 10, 12, { parentSpanId: 'root', kind: 'Producer' }),
    span('process', 512, 600, { ...taken, links: [{ traceId, spanId: 'send' }] }),
  )
  expect(rows.map((row) => [row.span.name, row.depth, row.waitedMs, row.beginsTrace])).toEqual([
    ['root', 0, 0, true],
    ['send', 1, 0, false],
    ['process', 2, 500, true],
  ])
})

test('the critical path goes from the end of the run backwards, over what was waited for last', () => {
  const { rows } = waterfall(
    span('root', 0, 100),
    span('first', 0, 40, under('root')),
    span('beside', 5, 30, under('root')),
    span('second', 41, 99, under('root')),
    span('inner', 60, 98, under('second')),
  )
  expect(names(rows.filter(({ isCritical }) => isCritical))).toEqual(['root', 'first', 'second', 'inner'])
})

test('a span whose parent never came, and one that names itself as its parent, begin trees of their own', () => {
  const { rows } = waterfall(span('orphan', 5, 10, under('gone')), span('self', 0, 3, under('self')))
  expect(rows.map(({ span: { name }, depth }) => [name, depth])).toEqual([
    ['self', 0],
    ['orphan', 0],
  ])
})

test('spans that are each other’s parents are shown all the same', () => {
  const { rows } = waterfall(span('a', 0, 10, under('b')), span('b', 1, 9, under('a')), span('c', 2, 3, under('b')))
  expect(rows.map(({ span: { name }, depth }) => [name, depth])).toEqual([
    ['b', 0],
    ['a', 1],
    ['c', 1],
  ])
})

test('what is folded hides all below it and nothing else', () => {
  const { rows } = waterfall(
    span('root', 0, 100),
    span('a', 0, 40, under('root')),
    span('a1', 1, 2, under('a')),
    span('b', 50, 60, under('root')),
  )
  const a = rows.find(({ span: { name } }) => name === 'a')
  expect(names(unfolded(rows, new Set(a === undefined ? [] : [keyOf(a.span)])))).toEqual(['root', 'a', 'b'])
})

test('nanoseconds count', () => {
  const { rows } = waterfall(span('root', 0, 1), {
    ...span('late', 0, 1, under('root')),
    startTime: '2026-01-31T12:00:00.000000250Z',
  })
  expect(rows[1]?.startMs).toBeCloseTo(0.000_25, 3)
})

test('ten thousand spans in one chain are as good as any', () => {
  const chain = Array.from({ length: 10_000 }, (_, i) =>
    span(`s${i}`, i, 20_000 - i, i === 0 ? {} : under(`s${i - 1}`)),
  )
  const { rows } = waterfall(...chain)
  expect(rows).toHaveLength(10_000)
  expect(rows.at(-1)?.depth).toBe(9_999)
  expect(rows.every(({ isCritical }) => isCritical)).toBe(true)
})

test('whatever spans say of their parents, each is shown once, below its parent and within the whole', () => {
  const anySpan = fc.record({ from: fc.nat(1_000), ms: fc.nat(1_000), parent: fc.nat(20) })
  fc.assert(
    fc.property(fc.array(anySpan, { maxLength: 20 }), (given) => {
      const spans = given.map(({ from, ms, parent }, i) => span(`s${i}`, from, from + ms, under(`s${parent}`)))
      const { rows, totalMs } = waterfall(...spans)
      expect(new Set(names(rows)).size).toBe(spans.length)
      expect(rows).toHaveLength(spans.length)
      expect(rows.filter(({ lastMs }) => lastMs > totalMs)).toEqual([])
      expect(rows.filter((row, i) => row.parent !== undefined && rows.indexOf(row.parent) >= i)).toEqual([])
    }),
  )
})
