import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import {
  type CallState,
  connectStore,
  migrateClickHouse,
  migratePostgres,
  minutesOf,
  readWindows,
  type Store,
  tenSecondsOf,
} from '@headwater/store'
import { bucketOf, type Histogram } from '@headwater/vocabulary'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCommonSlowdown } from './common-slowdown.ts'
import { detect, type Finding } from './detect.ts'
import { detectLasting } from './lasting.ts'
import { parameters } from './parameters.ts'
import { operationKey, pictureOf } from './picture.ts'
import { LastingEffects } from './read-lasting.ts'
import { readPictures } from './read-pictures.ts'
import { writeStates } from './test-states.ts'
import { callsIn, tell } from './test-table.ts'

let engines: TestEngines
let store: Store

beforeAll(async () => {
  engines = await startTestEngines()
  store = connectStore(engines)
  await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
}, 240_000)

afterAll(async () => {
  await store.close()
  await engines.stop()
})

const atMs = Math.floor(Date.now() / 10_000) * 10_000
const baselineFromMs = atMs - parameters.baselineMs
const baselineToMs = atMs - parameters.recentMs - parameters.gapMs

async function empty(): Promise<void> {
  for (const table of ['chain_health_metrics_10s', 'chain_health_metrics']) {
    await store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
  }
}

function inOrder(findings: Finding[]): Finding[] {
  return findings.toSorted((a, b) => {
    const [x, y] = [a, b].map((finding) =>
      JSON.stringify([finding.signal, finding.service, finding.operation, finding]),
    )
    return (x ?? '') < (y ?? '') ? -1 : 1
  })
}

/** What is found of all series, read in full. */
function findInAll(
  now: CallState[],
  before: CallState[],
  { baselineMs, slowdown }: { baselineMs: number; slowdown: number },
): Finding[] {
  return detect({
    recent: pictureOf(now),
    baseline: pictureOf(before),
    recentMs: parameters.recentMs,
    baselineMs,
    collectorWasAlive: true,
    slowdown,
  })
}

// Few services and operations, so that operations have several callers, and some services speak only through others. Counts are
// drawn around what just may be a finding, and around chance.
const service = fc.constantFrom('a', 'b', 'c', 'd', 'e')
interface Shape {
  service: string
  operation: string
  kind: string
  caller: string
  callerOperation: string
  usualNs: number
}

const shape: fc.Arbitrary<Shape> = fc.record({
  service,
  operation: fc.constantFrom('x', 'y'),
  kind: fc.constantFrom('entry', 'sync', 'sync', 'async', 'peer', 'publish'),
  caller: service,
  callerOperation: fc.constantFrom('x', 'y'),
  usualNs: fc.constantFrom(2e6, 4e7, 6e7, 1.2e8, 4e8),
})
const bad = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }))
const time = (calls: fc.Arbitrary<number>) =>
  fc.record({
    calls,
    failedPercent: bad,
    originPercent: bad,
    slowPercent: bad,
    slowFactor: fc.constantFrom(1.2, 2, 3, 12),
  })
type Time = { calls: number; failedPercent: number; originPercent: number; slowPercent: number; slowFactor: number }

function stateOf({ service: callee, operation, kind, caller, callerOperation, usualNs }: Shape, is: Time): CallState {
  const { calls } = is
  const part = (percent: number): number => Math.floor((calls * percent) / 100)
  const slow = part(is.slowPercent)
  const histogram: Histogram = {
    [bucketOf(usualNs)]: calls - slow,
    ...(slow === 0 ? {} : { [bucketOf(usualNs * is.slowFactor)]: slow }),
  }
  if (calls === slow) Reflect.deleteProperty(histogram, bucketOf(usualNs))
  const sumNs = Math.round((calls - slow) * usualNs + slow * usualNs * is.slowFactor)
  const hasSpan = kind !== 'peer' && kind !== 'publish'
  return {
    service: kind === 'peer' && operation === 'x' ? 'outside' : callee,
    operation: hasSpan ? operation : '',
    kind: kind as CallState['kind'],
    caller: kind === 'entry' ? '' : caller,
    callerOperation: kind === 'entry' ? '' : callerOperation,
    flowName: 'flow',
    version: '',
    calls,
    errors: hasSpan ? part(is.failedPercent) : 0,
    originErrors: hasSpan ? part(Math.min(is.failedPercent, is.originPercent)) : 0,
    clientErrors: part(is.failedPercent),
    durationNs: sumNs,
    selfNs: sumNs,
    wireNs: 0,
    duration: histogram,
    self: histogram,
    wire: {},
  }
}

const series = fc.record({
  shape,
  now: fc.option(time(fc.integer({ min: 1, max: 200 })), { freq: 6 }),
  before: fc.option(time(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 100, max: 5_000 }))), { freq: 6 }),
  /** Which of the windows, in tenths of the time. */
  at: fc.integer({ min: 0, max: 9 }),
})

