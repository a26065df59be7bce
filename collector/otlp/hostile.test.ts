// Requests that somebody made to hurt: what they take is in proportion to their size, and what they leave is bounded.

import { SpanBlock } from '@headwater/store'
import { describe, expect, test } from 'vitest'
import { nestedTooDeep, nestingMax } from './any-value-text.ts'
import { placesMax } from './places.ts'
import { ProtobufWriter } from './protobuf-writer.ts'
import type { KeptSignal } from './json-to-protobuf.ts'
import { countReads } from './reference/counted-reads.ts'
import type { Row } from './reference/expected-rows.ts'
import { anyTime, Judge, keepEverything } from './reference/judge.ts'
import { messagesOf, putTogether, takeApart } from './reference/message-tree.ts'
import { requestTypes } from './reference/mutate.ts'
import { readNative } from './reference/read-native.ts'
import { readRecordings, type Recording } from './reference/recordings.ts'
import { messageType } from './reference/schema.ts'
import { SpanWalker } from './span-walker.ts'
import { TooLarge } from './too-large.ts'
import { WireError } from './wire.ts'

const MiB = 1024 * 1024
const limits = { recordsMax: 1_000_000, columnBytesMax: 1 << 30, repeatedBytesMax: 32 * MiB }

type Write = (writer: ProtobufWriter) => void

/** A request of one resource with its scopes, the last of each first, as the writer has it. */
function requestOf(write: Write): Buffer {
  const writer = new ProtobufWriter()
  message(writer, 1, write)
  return writer.finish()
}

function message(writer: ProtobufWriter, field: number, write: Write): void {
  const before = writer.size
  write(writer)
  writer.message(field, before)
}

function attribute(writer: ProtobufWriter, field: number, key: string, text: string): void {
  message(writer, field, () => {
    message(writer, 2, () => writer.text(1, text))
    writer.text(1, key)
  })
}

const traceId = Buffer.alloc(16, 1)
const spanId = Buffer.alloc(8, 1)

/** The least that a span must say. */
function minimalSpan(writer: ProtobufWriter): void {
  writer.fixed64(8, 2n)
  writer.fixed64(7, 1n)
  writer.bytes(2, spanId)
  writer.bytes(1, traceId)
}

/** A request of one span that says more than the least. */
function spanWith(write: Write): Buffer {
  return requestOf((writer) =>
    message(writer, 2, () =>
      message(writer, 2, () => {
        write(writer)
        minimalSpan(writer)
      }),
    ),
  )
}

function times(count: number, write: (index: number) => void): void {
  for (let index = count - 1; index >= 0; index -= 1) write(index)
}

function intake() {
  const block = new SpanBlock()
  const walker = new SpanWalker(block, keepEverything, limits)
  return { block, walk: (body: Uint8Array) => walker.walk(body, anyTime) }
}

function rowsOf(body: Uint8Array): Row[] {
  const { block, walk } = intake()
  walk(body)
  return readNative(block.seal())
}

/** Lists in lists, each the only item of the one before. */
function nestedLists(writer: ProtobufWriter, depth: number): void {
  const before = writer.size
  writer.text(1, 'core')
  for (let level = 0; level < depth; level += 1) {
    writer.message(1, before)
    writer.message(5, before)
  }
}

describe('what is too much is left out and counted', () => {
  test('100,000 attributes of one span', () => {
    const body = spanWith((writer) => times(100_000, (index) => attribute(writer, 9, `key ${index}`, 'value')))
    const [row] = rowsOf(body)
    expect(Object.keys(row?.['SpanAttributes'] ?? {})).toHaveLength(placesMax)
    expect(row?.['DroppedAttributes']).toBe(100_000 - placesMax)
  })

  test('ten million empty events', () => {
    const events = Buffer.alloc(20_000_000)
    for (let at = 0; at < events.length; at += 2) events[at] = 11 * 8 + 2
    const span = Buffer.concat([encoded(minimalSpan), events])
    const body = requestOf((writer) => message(writer, 2, () => writer.bytes(2, span)))
    const { block, walk } = intake()
    expect(walk(body).records).toBe(1)
    const sealed = block.seal()
    expect(sealed.length).toBeLessThan(MiB)
    const [row] = readNative(sealed)
    expect(row).toMatchObject({ DroppedEvents: 10_000_000 - placesMax })
    expect(row?.['Events.Name']).toHaveLength(placesMax)
  })

  test('links to nothing', () => {
    const [row] = rowsOf(spanWith((writer) => times(100_000, () => message(writer, 13, () => undefined))))
    expect(row).toMatchObject({ 'Links.SpanId': [], DroppedLinks: 100_000 })
  })

  test.each([nestingMax + 1, 100_000])('lists that are nested %i deep', (depth) => {
    const body = spanWith((writer) =>
      message(writer, 9, () => {
        message(writer, 2, () => nestedLists(writer, depth))
        writer.text(1, 'deep')
      }),
    )
    expect(rowsOf(body)[0]).toMatchObject({
      SpanAttributes: { deep: `${'['.repeat(nestingMax)}"${nestedTooDeep}"${']'.repeat(nestingMax)}` },
    })
  })
})

