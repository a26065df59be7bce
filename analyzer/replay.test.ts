import type { RunCall } from '@headwater/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeCalls } from './placed-run.ts'
import { noRelief, type Relief, replay, type RunOutcome } from './replay.ts'

const ms = 1e6

/** A call of service `by` to `at`, both with one operation; times in milliseconds of the run. */
type Told = Partial<Omit<RunCall, 'service' | 'caller'>> & {
  at: string
  by?: string
  fromMs: number
  toMs: number
  selfMs?: number
  wireMs?: number
}

function call({ at, by = '', fromMs, toMs, selfMs = 0, wireMs = 0, ...rest }: Told): RunCall {
  return {
    spanId: `${at} at ${fromMs}`,
    clientSpanId: '',
    kind: by === '' ? 'entry' : 'sync',
    caller: by,
    callerOperation: by === '' ? '' : 'work',
    service: at,
    operation: 'work',
    endMs: toMs,
    durationNs: (toMs - fromMs) * ms,
    selfNs: selfMs * ms,
    wireNs: wireMs * ms,
    failed: false,
    originError: false,
    clientFailed: false,
    ...rest,
  }
}

const failing = { failed: true, clientFailed: true }
const own = { ...failing, originError: true }

/** Plays a run again with something taken off each call at a service. */
function played(calls: RunCall[], off: Record<string, Partial<Relief>> = {}, usualNs?: number): RunOutcome {
  const run = placeCalls(calls)
  if (run === undefined) throw new Error('Nobody can tell how the run hangs together')
  return replay(
    run,
    ({ service }) => ({ ...noRelief, ...off[service] }),
    () => usualNs,
  )
}

test('what is taken off a call is taken off the run, as far as the run waited for it', () => {
  // shop works for 10 ms, then asks stock (90 ms) and price (50 ms) side by side, then the bank (100 ms), and works for 10 ms.
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 210, selfMs: 20 }),
    call({ at: 'stock', by: 'shop', fromMs: 10, toMs: 100, selfMs: 90 }),
    call({ at: 'price', by: 'shop', fromMs: 10, toMs: 60, selfMs: 50 }),
    call({ at: 'bank', by: 'shop', fromMs: 100, toMs: 200, kind: 'peer' }),
  ]
  expect(played(run)).toEqual({ failed: false, durationNs: 210 * ms })
  // Until price, stock hides nothing: 90 − 40 = 50.
  expect(played(run, { stock: { selfNs: 40 * ms } }).durationNs).toBe(170 * ms)
  // From there on the run waits for price.
  expect(played(run, { stock: { selfNs: 80 * ms } }).durationNs).toBe(170 * ms)
  expect(played(run, { price: { selfNs: 40 * ms } }).durationNs).toBe(210 * ms)
  expect(played(run, { bank: { waitNs: 70 * ms } }).durationNs).toBe(140 * ms)
  expect(played(run, { shop: { selfNs: 15 * ms } }).durationNs).toBe(195 * ms)
  // Both together: 20 of shop, 50 of price, 30 of the bank.
  expect(played(run, { stock: { selfNs: 80 * ms }, bank: { waitNs: 70 * ms } }).durationNs).toBe(100 * ms)
})

test('a call that began after another one had ended begins sooner, though a third one goes on beside both', () => {
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 300, selfMs: 0 }),
    call({ at: 'cart', by: 'shop', fromMs: 0, toMs: 200, selfMs: 200 }),
    call({ at: 'price', by: 'shop', fromMs: 205, toMs: 300, selfMs: 95 }),
    call({ at: 'stock', by: 'shop', fromMs: 0, toMs: 250, selfMs: 250 }),
  ]
  // price begins 5 ms after cart, and then stock is what the run waits for.
  expect(played(run, { cart: { selfNs: 190 * ms } }).durationNs).toBe(250 * ms)
  expect(played(run, { cart: { selfNs: 20 * ms } }).durationNs).toBe(280 * ms)
})

test('time on the way to a callee is part of the call', () => {
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 130, selfMs: 10 }),
    call({ at: 'stock', by: 'shop', fromMs: 60, toMs: 80, selfMs: 20, wireMs: 100 }),
  ]
  expect(played(run, { stock: { wireNs: 95 * ms } }).durationNs).toBe(35 * ms)
  expect(played(run, { stock: { wireNs: 500 * ms } }).durationNs).toBe(30 * ms)
})

