import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { daysBefore } from './read-same-time.ts'
import {
  type Counts,
  type DayState,
  type Departure,
  isUsual,
  judgeDay,
  type JudgedDay,
  minutesOfDay,
  sameTimeOf,
  sentenceOf,
} from './same-time.ts'
import { chance } from './test-table.ts'

/** A day's minutes as text: in each of 100 calls, `s` 80 are slow, `.` one is, ` ` none is made. */
function minutes(text: string, { slow = 80, very = slow }: { slow?: number; very?: number } = {}): Counts[] {
  return text
    .padEnd(minutesOfDay(), '.')
    .split('')
    .map((minute) =>
      minute === ' '
        ? { calls: 0, bad: 0, very: 0 }
        : minute === 's'
          ? { calls: 100, bad: slow, very }
          : { calls: 100, bad: 1, very: 0 },
    )
}

/** Now 80 of 100 calls are slow, where one in a hundred was in the last hour. */
const slow: Departure = {
  now: { calls: 100, bad: 80 },
  before: { calls: 5_000, bad: 50 },
  isTime: true,
  shareRiseMin: 0.08,
}

describe('a day', () => {
  test.each<[what: string, day: Counts[], state: DayState]>([
    ['on which as many calls were slow, and for as long, was as now', minutes('.....s.....'), 'as-much'],
    ['whose batch began four minutes later shows it as well', minutes('.........ss'), 'as-much'],
    ['on which it went on all of the time was as now', minutes('sssssssssss'), 'as-much'],
    ['on which nothing was slow was normal', minutes('...........'), 'normal'],
    ['of which a third was slow shows less than half of it', minutes('.....sss...', { slow: 30 }), 'normal'],
    ['on which half of the calls were slow shows it, and less', minutes('.....sss...', { slow: 50 }), 'less'],
    ['on which calls were slow for a fraction of the time shows less', minutes('.....sss...', { very: 5 }), 'less'],
    ['without calls at that time says nothing', minutes('           '), 'unknown'],
  ])('%s', (_, day, state) => {
    expect(judgeDay(slow, day)).toBe(state)
  })

  test('with fewer failures than now excuses none of them, and with about as many it does', () => {
    const failing: Departure = {
      now: { calls: 300, bad: 90 },
      before: { calls: 9_000, bad: 9 },
      isTime: false,
      shareRiseMin: 0.08,
    }
    expect(judgeDay(failing, minutes('.....ss....', { slow: 17 }))).toBe('less')
    expect(judgeDay(failing, minutes('.....ss....', { slow: 28 }))).toBe('as-much')
  })

  test('on which calls were not made shows that they usually are not', () => {
    const missing: Departure = { now: { calls: 60, bad: 60 }, before: undefined, isTime: false, shareRiseMin: 0.08 }
    const all = Array.from({ length: minutesOfDay() }, () => ({ calls: 60, bad: 0, very: 0 }))
    expect(judgeDay(missing, all)).toBe('normal')
    expect(judgeDay(missing, all.with(5, { calls: 60, bad: 60, very: 0 }))).toBe('as-much')
  })

  test('the more was slow on it, the more it shows', () => {
    const order: DayState[] = ['unknown', 'normal', 'less', 'as-much']
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (one, other) => {
        const [few, many] = [Math.min(one, other), Math.max(one, other)]
        const rank = (bad: number): number => order.indexOf(judgeDay(slow, minutes('.....ss....', { slow: bad })))
        expect(rank(few)).toBeLessThanOrEqual(rank(many))
      }),
    )
  })

  test('on which nothing was different departs in less than one case in a hundred', () => {
    const next = chance(7)
    const small: Departure = { ...slow, now: { calls: 60, bad: 6 }, before: { calls: 2_000, bad: 40 } }
    const departed = Array.from({ length: 2_000 }, () => {
      const day = Array.from({ length: minutesOfDay() }, () => {
        const bad = Array.from({ length: 30 }, next).filter((one) => one < 0.02).length
        return { calls: 30, bad, very: bad }
      })
      return judgeDay(small, day)
    }).filter((state) => state !== 'normal')
    expect(departed.length).toBeLessThan(20)
  })
})

