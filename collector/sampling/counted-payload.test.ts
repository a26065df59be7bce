// Counts and spans of one block share one record of the log.

import { CountBlock, SpanBlock } from '@headwater/store'
import { expect, test } from 'vitest'
import { acceptedWindow } from '../otlp/accepted-window.ts'
import { jsonToProtobuf } from '../otlp/json-to-protobuf.ts'
import { SpanWalker } from '../otlp/span-walker.ts'
import { createRedaction } from '../redaction/redaction.ts'
import { readRules } from '../redaction/rules.ts'
import { readPayload, splitPayload, withCounts } from './counted-payload.ts'

const nowMs = Date.UTC(2026, 10, 20)

function spansOf(names: readonly string[]): Buffer {
  const block = new SpanBlock()
  const limits = { recordsMax: 1_000, columnBytesMax: 1 << 30, repeatedBytesMax: 1_000_000 }
  const walker = new SpanWalker(block, createRedaction(readRules(undefined), { hashKey: undefined }), limits)
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
  const times = { startTimeUnixNano: `${nowMs}000000`, endTimeUnixNano: `${nowMs}000005` }
  const spans = names.map((name) => ({ ...ids, name, ...times }))
  const json = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }))
  const window = acceptedWindow({ nowMs, retentionDays: 30 })
  walker.walk(jsonToProtobuf('traces', json, { objectsMax: 1_000 }), window, nowMs)
  return block.seal()
}

const countBlock = new CountBlock()
const row = { windowS: 10, service: 'shop', operation: 'GET /', kind: 'Server', errors: 0 }
countBlock.add('host/1', { ...row, spans: 3, duration: new Map([[300, 3]]) })
const counts = countBlock.seal()

/** As the log gives it back. */
const stored = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)

test('what was put together comes apart, from memory and from the log', () => {
  const spans = spansOf(['GET /a'])
  const parts = withCounts(counts, [spans])
  expect(parts.map((part) => readPayload(part))).toEqual([{ counts }, { block: spans }])
  expect(readPayload(stored(parts))).toEqual({ counts, block: spans })
})

test('all spans may be shed, and counts may be none', () => {
  const spans = spansOf(['GET /a'])
  expect(readPayload(stored(withCounts(counts, [])))).toEqual({ counts })
  expect(readPayload(spans)).toEqual({ block: spans })
  expect(readPayload(Buffer.alloc(0))).toEqual({})
})

test('halving ends in single spans, of which the first has the counts', () => {
  const pieces = (payload: Uint8Array): Uint8Array[] =>
    splitPayload(payload)?.flatMap((half) => pieces(half)) ?? [payload]
  const names = ['GET /a', 'GET /b', 'GET /c', 'GET /d', 'GET /e']
  const rows = pieces(stored(withCounts(counts, [spansOf(names)]))).map((piece) => readPayload(piece))
  expect(rows.map((each) => each.counts)).toEqual([counts, undefined, undefined, undefined, undefined])
  for (const [index, { block }] of rows.entries()) {
    expect(Buffer.from(block ?? []).includes(names[index] ?? '')).toBe(true)
    expect(block?.[1]).toBe(1)
  }
  const plain = spansOf(names)
  expect(pieces(plain)).toEqual(rows.map(({ block }) => block))
})

test('counts without spans cannot be halved', () => {
  expect(splitPayload(stored(withCounts(counts, [])))).toBeUndefined()
})

test('a payload that is cut within its counts is refused', () => {
  const whole = stored(withCounts(counts, []))
  for (let length = 1; length < whole.length; length += 1) {
    expect(() => readPayload(whole.subarray(0, length))).toThrow(RangeError)
  }
})
