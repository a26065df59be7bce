// The cases of the W3C's own test suite (https://github.com/w3c/trace-context/tree/main/test), and some more.

import { ROOT_CONTEXT, TraceFlags, createTraceState, defaultTextMapGetter, trace } from '@opentelemetry/api'
import { defaultTrust } from '@headwater/vocabulary'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { flowPropagator } from './flow-propagator.ts'
import { readTraceContext } from './trace-context.ts'

const traceId = '12345678901234567890123456789012'
const spanId = '1234567890123456'
const valid = `00-${traceId}-${spanId}-01`
const propagator = flowPropagator({
  trust: defaultTrust,
  sharedKey: undefined,
  serviceName: 'shop',
  carriesTraceContext: true,
  carriesBaggage: true,
})

/** What is read of headers as Node gives them: of several with one name, joined. */
function read(traceparent: string | string[], tracestate?: string | string[]) {
  const headers = tracestate === undefined ? { traceparent } : { traceparent, tracestate }
  return trace.getSpanContext(propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter))
}

function stateOf(tracestate: string | string[]): string | undefined {
  const context = read(valid, tracestate)
  expect(context).toMatchObject({ traceId, spanId })
  return context?.traceState?.serialize()
}

test.each([
  ['as it should be', valid, TraceFlags.SAMPLED],
  ['unsampled', `00-${traceId}-${spanId}-00`, TraceFlags.NONE],
  ['with the random flag', `00-${traceId}-${spanId}-03`, 3],
  ['with flags that nobody knows yet', `00-${traceId}-${spanId}-fe`, 2],
  ['of a future version', `cc-${traceId}-${spanId}-01`, TraceFlags.SAMPLED],
  [
    'of a future version with more parts',
    `cc-${traceId}-${spanId}-01-what-the-future-will-be-like`,
    TraceFlags.SAMPLED,
  ],
  ['with space around it', `\t ${valid} \t`, TraceFlags.SAMPLED],
])('a traceparent %s is taken', (_what, traceparent, traceFlags) => {
  expect(read(traceparent)).toEqual({ traceId, spanId, traceFlags, isRemote: true })
})

test.each([
  ['nothing', ''],
  ['a word', 'sampled'],
  ['a character too much', `${valid}.`],
  ['version 00 with more parts', `${valid}-what-the-future-will-be-like`],
  ['a future version whose flags do not end', `cc-${traceId}-${spanId}-01.what-the-future-will-be-like`],
  ['version ff', `ff-${traceId}-${spanId}-01`],
  ['a version that is not hexadecimal', `.0-${traceId}-${spanId}-01`],
  ['a version that is half so', `0.-${traceId}-${spanId}-01`],
  ['a version of three digits', `000-${traceId}-${spanId}-01`],
  ['a version of four digits', `0000-${traceId}-${spanId}-01`],
  ['a version of one digit', `0-${traceId}-${spanId}-01`],
  ['an all-zero trace ID', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a trace ID that is not hexadecimal', `00-.${traceId.slice(1)}-${spanId}-01`],
  ['a trace ID that does not end so', `00-${traceId.slice(1)}.-${spanId}-01`],
  ['a trace ID that is too long', `00-${traceId}3-${spanId}-01`],
  ['a trace ID that is too short', `00-${traceId.slice(1)}-${spanId}-01`],
  ['a trace ID in capitals', `00-${'ABCDEF'.padEnd(32, '1')}-${spanId}-01`],
  ['an all-zero span ID', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['a span ID that is not hexadecimal', `00-${traceId}-.${spanId.slice(1)}-01`],
  ['a span ID that does not end so', `00-${traceId}-${spanId.slice(1)}.-01`],
  ['a span ID that is too long', `00-${traceId}-${spanId}7-01`],
  ['a span ID that is too short', `00-${traceId}-${spanId.slice(1)}-01`],
  ['flags that are not hexadecimal', `00-${traceId}-${spanId}-.0`],
  ['flags that do not end so', `00-${traceId}-${spanId}-0.`],
  ['flags of three digits', `00-${traceId}-${spanId}-001`],
  ['flags of one digit', `00-${traceId}-${spanId}-1`],
  ['a megabyte', `cc-${traceId}-${spanId}-01-${'x'.repeat(1_000_000)}`],
])('a traceparent of %s states nothing, and nor does its tracestate', (_what, traceparent) => {
  expect(read(traceparent, 'foo=1')).toBeUndefined()
})

test('two traceparents state nothing', () => {
  expect(read([valid, valid.replace('2-', '1-')])).toBeUndefined()
  expect(read([valid, valid])).toBeUndefined()
})

test('a tracestate without traceparent is nobody’s', () => {
  expect(
    trace.getSpanContext(propagator.extract(ROOT_CONTEXT, { tracestate: 'foo=1' }, defaultTextMapGetter)),
  ).toBeUndefined()
})

const keyCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/'
const valueCharacters = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index))
  .filter((character) => character !== ',' && character !== '=')
  .join('')
