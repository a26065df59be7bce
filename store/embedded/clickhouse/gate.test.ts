import { afterEach, expect, test, vi } from 'vitest'
import { createGate } from './gate.ts'

afterEach(() => void vi.useRealTimers())

const never = new AbortController().signal

test('those who wait go in by order, and what is given back twice counts once', async () => {
  const gate = createGate({ runningMax: 1, waitingMax: 2, waitMaxMs: 1_000 })
  const order: string[] = []
  const leave = await gate.enter(never)
  const second = gate.enter(never).then((next) => (order.push('second'), next))
  const third = gate.enter(never).then((next) => (order.push('third'), next))
  expect(gate.counts()).toEqual({ running: 1, waiting: 2, refused: 0 })
  leave()
  leave()
  ;(await second)()
  ;(await third)()
  expect(order).toEqual(['second', 'third'])
  expect(gate.counts()).toEqual({ running: 0, waiting: 0, refused: 0 })
})

test('beyond the bound the refusal is ClickHouse’s own', async () => {
  const gate = createGate({ runningMax: 1, waitingMax: 0, waitMaxMs: 1_000 })
  await gate.enter(never)
  await expect(gate.enter(never)).rejects.toMatchObject({ code: 202 })
  expect(gate.counts().refused).toBe(1)
})

test('waiting has an end', async () => {
  vi.useFakeTimers()
  const gate = createGate({ runningMax: 1, waitingMax: 1, waitMaxMs: 1_000 })
  await gate.enter(never)
  const refused = gate.enter(never)
  vi.advanceTimersByTime(1_000)
  await expect(refused).rejects.toMatchObject({ code: 202 })
  expect(gate.counts()).toEqual({ running: 1, waiting: 0, refused: 1 })
})

test('who gives up waiting gives up the place', async () => {
  const gate = createGate({ runningMax: 1, waitingMax: 1, waitMaxMs: 1_000 })
  const leave = await gate.enter(never)
  const abort = new AbortController()
  const gone = gate.enter(abort.signal)
  abort.abort()
  await expect(gone).rejects.toMatchObject({ code: 394 })
  leave()
  expect(gate.counts()).toEqual({ running: 0, waiting: 0, refused: 0 })
})
