// A request that is refused in the middle of its bytes leaves neither rows nor counts.

import { SpanBlock } from '@headwater/store'
import { expect, test } from 'vitest'
import { acceptedWindow } from '../otlp/accepted-window.ts'
import { jsonToProtobuf } from '../otlp/json-to-protobuf.ts'
import { SpanWalker } from '../otlp/span-walker.ts'
import { WireError } from '../otlp/wire.ts'
import { createRedaction } from '../redaction/redaction.ts'
import { readRules } from '../redaction/rules.ts'
import { Shedder } from './shedder.ts'

const nowMs = Date.UTC(2026, 10, 20)
const window = acceptedWindow({ nowMs, retentionDays: 30 })
const span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name: 'GET /',
  startTimeUnixNano: `${nowMs}000000`,
  endTimeUnixNano: `${nowMs}000005`,
}
const json = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span, span, span] }] }] })
const body = jsonToProtobuf('traces', Buffer.from(json), { objectsMax: 1_000 })

function intake(recordsMax: number) {
  const shedder = new Shedder({ spansPerSecond: 1_000 })
  const block = new SpanBlock()
  const limits = { recordsMax, repeatedBytesMax: 1_000_000, columnBytesMax: 10_000_000 }
  const walker = new SpanWalker(block, createRedaction(readRules(undefined), { hashKey: undefined }), limits, shedder)
  const walk = (bytes: Uint8Array) => walker.walk(bytes, window, nowMs)
  return { walk, shedder, rows: () => block.block.rows }
}

test('a body that is cut after its first spans', () => {
  const { walk, shedder, rows } = intake(1_000)
  walk(body)
  const cut = Buffer.concat([body, Buffer.from([0x0a, 0x7f])])
  for (let time = 0; time < 5; time += 1) expect(() => walk(cut)).toThrow(WireError)
  expect(rows()).toBe(3)
  expect(shedder.kept.chance).toBe(3)
  expect(shedder.takeCounts()).toMatchObject([{ operation: 'GET /', spans: 3 }])
})

test('a body of more spans than one request may have', () => {
  const { walk, shedder, rows } = intake(4)
  const large = Buffer.concat([body, body])
  for (let time = 0; time < 5; time += 1) expect(() => walk(large)).toThrow(/4/)
  expect(rows()).toBe(0)
  expect(shedder.takeCounts()).toEqual([])
})