test('what is read after a screen shows just the findings that all series show', async () => {
  let found = 0
  let slow = 0
  await fc.assert(
    fc.asyncProperty(fc.array(series, { minLength: 3, maxLength: 20 }), async (all) => {
      await empty()
      const now = all.flatMap(({ shape: of, now: is }) => (is === null ? [] : [stateOf(of, is)]))
      const before = all.flatMap(({ shape: of, before: is, at }) =>
        is === null
          ? []
          : [
              {
                state: stateOf(of, is),
                windowMs: baselineFromMs + Math.floor(((baselineToMs - baselineFromMs) * at) / 1e5) * 1e4,
              },
            ],
      )
      // So much is known of the last hour that the day before it is not asked, and for so long that slowness can be told.
      for (let window = 1; window <= 10; window += 1) {
        before.push({
          state: stateOf(
            { service: 'busy', operation: 'x', kind: 'entry', caller: 'a', callerOperation: 'x', usualNs: 2e6 },
            { calls: 300, failedPercent: 0, originPercent: 0, slowPercent: 0, slowFactor: 2 },
          ),
          windowMs: baselineToMs - window * 10_000,
        })
      }
      await writeStates(store, [...now.map((state) => ({ state, windowMs: atMs - 20_000 })), ...before])
      const pictures = await readPictures(store, atMs)
      const baselineMs = new Set(before.map(({ windowMs }) => windowMs)).size * 10_000
      const expected = findInAll(
        now,
        before.map(({ state }) => state),
        { baselineMs, slowdown: pictures.slowdown },
      )
      expect(pictures.baselineMs).toBe(baselineMs)
      expect(inOrder(detect({ ...pictures, collectorWasAlive: true }))).toEqual(inOrder(expected))
      found += expected.length
      slow += expected.filter(({ unit }) => unit === 'ns').length
    }),
    { numRuns: 12 },
  )
  // Or nothing would have been compared.
  expect(found).toBeGreaterThan(slow)
  expect(slow).toBeGreaterThan(0)
}, 600_000)

/** Around what just may last: a few bad calls of many, each minute. */
const lastingSeries = fc.record({
  shape,
  minutes: fc.array(
    fc.record({
      calls: fc.integer({ min: 1, max: 300 }),
      failedPercent: fc.constantFrom(0, 0, 1, 3, 6, 30),
      originPercent: fc.constantFrom(0, 3, 100),
      slowPercent: fc.constantFrom(0, 0, 4, 8, 30),
      slowFactor: fc.constantFrom(1.2, 1.5, 3),
    }),
    { minLength: 3, maxLength: 3 },
  ),
  isMade: fc.constantFrom(true, true, true, false),
  before: fc.option(time(fc.integer({ min: 80, max: 5_000 })), { freq: 9 }),
})

test('what lasts is read just so after a screen, too', async () => {
  const toMs = Math.floor(atMs / 60_000) * 60_000
  const beforeMs = toMs - 10 * 60_000
  // So long has been seen before that what is normal is known.
  const usual = Array.from({ length: 20 }, (_, at) =>
    callsIn('- > quiet GET /: 1 calls').map((state) => ({ state, windowMs: beforeMs - at * 10_000 })),
  ).flat()
  let found = 0
  await fc.assert(
    fc.asyncProperty(fc.array(lastingSeries, { minLength: 3, maxLength: 20 }), async (all) => {
      await empty()
      const minutes = [0, 1, 2].map((minute) =>
        all.flatMap(({ shape: of, minutes: told, isMade }) => {
          const is = told[minute]
          return is === undefined || !isMade ? [] : [stateOf(of, is)]
        }),
      )
      const healthy = { failedPercent: 0, originPercent: 0, slowPercent: 0, slowFactor: 2 }
      const before = all.flatMap(({ shape: of, before: is }) =>
        is === null ? [] : [stateOf(of, { ...healthy, calls: is.calls })],
      )
      const busy = { service: 'busy', operation: 'x', kind: 'entry', caller: 'a', callerOperation: 'x', usualNs: 2e6 }
      before.push(stateOf(busy, { ...healthy, calls: 3_000 }))
      await writeStates(store, [
        ...minutes.flatMap((states, minute) =>
          states.map((state) => ({ state, windowMs: toMs - (3 - minute) * 60_000 })),
        ),
        ...before.map((state) => ({ state, windowMs: beforeMs })),
        ...usual,
      ])
      const { findings, leftOut, range, baseline } = await new LastingEffects(store).at(atMs)
      if (baseline === undefined) throw new Error('Nothing is known of before')
      const expected = detectLasting({
        whole: pictureOf(minutes.flat()),
        minutes: minutes.map((states) => pictureOf(states)),
        baseline: pictureOf([...before, ...usual.map(({ state }) => state)]),
        pValueMax: 1,
        slowdown: await readCommonSlowdown(store, { recent: minutesOf(range), baseline: baseline.windows }),
      })
      expect(leftOut).toBe(0)
      const told = findings.map(({ compared, ...finding }) => {
        expect(compared?.recent).toEqual({ fromMs: toMs - 3 * 60_000, toMs })
        return finding
      })
      expect(inOrder(told)).toEqual(inOrder(expected))
      found += expected.length
    }),
    { numRuns: 12 },
  )
  expect(found).toBeGreaterThan(0)
}, 600_000)

