import { expect, test } from 'vitest'
import { spreadStretches } from './logged-time.ts'

test('of a busy time some stretches of whole minutes are looked at, evenly spread over its windows; of a calm one all, as one', () => {
  const hour = { fromMs: 0, toMs: 3_600_000, windowMs: 300_000 }
  const spread = (time: typeof hour, share: number): string[] =>
    spreadStretches(time, { share, stretchesMin: 5 }).map(({ fromMs, toMs }) => `${fromMs / 60_000}-${toMs / 60_000}`)
  expect(spread(hour, 1)).toEqual(['0-60'])
  expect(spread(hour, 0.5)).toEqual(['5-10', '15-20', '25-30', '35-40', '45-50', '55-60'])
  // Of five at least, for the sake of their median, parts.
  expect(spread(hour, 0.25)).toEqual(['5-8', '15-18', '30-33', '40-43', '50-53'])
  expect(spread(hour, 0)).toEqual(['5-6', '15-16', '30-31', '40-41', '50-51'])
  // A time that is one window is spread over as well.
  expect(spread({ ...hour, toMs: 600_000, windowMs: 600_000 }, 0.4)).toEqual(['0-2', '5-7'])
})