describe('what is large is kept as it is', () => {
  test('a value of 10 MB', () => {
    const text = 'ż'.repeat(5_000_000)
    const { block, walk } = intake()
    walk(spanWith((writer) => attribute(writer, 9, 'large', text)))
    const sealed = block.seal()
    expect(sealed.length).toBeLessThan(11_000_000)
    expect(readNative(sealed)[0]).toMatchObject({ SpanAttributes: { large: text } })
  })

  test('a block after a large one keeps no memory of it', () => {
    const { block, walk } = intake()
    walk(spanWith((writer) => attribute(writer, 9, 'large', 'x'.repeat(20_000_000))))
    block.seal()
    expect(block.spanAttributes.values.bytes.length).toBeLessThan(13 * MiB)
  })

  test('400,000 minimal spans, which take a row of numbers and two ids each', () => {
    const span = encoded((writer) => message(writer, 2, minimalSpan))
    const spans = Buffer.concat(Array.from({ length: 400_000 }, () => span))
    const body = requestOf((writer) => writer.bytes(2, spans))
    const { block, walk } = intake()
    expect(walk(body).records).toBe(400_000)
    expect(block.seal().length / 400_000).toBeLessThan(256)
  })
})

describe('what would take more than it weighs is refused, and leaves nothing', () => {
  test.each<[string, () => Buffer, typeof TooLarge | typeof WireError]>([
    ['ten million empty spans', () => requestOf((writer) => writer.bytes(2, tags(2, 10_000_000))), TooLarge],
    [
      'a large resource that 1,000 spans repeat',
      () =>
        requestOf((writer) => {
          message(writer, 2, () => times(1_000, () => message(writer, 2, minimalSpan)))
          message(writer, 1, () => attribute(writer, 1, 'large', 'x'.repeat(100_000)))
        }),
      TooLarge,
    ],
    [
      'a resource that says one name 8,000 times and has 10,000 scopes, each of which reads it again',
      () =>
        requestOf((writer) => {
          times(10_000, () => message(writer, 2, () => message(writer, 2, minimalSpan)))
          message(writer, 1, () => times(8_000, () => attribute(writer, 1, 'same', 'value')))
        }),
      TooLarge,
    ],
    ['groups that are nested 10,000 deep', () => Buffer.alloc(10_000, 3 * 8 + 3), WireError],
    ['a length beyond the body', () => Buffer.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x07), WireError],
    ['a length of more than 32 bits', () => Buffer.of(0x0a, 0x80, 0x80, 0x80, 0x80, 0x10), WireError],
    ['a tag of more than 32 bits', () => Buffer.of(0x8a, 0x80, 0x80, 0x80, 0x10, 0x00), WireError],
  ])('%s', (_what, bodyOf, kind) => {
    const { block, walk } = intake()
    const before = block.block.mark()
    expect(() => walk(bodyOf())).toThrow(kind)
    expect(block.block.mark()).toEqual(before)
  })
})

describe('names that are new for ever', () => {
  test('70,000 of them are kept apart in one block', () => {
    const body = requestOf((writer) =>
      message(writer, 2, () =>
        times(10, (span) =>
          message(writer, 2, () => {
            times(7_000, (index) => attribute(writer, 9, `name ${span} ${index}`, ''))
            minimalSpan(writer)
          }),
        ),
      ),
    )
    expect(new Judge('traces').judge(body).rows).toHaveLength(10)
  })

  test('are forgotten between two blocks, and what comes after is right', () => {
    const names = (round: number): Buffer =>
      requestOf((writer) =>
        message(writer, 2, () =>
          times(1_000, (index) =>
            message(writer, 2, () => {
              attribute(writer, 9, `${round} ${index}`.padEnd(5_000), '')
              writer.text(5, `${round} ${index}`.padEnd(9_000))
              minimalSpan(writer)
            }),
          ),
        ),
      )
    const { block, walk } = intake()
    const judge = new Judge('traces')
    for (let round = 0; round < 3; round += 1) {
      judge.judge(names(round))
      walk(names(round))
      block.seal()
      expect(block.texts.keys.size).toBeLessThan(100)
      expect(block.texts.names.size).toBeLessThan(100)
    }
  })
})

