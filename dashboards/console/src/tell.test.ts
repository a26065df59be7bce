import { expect, test } from 'vitest'
import { count, measured, ms, plural, rate, share, span } from './tell.ts'

test('times have three digits and the unit that suits them', () => {
  expect([0, 0.0421, 0.5, 9.999, 150.2, 999.7, 1_533, 61_000, 150_000].map(ms)).toEqual([
    '0 ms',
    '42.1 µs',
    '500 µs',
    '10 ms',
    '150 ms',
    '1 s',
    '1.53 s',
    '61 s',
    '2 min 30 s',
  ])
  expect([null, undefined, Number.NaN].map(ms)).toEqual(['–', '–', '–'])
})

test('shares never round to nothing or to all', () => {
  expect([0, 0.000_01, 0.004, 0.0512, 0.512, 0.999, 1].map(share)).toEqual([
    '0 %',
    '< 0.01 %',
    '0.4 %',
    '5.1 %',
    '51 %',
    '> 99 %',
    '100 %',
  ])
})

test('counts, rates and stretches of time', () => {
  expect([5_300, 1_234_567].map(count)).toEqual(['5,300', '1.23M'])
  expect([plural(1, 'flow'), plural(2, 'flow')]).toEqual(['1 flow', '2 flows'])
  expect([0.25, 1_200].map(rate)).toEqual(['0.25/s', '1,200/s'])
  expect([0, 999, 125_000, 3_600_000, 90_061_000].map(span)).toEqual(['0 s', '1 s', '2 min 5 s', '1 h', '1 d 1 h'])
})

test('what is left of one call in each call is not rounded to one, and whole calls are', () => {
  expect([1, 0.6, 0.05, 0.8, 3.14, 12.4].map((value) => measured(value, 'calls', 'fan-out'))).toEqual([
    '1 per call',
    '0.6 per call',
    '0.05 per call',
    '0.8 per call',
    '3.1 per call',
    '12 per call',
  ])
  expect(measured(0.05, 'calls', 'cache-misses')).toBe('0.05 per call')
  expect(measured(41.3, 'calls', 'silence')).toBe('41')
})