test('work that some successes leave out shows where each of them used to do it, and not where only some did', async () => {
  await empty()
  const toMs = Math.floor(atMs / 60_000) * 60_000
  const minuteOf = (tracked: number, asked: number) =>
    callsIn(`
      - > orders POST /orders: 60 calls
      orders POST /orders > tracking GET /track: ${tracked} calls
      orders POST /orders > rates GET /rate: ${asked} calls`)
  const usual = [60, 40, 59, 35, 60, 60].map((asked) => minuteOf(60, asked))
  const now = [30, 40, 36].map((made) => minuteOf(made, made / 2))
  const idle = callsIn('- > quiet GET /: 1 calls')
  await writeStates(store, [
    ...[...usual, ...now].flatMap((states, at, { length }) =>
      states.map((state) => ({ state, windowMs: toMs - (length - at) * 60_000 })),
    ),
    // So long has been seen before that what is normal is known.
    ...Array.from({ length: 20 }, (_, at) =>
      idle.map((state) => ({ state, windowMs: toMs - 10 * 60_000 - at * 10_000 })),
    ).flat(),
  ])
  const { findings } = await new LastingEffects(store).at(atMs)
  expect(tell(findings)).toEqual(['fan-out tracking GET /track from orders'])
  expect(findings[0]).toMatchObject({ expected: 1, calls: 180, unit: 'calls' })
  expect(findings[0]?.seen).toBeCloseTo(106 / 180)
}, 120_000)

test('where what lasts cannot be looked for, nothing is found, and it is said why', async () => {
  const query = () => Promise.reject(new Error('Memory limit exceeded'))
  const broken = new Proxy(store, {
    get: (target, name) => (name === 'clickhouse' ? { query } : Reflect.get(target, name)),
  })
  expect(await new LastingEffects(broken).at(atMs)).toMatchObject({
    findings: [],
    failure: 'Memory limit exceeded',
    isNew: true,
  })
})

test('what is slower everywhere is told by services that have spans, and by peers that have none', async () => {
  const placesAt = (factor: number): CallState[] =>
    callsIn(`
      - > gateway GET /: 50 calls, ${20 * factor} ms, self ${2 * factor} ms
      gateway GET / > orders POST /orders: 50 calls, ${15 * factor} ms, self ${5 * factor} ms
      orders POST /orders > payments POST /pay: 50 calls, ${8 * factor} ms, self ${4 * factor} ms
      payments POST /pay ?> bank.example:443: 50 calls, ${4 * factor} ms
      orders POST /orders ?> db.example:5432: 50 calls, ${2 * factor} ms`)
  const slowdownOf = async (now: CallState[]): Promise<number> => {
    await empty()
    await writeStates(store, [
      ...now.map((state) => ({ state, windowMs: atMs - 20_000 })),
      ...placesAt(1).map((state) => ({ state, windowMs: baselineFromMs + 600_000 })),
    ])
    return await readCommonSlowdown(store, {
      recent: tenSecondsOf({ fromMs: atMs - 30_000, toMs: atMs }),
      baseline: tenSecondsOf({ fromMs: baselineFromMs, toMs: baselineToMs }),
    })
  }
  expect(await slowdownOf(placesAt(1))).toBeCloseTo(1, 9)
  expect(await slowdownOf(placesAt(2))).toBeCloseTo(2, 1)
  // Calls that the gateway alone left unanswered are no place of their own.
  const unanswered = callsIn('gateway GET / ?> orders: 50 calls, 900 ms')
  expect(await slowdownOf([...placesAt(1), ...unanswered])).toBeCloseTo(1, 9)
}, 240_000)

