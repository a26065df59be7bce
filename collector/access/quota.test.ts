import { expect, test } from 'vitest'
import type { KeyFile } from './key-file.ts'
import { createQuota } from './quota.ts'
import { testKey } from './test-keys.ts'

const file = (recordsPerSecond: number, ...names: string[]): KeyFile => ({
  keys: names.map((name, index) => testKey(`k_${String(index).padStart(8, '0')}`, name, { recordsPerSecond })),
})

/** Each line says when in seconds how many records come, and whether they are sent or told how long to wait. */
function retold(recordsPerSecond: number, story: string): string {
  const keys = file(recordsPerSecond, 'shop')
  const quota = createQuota({ keys: () => keys })
  return story.replaceAll(
    /(?<atS>[\d.]+)(?<gap> +)(?<records>\d+) .*/g,
    (_line, atS: string, gap: string, records: string) => {
      const nowMs = Number(atS) * 1_000
      const checked = quota.check('shop', nowMs)
      if (checked.ok) quota.spend('shop', Number(records), nowMs)
      return `${atS}${gap}${records} ${checked.ok ? 'sent' : `wait ${checked.retryAfterS}`}`
    },
  )
}

test('five seconds of the rate may be sent at once, then the rate', () => {
  const story = `
    0       500 sent
    0       1 wait 1
    0.5     30 sent
    0.5     30 sent
    0.5     30 wait 1
    0.7     1 sent`
  expect(retold(100, story)).toBe(story)
})

test('a request larger than the balance is taken, and paid by waiting', () => {
  const story = `
    0       1000 sent
    0       1 wait 6
    4.9     1 wait 1
    5       1 wait 1
    5.01    1 sent`
  expect(retold(100, story)).toBe(story)
})

test('a sender that comes when it is told to is let in', () => {
  const keys = file(7, 'shop')
  const quota = createQuota({ keys: () => keys })
  let nowMs = 1_000_000
  const comebacks: boolean[] = []
  for (const records of [35, 1, 100, 6, 7, 8, 401]) {
    const checked = quota.check('shop', nowMs)
    if (!checked.ok) {
      nowMs += checked.retryAfterS * 1_000
      comebacks.push(quota.check('shop', nowMs).ok)
    }
    quota.spend('shop', records, nowMs)
  }
  expect(comebacks).toEqual([true, true, true, true, true])
})

test('nobody is told to wait for more than a minute', () => {
  const story = `
    0       20000 sent
    0       1 wait 60
    60      1 wait 60
    135     1 wait 60
    136     1 wait 60
    190     1 wait 6
    196     1 sent`
  expect(retold(100, story)).toBe(story)
})

test('a clock that jumps back gives nothing, and one that jumps ahead no more than the burst', () => {
  const story = `
    1000    500 sent
    10      1 wait 1
    10.1    10 sent
    10.1    1 wait 1
    999999  500 sent
    999999  1 wait 1`
  expect(retold(100, story)).toBe(story)
})

test('the keys of one name spend together, and names apart', () => {
  const keys = file(10, 'shop', 'shop', 'till')
  const quota = createQuota({ keys: () => keys })
  quota.spend('shop', 50, 0)
  expect(quota.check('shop', 0)).toEqual({
    ok: false,
    retryAfterS: 1,
    reason: 'The keys of "shop" may send 10 records a second and have sent more; send these again later',
  })
  expect(quota.check('till', 0)).toEqual({ ok: true })
})

test('a name without a rate and the open door have no limit', () => {
  for (const keys of [undefined, { keys: [testKey('k_00000001', 'shop')] }]) {
    const quota = createQuota({ keys: () => keys })
    for (const name of ['', 'shop']) {
      quota.spend(name, 1e9, 0)
      expect(quota.check(name, 0)).toEqual({ ok: true })
    }
  }
})

test('a new rate counts at once, and a name that leaves the file leaves no debt', () => {
  let keys = file(10, 'shop')
  const quota = createQuota({ keys: () => keys })
  quota.spend('shop', 1_000, 0)
  expect(quota.check('shop', 0)).toMatchObject({ retryAfterS: 60 })
  keys = file(1_000, 'shop')
  expect(quota.check('shop', 0)).toMatchObject({ retryAfterS: 1 })
  keys = file(10, 'till')
  expect(quota.check('shop', 0)).toEqual({ ok: true })
  keys = file(10, 'shop')
  expect(quota.check('shop', 0)).toEqual({ ok: true })
})