test('every beginning of a request is refused or makes the rows that it says', () => {
  const judge = new Judge('traces')
  const body = spanWith((writer) => {
    writer.text(5, 'name')
    message(writer, 11, () => attribute(writer, 3, 'event', 'ż'))
    message(writer, 9, () => message(writer, 2, () => nestedLists(writer, 3)))
    writer.integer(6, 2n)
  })
  for (let end = 0; end < body.length; end += 1) {
    expect(() => judge.judge(body.subarray(0, end))).not.toThrow()
  }
})

describe('bytes that are no UTF-8 are replaced, wherever they are:', () => {
  const story = (signal: KeptSignal): Buffer => {
    const isStory = (recording: Recording): boolean =>
      recording.signal === signal && recording.name.startsWith('go-story') && recording.format === 'protobuf'
    return readRecordings().find(isStory)?.body ?? Buffer.alloc(0)
  }
  const places = (['traces', 'logs'] as const).flatMap((signal) => {
    const kinds = messagesOf(takeApart(requestTypes[signal], story(signal))).flatMap(({ type, fields }) =>
      fields.filter(({ field }) => isText(type, field)).map(({ field }) => `${type} ${field}`),
    )
    return Array.from(new Set(kinds), (kind): [string, KeptSignal, string, number] => {
      const [type = '', field = ''] = kind.split(' ')
      return [messageType(type).fieldsById[Number(field)]?.fullName ?? '', signal, type, Number(field)]
    })
  })

  test.each(places)('%s of %s', (_name, signal, type, field) => {
    const request = takeApart(requestTypes[signal], story(signal))
    for (const part of messagesOf(request)) {
      if (part.type !== type) continue
      for (const node of part.fields) {
        if (node.field === field) node.bytes = Buffer.concat([Buffer.of(0xc3), node.bytes, Buffer.of(0xff)])
      }
    }
    const { rows } = new Judge(signal).judge(putTogether(request))
    expect(JSON.stringify(rows)).toContain('\uFFFD')
  })
})

function isText(type: string, field: number): boolean {
  return messageType(type).fieldsById[field]?.type === 'string'
}

describe('the work is in proportion to the size', () => {
  test.each<[string, (count: number) => Buffer]>([
    ['attributes of one name', (count) => spanWith((writer) => times(count, () => attribute(writer, 9, 'a', 'value')))],
    [
      'attributes',
      (count) => spanWith((writer) => times(count, (index) => attribute(writer, 9, `a${index}`, 'value'))),
    ],
    [
      'entries of one name in a map',
      (count) =>
        spanWith((writer) =>
          message(writer, 9, () => {
            message(writer, 2, () => message(writer, 6, () => times(count, () => attribute(writer, 1, 'a', 'v'))))
            writer.text(1, 'map')
          }),
        ),
    ],
    ['events', (count) => spanWith((writer) => times(count, () => message(writer, 11, () => writer.text(2, 'event'))))],
    ['fields of a later protocol', (count) => spanWith((writer) => times(count, () => writer.integer(99, 300n)))],
    [
      'lists in one another',
      (count) =>
        spanWith((writer) =>
          message(writer, 9, () => {
            message(writer, 2, () => nestedLists(writer, count))
            writer.text(1, 'deep')
          }),
        ),
    ],
    [
      'scopes',
      (count) => requestOf((writer) => times(count, () => message(writer, 2, () => message(writer, 2, minimalSpan)))),
    ],
    ['resources', (count) => tags(1, count)],
  ])('of %s', (_what, bodyOf) => {
    const [small, large] = [bodyOf(1_000), bodyOf(4_000)]
    const perByte = (body: Buffer): number => readsOf(body) / body.length
    expect(perByte(large)).toBeLessThan(perByte(small) * 1.5)
    expect(perByte(large)).toBeLessThan(20)
  })
})

/** Empty messages of a field below 16. */
function tags(field: number, count: number): Buffer {
  const bytes = Buffer.alloc(2 * count)
  for (let at = 0; at < bytes.length; at += 2) bytes[at] = field * 8 + 2
  return bytes
}

function encoded(write: Write): Buffer {
  const writer = new ProtobufWriter()
  write(writer)
  return writer.finish()
}

/** How often the walker looks at a byte of the body. */
function readsOf(body: Buffer): number {
  const { bytes, reads } = countReads(body)
  intake().walk(bytes)
  return reads()
}