test('a failure is gone when what it came from is, and only then', () => {
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 50, selfMs: 10, failed: true }),
    call({ at: 'orders', by: 'shop', fromMs: 5, toMs: 45, selfMs: 20, ...failing }),
    call({ at: 'bank', by: 'orders', fromMs: 10, toMs: 30, kind: 'peer', ...own }),
  ]
  expect(played(run).failed).toBe(true)
  expect(played(run, { bank: { error: true } }).failed).toBe(false)
  expect(played(run, { orders: { error: true } }).failed).toBe(true)
  // Another failing call, whether it was passed up or not, leaves a doubt.
  const other = call({ at: 'mail', by: 'shop', fromMs: 46, toMs: 48, selfMs: 2, ...own })
  expect(played([...run, other], { bank: { error: true } }).failed).toBe(true)
  expect(played([...run, other], { bank: { error: true }, mail: { error: true } }).failed).toBe(false)
})

test('a failure that nothing in the calls explains stays', () => {
  expect(
    played([call({ at: 'shop', fromMs: 0, toMs: 50, selfMs: 50, failed: true })], { shop: { error: true } }).failed,
  ).toBe(true)
})

test('a consumer that fails makes the run fail, and keeps nobody waiting', () => {
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 50, selfMs: 49 }),
    call({ at: 'mails', by: 'shop', fromMs: 10, toMs: 11, kind: 'publish' }),
    call({
      at: 'mailer',
      by: 'shop',
      fromMs: 20,
      toMs: 500,
      selfMs: 480,
      kind: 'async',
      failed: true,
      originError: true,
    }),
  ]
  expect(played(run)).toEqual({ failed: true, durationNs: 50 * ms })
  expect(played(run, { mailer: { error: true, selfNs: 480 * ms } })).toEqual({ failed: false, durationNs: 50 * ms })
})

test('a caller that gave up waits for an answer that comes as soon as usual', () => {
  // It waited for 100 ms; the callee went on.
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 110, selfMs: 10, failed: true }),
    call({ at: 'stock', by: 'shop', fromMs: 5, toMs: 905, selfMs: 900, clientFailed: true }),
  ]
  expect(played(run, { stock: { selfNs: 880 * ms } }, 30 * ms)).toEqual({ failed: false, durationNs: 25 * ms })
  expect(played(run, { stock: { selfNs: 800 * ms } }, 30 * ms).failed).toBe(true)
  expect(played(run, { stock: { selfNs: 880 * ms } }).failed).toBe(true)
  // Whom a caller did not like the answer of was not late.
  const disliked = run.map((each) =>
    each.service === 'stock' ? { ...each, endMs: 105, durationNs: 90 * ms, selfNs: 90 * ms, wireNs: 10 * ms } : each,
  )
  expect(played(disliked, { stock: { selfNs: 80 * ms } }, 30 * ms).failed).toBe(true)
})

test('clocks that differ move a call into the time of its caller', () => {
  const run = (skewMs: number) => [
    call({ at: 'shop', fromMs: 0, toMs: 100, selfMs: 40 }),
    call({ at: 'stock', by: 'shop', fromMs: 20 + skewMs, toMs: 80 + skewMs, selfMs: 60 }),
  ]
  for (const skewMs of [-70_000, -50, 0, 50, 70_000]) {
    expect(played(run(skewMs), { stock: { selfNs: 50 * ms } }).durationNs).toBe(50 * ms)
  }
})

test('callees whose clocks differ a little, or that end late, are still called one after the other', () => {
  const run = (skewMs: number, lateMs: number) => [
    call({ at: 'shop', fromMs: 0, toMs: 220, selfMs: 20 }),
    call({ at: 'stock', by: 'shop', fromMs: 10 + skewMs, toMs: 110 + skewMs + lateMs, selfMs: 100 + lateMs }),
    call({ at: 'price', by: 'shop', fromMs: 110, toMs: 210, selfMs: 100 }),
  ]
  for (const [skewMs, lateMs] of [
    [0, 0],
    [20, 0],
    [0, 20],
    [-9, 0],
  ] as const) {
    const relief = { stock: { selfNs: (90 + lateMs) * ms } }
    const { durationNs } = played(run(skewMs, lateMs), relief)
    expect(durationNs / ms).toBeGreaterThanOrEqual(130 - Math.abs(skewMs))
    expect(durationNs / ms).toBeLessThanOrEqual(130 + Math.abs(skewMs))
  }
})

