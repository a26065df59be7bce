import { expect, test } from 'vitest'
import { readSamplingSettings } from './settings.ts'

test('without a budget all is kept, and an empty variable counts as unset', () => {
  expect(readSamplingSettings({})).toEqual({})
  expect(readSamplingSettings({ HEADWATER_SPAN_BUDGET: ' ' })).toEqual({})
})

test('a budget is spans per second', () => {
  expect(readSamplingSettings({ HEADWATER_SPAN_BUDGET: ' 20000 ' })).toEqual({ spansPerSecond: 20_000 })
})

test.each(['99', '-5', '1e4', '20k', '100000001', '9'.repeat(30)])(
  'a budget of %j is refused with the mend',
  (value) => {
    expect(() => readSamplingSettings({ HEADWATER_SPAN_BUDGET: value })).toThrow(
      `HEADWATER_SPAN_BUDGET is "${value}": give spans per second from 100 to 100000000`,
    )
  },
)
