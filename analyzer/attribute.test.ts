import type { Breakdown } from '@headwater/store'
import { attributeWords } from '@headwater/vocabulary'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tellingAttribute } from './attribute.ts'
import { chance } from './test-table.ts'

/** A line each: `2.0.0 pod-2: 40 of 50 bad`, or with who called in which flow, `2.0.0 pod-2 orders buy: 40 of 50 bad`. */
function tellingIn(table: string): string | undefined {
  const rows = table
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, values = '', bad, calls] = /^\s*(.*): (\d+) of (\d+) bad$/.exec(line) ?? []
      const [version = '', instance = '', caller = '', flow = ''] = values
        .split(' ')
        .map((text) => (text === '-' ? '' : text))
      return { version, instance, caller, flow, bad: Number(bad), calls: Number(calls), kept: Number(calls) }
    })
  const attribute = tellingAttribute(rows)
  return attribute && `${attributeWords(attribute)}: ${attribute.badShare} against ${attribute.goodShare}`
}

test('a bad version on one of two instances is told as the version', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 1 of 50 bad
      2.0.0 pod-2: 45 of 50 bad`),
  ).toBe('service.version = 2.0.0: 0.9 against 0.02')
})

test('a bad version on several instances is told as the version, not as any of them', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 50 bad
      2.0.0 pod-2: 40 of 50 bad
      2.0.0 pod-3: 41 of 50 bad`),
  ).toBe('service.version = 2.0.0: 0.81 against 0')
})

test('one bad instance of one version is told as the instance', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 1 of 50 bad
      1.0.0 pod-2: 0 of 50 bad
      1.0.0 pod-3: 48 of 50 bad`),
  ).toBe('service.instance.id = pod-3: 0.96 against 0.01')
})

test('where all instances and versions are as bad, nothing is telling', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 30 of 50 bad
      2.0.0 pod-2: 28 of 50 bad`),
  ).toBeUndefined()
})

test('a difference that a few calls may make by chance is not telling', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 3 bad
      2.0.0 pod-2: 2 of 3 bad`),
  ).toBeUndefined()
})

test('a small difference is not telling, however certain', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 2000 of 10000 bad
      2.0.0 pod-2: 4000 of 10000 bad`),
  ).toBeUndefined()
})

test('with a single version and instance there is nothing to compare', () => {
  expect(tellingIn('1.0.0 pod-1: 50 of 50 bad')).toBeUndefined()
  expect(tellingIn('')).toBeUndefined()
})

test('where nothing is bad, nothing is telling', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 50 bad
      2.0.0 pod-2: 0 of 50 bad`),
  ).toBeUndefined()
})

test('calls that bear no version or instance are compared with, and never told', () => {
  expect(
    tellingIn(`
      - -: 45 of 50 bad
      2.0.0 -: 0 of 50 bad`),
  ).toBeUndefined()
  expect(
    tellingIn(`
      - -: 0 of 50 bad
      2.0.0 -: 45 of 50 bad`),
  ).toBe('service.version = 2.0.0: 0.9 against 0')
})

test('of two bad values the one is told that explains more of the bad calls', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 200 bad
      1.0.0 pod-2: 20 of 20 bad
      1.0.0 pod-3: 150 of 160 bad`),
  ).toBe('service.instance.id = pod-3: 0.938 against 0.091')
})

test('the interval and the lift say how sure and how telling it is, by the calls that were kept', () => {
  const row = { instance: '', caller: '', flow: '', calls: 1_000 }
  // Each call of these stands for ten: there are 100 of each.
  expect(
    tellingAttribute([
      { ...row, version: '1.0.0', bad: 0, kept: 100 },
      { ...row, version: '2.0.0', bad: 800, kept: 100 },
    ]),
    // Wilson's interval of 80 of 100; 800 of 1,000 against 800 of 2,000.
  ).toEqual({ name: 'service.version', value: '2.0.0', badShare: 0.8, goodShare: 0, low: 0.711, high: 0.867, lift: 2 })
})