test('how much of both ways was the way there is told by the calls before', () => {
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 230, selfMs: 20 }),
    call({ at: 'stock', by: 'shop', fromMs: 10, toMs: 30, selfMs: 20 }),
    // All of its 100 ms of way are after it.
    call({ at: 'price', by: 'shop', fromMs: 30, toMs: 120, selfMs: 90, wireMs: 100 }),
  ]
  expect(played(run, { stock: { selfNs: 15 * ms } }).durationNs).toBe(215 * ms)
  expect(played(run, { price: { wireNs: 95 * ms } }).durationNs).toBe(135 * ms)
})

test('where calls are missing, nobody knows how the run would have gone', () => {
  const shop = call({ at: 'shop', fromMs: 0, toMs: 100, selfMs: 10 })
  const stock = call({ at: 'stock', by: 'shop', fromMs: 5, toMs: 95, selfMs: 90 })
  expect(placeCalls([shop, stock])).toBeDefined()
  expect(placeCalls([])).toBeUndefined()
  expect(placeCalls([stock])).toBeUndefined()
  // 90 ms of shop that neither it nor anybody else tells of.
  expect(placeCalls([shop])).toBeUndefined()
  expect(placeCalls([shop, stock, call({ at: 'other', fromMs: 0, toMs: 50, selfMs: 50 })])).toBeUndefined()
  // They call each other, and nobody calls them.
  const circle = [
    call({ at: 'a', by: 'b', fromMs: 0, toMs: 9, selfMs: 9 }),
    call({ at: 'b', by: 'a', fromMs: 0, toMs: 9, selfMs: 9 }),
  ]
  expect(placeCalls([shop, stock, ...circle])).toBeUndefined()
})

test('of two with the same name, the one in whose time a call lies made it', () => {
  const run = [
    call({ at: 'shop', fromMs: 0, toMs: 220, selfMs: 20 }),
    call({ at: 'stock', by: 'shop', fromMs: 10, toMs: 60, selfMs: 50 }),
    call({ at: 'stock', by: 'shop', fromMs: 60, toMs: 210, selfMs: 10 }),
    call({ at: 'base', by: 'stock', fromMs: 65, toMs: 205, kind: 'peer' }),
  ]
  expect(played(run, { base: { waitNs: 130 * ms } }).durationNs).toBe(90 * ms)
})

/** What one operation does, one after another or side by side, in whole milliseconds. */
type Plan = { selfMs: number; wireMs: number; isBeside: boolean; fails: boolean; calls: Plan[] }

const planOf: fc.Memo<Plan> = fc.memo((depth) =>
  fc.record({
    selfMs: fc.integer({ min: 1, max: 200 }),
    wireMs: fc.integer({ min: 0, max: 20 }).map((half) => 2 * half),
    isBeside: fc.boolean(),
    fails: fc.boolean(),
    calls: depth <= 1 ? fc.constant([]) : fc.array(planOf(depth - 1), { maxLength: 3 }),
  }),
)

/** The calls of a run that goes as planned. Every operation has a service of its own. */
function callsOf(planned: Plan): RunCall[] {
  const calls: RunCall[] = []
  let services = 0
  const run = (one: Plan, fromMs: number, by: string): { toMs: number; failed: boolean } => {
    services += 1
    const at = `service-${services}`
    let atMs = fromMs + one.selfMs
    let failed = one.fails
    let latestMs = atMs
    for (const next of one.calls) {
      const beginMs = one.isBeside ? fromMs + one.selfMs : latestMs
      const below = run(next, beginMs + next.wireMs / 2, at)
      failed ||= below.failed
      latestMs = Math.max(latestMs, below.toMs + next.wireMs / 2)
    }
    atMs = latestMs
    calls.push(
      call({
        at,
        by,
        fromMs,
        toMs: atMs,
        selfMs: one.selfMs,
        wireMs: by === '' ? 0 : one.wireMs,
        failed,
        clientFailed: by !== '' && failed,
        originError: one.fails && !one.calls.some((below) => isFailing(below)),
      }),
    )
    return { toMs: atMs, failed }
  }
  run(planned, 0, '')
  return calls
}

function isFailing({ fails, calls }: Plan): boolean {
  return fails || calls.some(isFailing)
}

const run = planOf(4).map(callsOf)
const shares = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }))