test('around a service are its calls, those into it and those of all that it calls, now and before; connected are its callers, too', async () => {
  await empty()
  const before = callsIn(`
    - > gateway GET /: 300 calls
    gateway GET / > orders POST /orders: 300 calls
    orders POST /orders > payments POST /pay: 300 calls
    payments POST /pay ?> bank.example:443: 300 calls
    gateway GET / > search GET /search: 300 calls
    search GET /search > index GET /index: 300 calls
    stats POST / > payments GET /sums: 300 calls`)
  const now = before.filter(({ service: callee }) => callee !== 'bank.example:443')
  await writeStates(store, [
    ...now.map((state) => ({ state, windowMs: atMs - 20_000 })),
    ...before.map((state) => ({ state, windowMs: baselineFromMs + 600_000 })),
  ])
  const pictures = await readPictures(store, atMs)
  const { recent, baseline } = await pictures.around(['orders'])
  const callsOf = ({ edges }: typeof recent): string[] =>
    [...edges.values()].map(({ caller, service: callee }) => `${caller} > ${callee}`).toSorted()
  expect(callsOf(recent)).toEqual(['gateway > orders', 'orders > payments', 'stats > payments'])
  expect(callsOf(baseline)).toEqual([...callsOf(recent), 'payments > bank.example:443'].toSorted())
  expect([...baseline.served.keys()].toSorted()).toEqual(['orders', 'payments'])
  const connected = await pictures.connected(['orders'], { told: ['orders'] })
  expect(callsOf(connected)).toEqual(callsOf(baseline))
  expect([...connected.served.keys()].toSorted()).toEqual(['gateway', 'orders', 'payments'])
  // Times are read where somebody asks for them, and where runs begin.
  const timesOf = (at: string, operation: string): number =>
    Object.keys(connected.operations.get(operationKey(at, operation))?.duration ?? {}).length
  expect([timesOf('gateway', 'GET /'), timesOf('orders', 'POST /orders')].every((buckets) => buckets > 0)).toBe(true)
  expect(connected.operations.get(operationKey('payments', 'POST /pay'))).toMatchObject({
    calls: 300,
    duration: {},
  })
  expect(await pictures.around([])).toMatchObject({ recent: { operations: new Map() } })
  expect(pictures.leftOut()).toBe(0)
}, 240_000)

test('thousands of services are asked for at once, though their names do not fit into a URL', async () => {
  await empty()
  await writeStates(
    store,
    callsIn('- > gateway GET /: 300 calls').map((state) => ({ state, windowMs: atMs - 20_000 })),
  )
  const pictures = await readPictures(store, atMs)
  const many = Array.from({ length: 5_000 }, (_, i) => `service-of-a-large-fleet-${i}`)
  const { recent } = await pictures.around([...many, 'gateway'])
  expect([...recent.served]).toEqual([['gateway', 300]])
}, 240_000)

test('of hundreds of services below, the nearest are looked at, and the others are counted', async () => {
  await empty()
  const calls = Array.from(
    { length: 150 },
    (_, i) => `gateway GET / > near-${i} GET /: 300 calls
    near-${i} GET / > far-${i} GET /: 300 calls`,
  )
  await writeStates(
    store,
    callsIn(calls.join('\n')).map((state) => ({ state, windowMs: atMs - 20_000 })),
  )
  const pictures = await readPictures(store, atMs)
  const { recent } = await pictures.around(['gateway'])
  const leftOut = pictures.leftOut()
  const served = [...recent.served.keys()]
  expect(served.filter((key) => key.startsWith('near-'))).toHaveLength(150)
  expect(served.length + leftOut).toBe(300)
  expect(leftOut).toBeGreaterThan(0)
  await pictures.around(['gateway'])
  expect(pictures.leftOut()).toBe(leftOut)
}, 240_000)

test('onsets are read of the calls that are asked for, and what tells them apart no further is added up', async () => {
  await empty()
  const states = callsIn(`
    gateway GET / > orders POST /orders: 300 calls
    search GET / > orders POST /orders: 30 calls
    stats POST / > orders POST /orders: 50 calls
    gateway GET / > orders GET /orders: 20 calls
    orders POST /orders > payments POST /pay: 380 calls`)
  await writeStates(
    store,
    [40_000, 20_000].flatMap((agoMs) => states.map((state) => ({ state, windowMs: atMs - agoMs }))),
  )
  const { windows, leftOut } = await readWindows(store, {
    fromMs: atMs - 600_000,
    toMs: atMs,
    series: [
      { service: 'orders', operation: 'POST /orders' },
      { service: 'orders', caller: 'stats' },
    ],
  })
  expect(leftOut).toBe(0)
  expect(windows.map(({ windowMs, operation, caller, calls }) => [windowMs - atMs, operation, caller, calls])).toEqual([
    [-20_000, 'POST /orders', '', 330],
    [-20_000, 'POST /orders', 'stats', 50],
    [-40_000, 'POST /orders', '', 330],
    [-40_000, 'POST /orders', 'stats', 50],
  ])
  expect(await readWindows(store, { fromMs: atMs - 600_000, toMs: atMs, series: [] })).toEqual({
    windows: [],
    leftOut: 0,
  })
}, 240_000)