const members = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(2, '0')
    return `bar${number}=${number}`
  })

test.each<[string, string | string[], string | undefined]>([
  ['two members', 'foo=1,bar=2', 'foo=1,bar=2'],
  ['several headers', ['foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'], 'foo=1,bar=2,rojo=1,congo=2,baz=3'],
  ['an empty header', '', undefined],
  ['an empty header after another', ['foo=1', ''], 'foo=1'],
  ['an empty header before another', ['', 'foo=1'], 'foo=1'],
  ['space around members', 'foo=1 \t , \t bar=2, \t baz=3', 'foo=1,bar=2,baz=3'],
  ['tabs around members', 'foo=1\t \t,\t \tbar=2,\t \tbaz=3', 'foo=1,bar=2,baz=3'],
  ['space around it', '\t foo=1 \t', 'foo=1'],
  ['all characters', `${keyCharacters}=${valueCharacters}`, `${keyCharacters}=${valueCharacters}`],
  [
    'all characters and a vendor',
    `${keyCharacters}@a-z0-9_-*/=${valueCharacters}`,
    `${keyCharacters}@a-z0-9_-*/=${valueCharacters}`,
  ],
  ['32 members', members(32), members(32).join(',')],
  ['a key of 256 characters', ['foo=1', `${'z'.repeat(256)}=1`], `foo=1,${'z'.repeat(256)}=1`],
  [
    'a tenant of 241 and a vendor of 14 characters',
    ['foo=1', `${'t'.repeat(241)}@${'v'.repeat(14)}=1`],
    `foo=1,${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
  ],
])('a tracestate of %s is passed on', (_what, tracestate, expected) => {
  expect(stateOf(tracestate)).toBe(expected)
})

test.each<[string, string | string[]]>([
  ['one key twice', 'foo=1,foo=1'],
  ['one key with two values', 'foo=1,foo=2'],
  ['one key in two headers', ['foo=1', 'foo=2']],
  ['a space in a key', 'foo =1'],
  ['capitals in a key', 'FOO=1'],
  ['a dot in a key', 'foo.bar=1'],
  ['a key without vendor', 'foo@=1,bar=2'],
  ['a key without tenant', '@foo=1,bar=2'],
  ['a key with two signs', 'foo@@bar=1,bar=2'],
  ['a key with two vendors', 'foo@bar@baz=1,bar=2'],
  ['33 members', members(33)],
  ['a key of 257 characters', ['foo=1', `${'z'.repeat(257)}=1`]],
  ['a tenant of 242 characters', ['foo=1', `${'t'.repeat(242)}@v=1`]],
  ['a vendor of 15 characters', ['foo=1', `t@${'v'.repeat(15)}=1`]],
  ['a value with an equals sign', 'foo=bar=baz'],
  ['a value that is empty', 'foo=,bar=3'],
  ['a value of 257 characters', `foo=1,bar=${'v'.repeat(257)}`],
  ['a value beyond ASCII', 'foo=ü'],
  ['a member that is none', 'foo'],
  ['a megabyte', `foo=1,bar=${'v'.repeat(1_000_000)}`],
])('a tracestate with %s is left behind, and the trace goes on', (_what, tracestate) => {
  expect(stateOf(tracestate)).toBeUndefined()
})

test('of a tracestate over 512 characters the longest members go, then those at the end', () => {
  const [long, short] = [`long=${'x'.repeat(130)}`, members(31).map((member) => `${member}${'x'.repeat(8)}`)]
  expect(stateOf([long, ...short])).toBe(short.slice(0, 30).join(','))
  const full = Array.from({ length: 5 }, (_, index) => `vendor${index}=${'x'.repeat(100)}`)
  expect(stateOf(full)).toBe(full.slice(0, 4).join(','))
})

test('what is read is written again, and any text is read without an exception', () => {
  const digit = fc.constantFrom(...'0123456789abcdef'.split(''))
  const digits = (count: number) =>
    fc.string({ unit: digit, minLength: count, maxLength: count }).filter((text) => /[1-9a-f]/.test(text))
  fc.assert(
    fc.property(digits(32), digits(16), fc.integer({ min: 0, max: 3 }), (trace_, span, flags) => {
      const headers: Record<string, string> = {}
      const spanContext = { traceId: trace_, spanId: span, traceFlags: flags }
      propagator.send(
        trace.setSpanContext(ROOT_CONTEXT, spanContext),
        'queue',
        (name, value) => (headers[name] = value),
      )
      expect(readTraceContext(headers['traceparent'], undefined)).toEqual({ ...spanContext, isRemote: true })
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (traceparent, tracestate) => {
      readTraceContext(traceparent, tracestate)
      const state = readTraceContext(valid, tracestate)?.traceState?.serialize() ?? ''
      expect(createTraceState(state).serialize()).toBe(state)
    }),
  )
})
