import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Judged, reliabilityTable } from './reliability.ts'

/** A case of which the product was so sure, rightly or wrongly; or of which it said that it had not enough data. */
function judged(confidence: number | undefined, isRight: boolean): Judged {
  return {
    name: '',
    kind: '',
    culprits: ['payments'],
    rankings: { ours: isRight ? ['payments', 'orders'] : ['orders', 'payments'] },
    remark: '',
    ...(confidence === undefined ? {} : { confidence }),
  }
}

test('a worked example: of twenty-nine that were .95 sure all are right, of four that were .6 or .64 sure three', () => {
  const cases = [
    ...Array.from({ length: 29 }, () => judged(0.95, true)),
    judged(0.6, true),
    judged(0.6, true),
    judged(0.64, true),
    judged(0.64, false),
    judged(undefined, false),
  ]
  // The intervals are Wilson's: of 29 of 29 as Newcombe has it (1998), of 3 of 4 by hand.
  expect(reliabilityTable(cases).split('\n')).toEqual([
    '| confidence | n | mean of it | right | 95 % |',
    '|---|---|---|---|---|',
    '| 0 to 0.5 | 0 | | | |',
    '| 0.5 to 0.7 | 4 | 0.62 | 0.75 | 0.30 to 0.95 |',
    '| 0.7 to 0.9 | 0 | | | |',
    '| 0.9 to 1 | 29 | 0.95 | 1.00 | 0.88 to 1.00 |',
    '| not enough data | 1 | | | |',
  ])
})

test('right is only who comes first, and a case without a ranking is wrong', () => {
  expect(reliabilityTable([{ ...judged(0.95, true), rankings: {} }])).toContain('| 0.9 to 1 | 1 | 0.95 | 0.00 |')
})

test('each case stands in one line, whatever their order', () => {
  const cases = fc.array(
    fc.tuple(fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }), fc.boolean()),
  )
  fc.assert(
    fc.property(cases, (all) => {
      const told = all.map(([confidence, isRight]) => judged(confidence, isRight))
      const table = reliabilityTable(told)
      const counts = table
        .split('\n')
        .slice(2)
        .map((line) => Number(line.split('|')[2]))
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length)
      const counted = (of: string): string[] => of.split('\n').map((line) => line.split('|').slice(1, 3).join())
      expect(counted(reliabilityTable(told.toReversed()))).toEqual(counted(table))
    }),
  )
})
