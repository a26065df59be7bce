import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { VersionSeen } from '@headwater/store'
import { changeEvidence, newVersions } from './changes.ts'

const sinceMs = Date.parse('2026-11-20T12:00:00Z')

/** `payments 1.0.0 −3600 s`: a version first seen so long before it all began. */
function seen(...lines: string[]): VersionSeen[] {
  return lines.map((line) => {
    const [service = '', version = '', seconds = ''] = line.split(' ')
    return { service, version, firstMs: sinceMs + Number(seconds) * 1_000, calls: 10 }
  })
}

const told = (...lines: string[]) =>
  newVersions(seen(...lines), { sinceMs, newUntilMs: sinceMs + 10_000 }).map(
    (change) => changeEvidence(change, sinceMs).sentence,
  )

test('a version that came shortly before, after others, is told with them', () => {
  expect(told('payments 1.9.0 -7000', 'payments 2.0.0 -40', 'orders 7 -7000')).toEqual([
    'Version 2.0.0 of payments took its first call 40 s before it began (2026-11-20T11:59:20.000Z); before, there was 1.9.0.',
  ])
})

test('one that came in the very ten seconds of the onset counts; one that came later may be the mend', () => {
  expect(told('payments 1 -7000', 'payments 2 10')).toHaveLength(1)
  expect(told('payments 1 -7000', 'payments 2 20')).toEqual([])
})

test('one that has been there for long, or is the only one of its service, is no change', () => {
  expect(told('payments 1 -7000', 'payments 2 -1900')).toEqual([])
  expect(told('payments 2 -40', 'orders 1 -7000')).toEqual([])
})

test('a reported change says how long before it was, and links to what was reported', () => {
  const change = {
    kind: 'deploy',
    service: 'payments',
    version: '2.0.0',
    versionsBefore: [],
    description: 'new bank',
  } as const
  expect(changeEvidence({ ...change, versionsBefore: [], at: '2026-11-20T11:50:00.000Z' }, sinceMs)).toMatchObject({
    signal: 'change',
    sentence: 'A deploy of payments (2.0.0: new bank) was reported 10 min before it began (2026-11-20T11:50:00.000Z).',
    query: '/api/v1/changes?service=payments&since=2026-11-20T11%3A49%3A00.000Z&until=2026-11-20T11%3A51%3A00.000Z',
  })
  const later = changeEvidence({ ...change, versionsBefore: [], at: '2026-11-20T12:00:30.000Z' }, sinceMs)
  expect(later.sentence).toContain('30 s after it began')
})

/** Versions of two services, first seen up to two hours before it began and up to a minute after. */
const versions = fc.uniqueArray(
  fc.record({
    service: fc.constantFrom('payments', 'orders'),
    version: fc.constantFrom('1', '2', '3', '4'),
    seconds: fc.integer({ min: -7_200, max: 60 }),
  }),
  { selector: ({ service, version }) => `${service} ${version}`, maxLength: 8 },
)

const newOf = (all: readonly VersionSeen[], laterMs = 0) =>
  newVersions(all, { sinceMs: sinceMs + laterMs, newUntilMs: sinceMs + laterMs + 10_000 })

test('neither the order in which versions are read nor the names of services matter, nor when it was', () => {
  const byName = (changes: ReturnType<typeof newOf>): string[] =>
    changes.map((change) => JSON.stringify(change)).toSorted()
  fc.assert(
    fc.property(versions, fc.integer({ min: 1, max: 1e6 }), (lines, laterMs) => {
      const all = seen(...lines.map(({ service, version, seconds }) => `${service} ${version} ${seconds}`))
      const found = newOf(all)
      expect(byName(newOf(all.toReversed()))).toEqual(byName(found))
      const under = all.map((one) => ({ ...one, service: `x-${one.service}` }))
      expect(newOf(under)).toEqual(found.map((change) => ({ ...change, service: `x-${change.service}` })))
      const later = all.map((one) => ({ ...one, firstMs: one.firstMs + laterMs }))
      expect(newOf(later, laterMs).map(({ at }) => Date.parse(at) - laterMs)).toEqual(
        found.map(({ at }) => Date.parse(at)),
      )
    }),
  )
})

test('each that is told came after those told with it, within half an hour, and no service’s first is told', () => {
  fc.assert(
    fc.property(versions, (lines) => {
      const all = seen(...lines.map(({ service, version, seconds }) => `${service} ${version} ${seconds}`))
      for (const { service, at, version, versionsBefore } of newOf(all)) {
        const first = new Map(all.filter((one) => one.service === service).map((one) => [one.version, one.firstMs]))
        expect(versionsBefore.length).toBeGreaterThan(0)
        expect(versionsBefore).toEqual(
          [...first]
            .filter(([, firstMs]) => firstMs < Date.parse(at))
            .map(([other]) => other)
            .toSorted(),
        )
        expect(first.get(version ?? '')).toBe(Date.parse(at))
        expect(Math.abs(Date.parse(at) - sinceMs)).toBeLessThanOrEqual(1_800_000)
      }
    }),
  )
})