/** Takes a share of its time off each call, chosen by its place. */
function someOff(calls: RunCall[], share: (at: number) => number): (call: RunCall) => Relief {
  const at = new Map(calls.map(({ spanId }, place) => [spanId, place]))
  return ({ spanId, selfNs, wireNs, durationNs }) => {
    const part = share(at.get(spanId) ?? 0)
    return { error: false, selfNs: part * selfNs, wireNs: part * wireNs, waitNs: part * durationNs }
  }
}

function outcome(calls: RunCall[], reliefOf: (call: RunCall) => Relief): RunOutcome {
  const placed = placeCalls(calls)
  if (placed === undefined) throw new Error('Nobody can tell how the run hangs together')
  return replay(placed, reliefOf)
}

test('a run from which nothing is taken goes as it went', () => {
  fc.assert(
    fc.property(run, (calls) => {
      const top = calls.find(({ kind }) => kind === 'entry')
      const { failed, durationNs } = outcome(calls, () => noRelief)
      expect(failed).toBe(top?.failed)
      expect(durationNs).toBeCloseTo(top?.durationNs ?? 0, 0)
    }),
  )
})

test('without all errors that began somewhere, no run fails', () => {
  fc.assert(
    fc.property(run, (calls) => {
      expect(outcome(calls, () => ({ ...noRelief, error: true })).failed).toBe(false)
    }),
  )
})

test('a run fails without one of its errors only if there is another one', () => {
  fc.assert(
    fc.property(run, (calls) => {
      const origins = calls.filter(({ originError }) => originError)
      for (const origin of origins) {
        const { failed } = outcome(calls, (each) => ({ ...noRelief, error: each === origin }))
        expect(failed).toBe(origins.length > 1)
      }
    }),
  )
})

test('the more is taken off, the sooner a run ends, and never by more than was taken off', () => {
  fc.assert(
    fc.property(run, shares, fc.double({ min: 0, max: 1, noNaN: true }), (calls, stream, factor) => {
      const drawn = calls.map(() => stream.next().value)
      const more = someOff(calls, (at) => drawn[at] ?? 0)
      const less = someOff(calls, (at) => (drawn[at] ?? 0) * factor)
      const [all, some, none] = [more, less, () => noRelief].map((off) => outcome(calls, off).durationNs)
      expect(all).toBeLessThanOrEqual((some ?? 0) + 1)
      expect(some).toBeLessThanOrEqual((none ?? 0) + 1)
      const taken = calls.reduce((sum, each) => sum + more(each).selfNs + more(each).wireNs, 0)
      expect((none ?? 0) - (all ?? 0)).toBeLessThanOrEqual(taken + 1)
    }),
  )
})

test('neither the order of calls nor the names of services matter', () => {
  fc.assert(
    fc.property(run, fc.infiniteStream(fc.nat()), shares, (calls, keys, stream) => {
      const off = calls.map(() => stream.next().value)
      const renamed = (service: string): string =>
        service === '' ? '' : `${service.replace('service-', '')} by another name`
      const shuffled = calls
        .map((each) => ({ key: keys.next().value, each }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ each }) => ({ ...each, service: renamed(each.service), caller: renamed(each.caller) }))
      const place = new Map(calls.map(({ spanId }, at) => [spanId, at]))
      const share = (each: RunCall) => off[place.get(each.spanId) ?? 0] ?? 0
      const reliefOf = (each: RunCall): Relief => ({
        ...noRelief,
        selfNs: share(each) * each.selfNs,
        error: share(each) > 0.5,
      })
      const [one, two] = [outcome(calls, reliefOf), outcome(shuffled, reliefOf)]
      expect(two.failed).toBe(one.failed)
      expect(two.durationNs).toBeCloseTo(one.durationNs, 0)
    }),
  )
})

test('what went on beside something just as slow mends nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (slowMs, share) => {
      const calls = [
        call({ at: 'shop', fromMs: 0, toMs: slowMs + 10, selfMs: 10 }),
        call({ at: 'stock', by: 'shop', fromMs: 5, toMs: slowMs + 5, selfMs: slowMs }),
        call({ at: 'price', by: 'shop', fromMs: 5, toMs: slowMs + 5, selfMs: slowMs }),
      ]
      expect(played(calls, { stock: { selfNs: share * slowMs * ms } }).durationNs).toBe((slowMs + 10) * ms)
    }),
  )
})
