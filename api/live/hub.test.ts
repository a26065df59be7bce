import { gunzipSync } from 'node:zlib'
import { MetricSet } from '@headwater/vocabulary'
import { expect, onTestFinished, test } from 'vitest'
import { createHub, type Listener, liveMetrics, usualLimits } from './hub.ts'

/** A listener that keeps what it is sent; `waiting` bytes are what it has not taken yet. */
function listener(waiting = 0) {
  const got: (string | Uint8Array)[] = []
  const seen = { isGone: false }
  const of: Listener = {
    bufferedAmount: waiting,
    send: (message) => got.push(message),
    terminate: () => (seen.isGone = true),
  }
  return { of, got, seen, read: () => got.map(contentOf) }
}

function contentOf(message: string | Uint8Array): unknown {
  return JSON.parse(typeof message === 'string' ? message : gunzipSync(message).toString())
}

function hubOf(read: () => Promise<object>, limits = {}) {
  const metrics = new MetricSet(liveMetrics)
  // Beats come from the test alone.
  const hub = createHub({ read, metrics, limits: { ...usualLimits, everyMs: 1_000_000, ...limits } })
  onTestFinished(() => hub.stop())
  return { hub, metrics }
}

test('however many listen, a snapshot is read once and all get the same bytes', async () => {
  let reads = 0
  const { hub, metrics } = hubOf(async () => ({ reads: ++reads }))
  const listeners = Array.from({ length: 500 }, () => listener())
  for (const { of } of listeners) hub.join(of)
  // The first who came had it read.
  await new Promise((resolve) => setImmediate(resolve))
  expect(reads).toBe(1)
  await hub.beat()
  expect(reads).toBe(2)
  expect(new Set(listeners.map(({ got }) => got.at(-1))).size).toBe(1)
  expect(listeners[499]?.read().at(-1)).toEqual({ reads: 2 })
  expect(metrics.get('headwater_live_clients')).toBe(500)
  expect(metrics.get('headwater_live_messages_total')).toBe(1_000)
})

test('who comes later gets at once what is known', async () => {
  const { hub } = hubOf(async () => ({ at: 1 }))
  hub.join(listener().of)
  await hub.beat()
  const late = listener()
  hub.join(late.of)
  expect(late.read()).toEqual([{ at: 1 }])
})

test('while a snapshot is read, no other is asked for', async () => {
  let reads = 0
  const { promise, resolve } = Promise.withResolvers<object>()
  const { hub } = hubOf(() => {
    reads += 1
    return promise
  })
  hub.join(listener().of)
  await hub.beat()
  await hub.beat()
  expect(reads).toBe(1)
  resolve({})
})

test('a listener that does not keep up misses snapshots, which is counted, and is let go in the end', async () => {
  const { hub, metrics } = hubOf(async () => ({}), { skippedMax: 2 })
  const slow = listener(usualLimits.waitingBytesMax + 1)
  const quick = listener()
  hub.join(quick.of)
  hub.join(slow.of)
  await new Promise((resolve) => setImmediate(resolve))
  for (let beat = 0; beat < 3; beat += 1) await hub.beat()
  expect(slow.got).toEqual([])
  expect(slow.seen.isGone).toBe(true)
  expect(quick.got.length).toBeGreaterThanOrEqual(3)
  expect(metrics.get('headwater_live_skipped_total')).toBe(3)
  expect(metrics.get('headwater_live_dropped_total', { reason: 'slow' })).toBe(1)
  expect(metrics.get('headwater_live_clients')).toBe(1)
})

test('beyond the most that are let in, listeners are refused and counted', () => {
  const { hub, metrics } = hubOf(async () => ({}), { listenersMax: 1 })
  expect(hub.join(listener().of)).toBe(true)
  expect(hub.join(listener().of)).toBe(false)
  expect(metrics.get('headwater_live_refused_total')).toBe(1)
})

test('while nothing can be read, listeners are told that what they have is old', async () => {
  const { hub, metrics } = hubOf(() => Promise.reject(new Error('away')))
  const one = listener()
  hub.join(one.of)
  await hub.beat()
  expect(one.read().at(-1)).toEqual({ stale: true })
  expect(metrics.get('headwater_live_failed_total')).toBeGreaterThan(0)
})

test('when nobody listens any more, what was known is forgotten', async () => {
  const { hub, metrics } = hubOf(async () => ({ at: 1 }))
  const one = listener()
  hub.join(one.of)
  await hub.beat()
  hub.leave(one.of)
  expect(metrics.get('headwater_live_clients')).toBe(0)
  const next = listener()
  hub.join(next.of)
  expect(next.got).toEqual([])
})
