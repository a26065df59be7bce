import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SpanGroup, SpanRing } from './span-ring.ts'

const scopes = ['a', 'b', 'c'].map((name) => ({ name, version: '', schemaUrl: '' }))
const unlimited = { spansMax: Number.POSITIVE_INFINITY, bytesEnough: Number.POSITIVE_INFINITY }

/** A field of `ScopeSpans` with a text of its own, as long as is wanted. */
function encoded(id: number, length: number): Buffer {
  const text = `${id} `.padEnd(length, '.')
  const size: number[] = []
  for (let rest = text.length; ; rest = Math.floor(rest / 128)) {
    size.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) break
  }
  return Buffer.concat([Buffer.from([0x12, ...size]), Buffer.from(text)])
}

/** The spans of a group, each with its scope. */
function spansIn({ scope, bytes, spans }: SpanGroup): { scope: string; id: number }[] {
  const found: { scope: string; id: number }[] = []
  for (let at = 0; at < bytes.length;) {
    expect(bytes[at]).toBe(0x12)
    at += 1
    let [length, shift] = [0, 0]
    for (;;) {
      const byte = bytes[at] ?? 0
      at += 1
      length += (byte & 127) << shift
      shift += 7
      if (byte < 128) break
    }
    found.push({ scope: scope.name, id: Number.parseInt(bytes.toString('utf8', at, at + length), 10) })
    at += length
  }
  expect(found).toHaveLength(spans)
  return found
}

type Step = { add: { scope: number; length: number } } | { take: { spansMax: number; bytesEnough: number } }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc
    .oneof(
      { weight: 6, arbitrary: fc.record({ scope: fc.nat(2), length: fc.oneof(fc.nat(300), fc.nat(131_072)) }) },
      { weight: 1, arbitrary: fc.record({ spansMax: fc.nat(20), bytesEnough: fc.nat(200_000) }) },
    )
    .map((step) => ('scope' in step ? { add: step } : { take: step })),
  { maxLength: 200 },
)

interface Waiting {
  scope: string
  id: number
  bytes: number
}

/** What a ring of such bounds has to do with an added span: the queue after it. */
function added(ring: SpanRing, waiting: Waiting[], span: Waiting & { encoded: Buffer }, bounds: Bounds): Waiting[] {
  const scope = scopes.find(({ name }) => name === span.scope) as (typeof scopes)[0]
  const dropped = ring.add(scope, span.encoded)
  // Only where there is no room: for one more span, or for its bytes, which are given back by chunks of at most 128 KiB.
  const droppedForRoom = dropped - (waiting.length === bounds.spansMax ? 1 : 0)
  expect(droppedForRoom === 0 || bytesOf(waiting) + span.bytes > bounds.bytesMax / 4).toBe(true)
  return [...waiting.slice(dropped), { scope: span.scope, id: span.id, bytes: span.bytes }]
}

/** And with being asked for some. */
function taken(ring: SpanRing, waiting: Waiting[], wanted: { spansMax: number; bytesEnough: number }): Waiting[] {
  const found = ring.take(wanted).flatMap(spansIn)
  const expected = waiting.slice(0, found.length)
  expect(found).toEqual(expected.map(({ scope, id }) => ({ scope, id })))
  expect(found.length).toBeLessThanOrEqual(wanted.spansMax)
  const isEnough = found.length === wanted.spansMax || bytesOf(expected) >= wanted.bytesEnough
  expect(isEnough || found.length === waiting.length).toBe(true)
  return waiting.slice(found.length)
}

interface Bounds {
  bytesMax: number
  spansMax: number
}

function bytesOf(spans: Waiting[]): number {
  return spans.reduce((sum, { bytes }) => sum + bytes, 0)
}

test('spans come out once, in their order and below their scopes, and the oldest go where there is no room', () => {
  const allBounds = fc.record({
    bytesMax: fc.integer({ min: 200_000, max: 2_000_000 }),
    spansMax: fc.integer({ min: 1, max: 100 }),
  })
  fc.assert(
    fc.property(steps, allBounds, (story, bounds) => {
      const ring = new SpanRing(bounds)
      let waiting: Waiting[] = []
      for (const [id, step] of story.entries()) {
        if ('add' in step) {
          const bytes = encoded(id, step.add.length)
          const span = { scope: scopes[step.add.scope]?.name ?? '', id, bytes: bytes.length, encoded: bytes }
          waiting = added(ring, waiting, span, bounds)
        } else waiting = taken(ring, waiting, step.take)
        expect(ring.spans).toBe(waiting.length)
        expect(waiting.length).toBeLessThanOrEqual(bounds.spansMax)
        expect(bytesOf(waiting)).toBeLessThanOrEqual(bounds.bytesMax)
      }
      expect(taken(ring, waiting, unlimited)).toEqual([])
      expect([ring.spans, ring.take(unlimited)]).toEqual([0, []])
    }),
  )
})

test('over the number of spans the oldest one goes, and no other', () => {
  const ring = new SpanRing({ bytesMax: 1_000_000, spansMax: 3 })
  const dropped = [0, 1, 2, 3, 4].map((id) => ring.add(scopes[id % 2] as (typeof scopes)[0], encoded(id, 20)))
  expect(dropped).toEqual([0, 0, 0, 1, 1])
  expect(ring.take(unlimited).flatMap(spansIn)).toEqual([
    { scope: 'a', id: 2 },
    { scope: 'b', id: 3 },
    { scope: 'a', id: 4 },
  ])
})

test('what has been taken stays as it was, whatever is added afterwards', () => {
  const ring = new SpanRing({ bytesMax: 200_000, spansMax: 1_000 })
  for (let id = 0; id < 10; id += 1) ring.add(scopes[0] as (typeof scopes)[0], encoded(id, 50))
  const first = ring.take({ spansMax: 5, bytesEnough: Number.POSITIVE_INFINITY })
  for (let id = 10; id < 10_000; id += 1) ring.add(scopes[0] as (typeof scopes)[0], encoded(id, 50))
  expect(first.flatMap(spansIn).map(({ id }) => id)).toEqual([0, 1, 2, 3, 4])
})