/** Days as text, yesterday first: `=` as much, `-` less, `.` normal, a space unknown; those of the other kind in `other`. */
function days(text: string, isOther: (daysAgo: number) => boolean = () => false): JudgedDay[] {
  const states: Record<string, DayState> = { '=': 'as-much', '-': 'less', '.': 'normal', ' ': 'unknown' }
  return text.split('').map((day, index) => ({
    daysAgo: index + 1,
    isLike: !isOther(index + 1),
    state: states[day] ?? 'unknown',
  }))
}

function usual(text: string, isOther?: (daysAgo: number) => boolean): boolean {
  const told = sameTimeOf(days(text, isOther), { isWeekend: false })
  return told !== undefined && isUsual(told)
}

describe('what is usual at this time of day', () => {
  test.each<[what: string, days: string, isUsual: boolean]>([
    ['two days are too few', '==', false],
    ['three of three are enough', '===', true],
    ['three of four are', '==.=', true],
    ['three of five are not', '==.=.', false],
    ['five of seven are', '=.==.==', true],
    ['days without calls do not count', '= = =  ', true],
    ['a night that was as bad among others that were better excuses nothing', '-----=-', false],
    ['two are enough', '--=--=-', true],
    ['no day says nothing', '       ', false],
  ])('%s', (_, text, expected) => {
    expect(usual(text)).toBe(expected)
  })

  // On a Saturday: yesterday was a Friday, and the last weekend is six and seven days ago.
  const isWeekday = (daysAgo: number): boolean => daysAgo % 7 > 0 && daysAgo % 7 < 6
  test('what comes on weekdays is not usual on a Saturday, once a weekend was seen', () => {
    expect(usual('=====  ', isWeekday)).toBe(true)
    expect(usual('=====..', isWeekday)).toBe(false)
  })

  test('what comes on weekends is usual on a Saturday, once two of them were seen', () => {
    expect(usual('.....==', isWeekday)).toBe(false)
    expect(usual('.....==.....==', isWeekday)).toBe(true)
  })

  test('the order in which days are read does not matter', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(days('=-.== ='), { minLength: 7 }), (shuffled) => {
        expect(sameTimeOf(shuffled, { isWeekend: false })).toEqual(sameTimeOf(days('=-.== ='), { isWeekend: false }))
      }),
    )
  })

  test.each([
    ['...', 'At this time of day it was normal on the last 3 weekdays that are known.'],
    [
      '=.-=',
      'At this time of day it departed from normal on 3 of the last 4 weekdays that are known, on 2 of them about as much.',
    ],
    [
      '---',
      'At this time of day it departed from normal on 3 of the last 3 weekdays that are known, each time clearly less.',
    ],
  ])('%s: %s', (text, sentence) => {
    const told = sameTimeOf(days(text), { isWeekend: false })
    expect(told && sentenceOf(told)).toBe(sentence)
  })
})

describe('the days that a time is compared with', () => {
  const daysAgo = (iso: string): number[] => daysBefore(Date.parse(iso)).days.map((day) => day.daysAgo)

  test('of a Wednesday the last seven, and the weekdays before these', () => {
    expect(daysAgo('2026-11-25T12:00:00')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('of a Sunday the last seven, and the weekends of a month', () => {
    expect(daysAgo('2026-11-29T12:00:00')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 21, 22])
  })

  test('five minutes before and after, at the same time by the clock', () => {
    const atMs = Date.parse('2026-11-25T02:00:40')
    const [yesterday] = daysBefore(atMs).days
    expect(new Date(yesterday?.range.fromMs ?? 0).toTimeString().slice(0, 8)).toBe('01:55:00')
    expect(new Date(yesterday?.range.toMs ?? 0).toTimeString().slice(0, 8)).toBe('02:06:00')
  })
})