test('values that only do harm together are told together', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1 orders buy: 0 of 40 bad
      1.0.0 pod-1 orders look: 1 of 40 bad
      2.0.0 pod-2 orders buy: 38 of 40 bad
      2.0.0 pod-2 orders look: 0 of 40 bad`),
  ).toBe('service.version = 2.0.0 and flow.name = buy: 0.95 against 0.008')
  // Of each value by itself, a fifth of the calls are bad at most.
  const versions = ['1', '2', '3', '4', '5'].flatMap((version) =>
    ['a', 'b', 'c', 'd', 'e'].map(
      (flow) => `${version} - shop ${flow}: ${version === '3' && flow === 'c' ? 45 : 0} of 50 bad`,
    ),
  )
  expect(tellingIn(versions.join('\n'))).toBe('service.version = 3 and flow.name = c: 0.9 against 0')
})

test('three values are told together where two are not enough', () => {
  const bits = ['0', '1']
  const lines = bits.flatMap((version) =>
    bits.flatMap((caller) =>
      bits.map((flow) => `v${version} - c${caller} f${flow}: ${version + caller + flow === '111' ? 60 : 0} of 60 bad`),
    ),
  )
  expect(tellingIn(lines.join('\n'))).toBe('service.version = v1 and caller = c1 and flow.name = f1: 1 against 0')
})

test('one bad instance of a version is told as the instance, where the others of that version are well', () => {
  expect(
    tellingIn(`
      1.0.0 pod-1: 0 of 50 bad
      2.0.0 pod-2: 1 of 50 bad
      2.0.0 pod-3: 48 of 50 bad`),
  ).toBe('service.instance.id = pod-3: 0.96 against 0.01')
})

test('a caller is told by its plain name', () => {
  expect(
    tellingIn(`
      - - shop/orders@production buy: 50 of 50 bad
      - - shop/search@production look: 0 of 50 bad`),
  ).toBe('caller = orders: 1 against 0')
})

/** How many of the calls with each combination of values are bad, as chance would have it. */
const table = (
  shareOf: (row: Pick<Breakdown, 'version' | 'instance' | 'caller' | 'flow'>) => number,
  next: () => number,
) =>
  ['v1', 'v2'].flatMap((version) =>
    ['p1', 'p2', 'p3'].flatMap((pod) =>
      ['shop', 'search'].flatMap((caller) =>
        ['buy', 'look', 'sell'].map((flow): Breakdown => {
          const row = { version, instance: `${version}-${pod}`, caller, flow }
          const share = shareOf(row)
          const bad = Array.from({ length: 20 }, next).filter((drawn) => drawn < share).length
          return { ...row, calls: 20, bad, kept: 20 }
        }),
      ),
    ),
  )

const seeds = fc.integer({ min: 1, max: 2 ** 31 - 2 }).map((seed) => chance(seed))
const words = (rows: Breakdown[]): string | undefined => {
  const attribute = tellingAttribute(rows)
  return attribute && attributeWords(attribute)
}

test('planted values are found, one or two or three, and no others are told with them', () => {
  const planted = fc.subarray(['version', 'caller', 'flow'] as const, { minLength: 1 })
  const bad = { version: 'v2', caller: 'shop', flow: 'buy' }
  const names = { version: 'service.version', caller: 'caller', flow: 'flow.name' }
  fc.assert(
    fc.property(planted, seeds, (keys, next) => {
      const rows = table((row) => (keys.every((key) => row[key] === bad[key]) ? 0.9 : 0.02), next)
      expect(words(rows)).toBe(keys.map((key) => `${names[key]} = ${bad[key]}`).join(' and '))
    }),
  )
})

test('noise gives nothing, however much of it there is', () => {
  fc.assert(
    fc.property(seeds, fc.double({ min: 0, max: 1, noNaN: true }), (next, share) => {
      expect(words(table(() => share, next))).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test('neither the order of rows nor the names of values matter', () => {
  const renamed = (row: Breakdown): Breakdown => ({
    ...row,
    version: `<${row.version}`,
    flow: `>${row.flow}`,
    caller: `=${row.caller}`,
  })
  fc.assert(
    fc.property(seeds, fc.infiniteStream(fc.nat()), (next, keys) => {
      const rows = table(({ version, flow }) => (version === 'v1' && flow !== 'buy' ? 0.8 : 0.1), next)
      const told = words(rows)
      const shuffled = rows
        .map((row) => ({ row, key: keys.next().value }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ row }) => row)
      expect(words(shuffled)).toBe(told)
      const name = (text: string) =>
        text.replaceAll(/(version = )|(flow.name = )/g, (at) => (at.startsWith('v') ? `${at}<` : `${at}>`))
      expect(words(shuffled.map(renamed))).toBe(told && name(told))
    }),
  )
})
