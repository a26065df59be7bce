// https://opentelemetry.io/docs/specs/otel/context, by the API's own front.

import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Context, ROOT_CONTEXT, context, createContextKey } from '@opentelemetry/api'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { AsyncContextManager } from './context-manager.ts'

const key = createContextKey('test')
const withValue = (value: unknown): Context => context.active().setValue(key, value)
const value = () => context.active().getValue(key)

beforeEach(() => {
  context.setGlobalContextManager(new AsyncContextManager())
  onTestFinished(() => context.disable())
})

test('outside of all contexts there is an empty one', () => {
  expect(value()).toBeUndefined()
  expect(context.active().setValue(key, 1).getValue(key)).toBe(1)
})

test('a context may be the outermost', () => {
  context.disable()
  context.setGlobalContextManager(new AsyncContextManager(ROOT_CONTEXT.setValue(key, 'inherited')))
  expect(value()).toBe('inherited')
  context.with(withValue('own'), () => expect(value()).toBe('own'))
  expect(value()).toBe('inherited')
})

test('what is called in a context gets its arguments and its this, and gives its result', () => {
  const self = { name: 'self' }
  function call(this: typeof self, ...args: number[]) {
    return [this.name, value(), ...args]
  }
  expect(context.with(withValue('a'), call, self, 1, 2)).toEqual(['self', 'a', 1, 2])
})

test('a context ends with its call, also when that throws', () => {
  const fail = () => {
    throw new Error('no paper')
  }
  context.with(withValue('a'), () => {
    expect(() => context.with(withValue('b'), fail)).toThrow('no paper')
    expect(value()).toBe('a')
  })
  expect(value()).toBeUndefined()
})

test('contexts follow promises, timers and ticks, each its own', async () => {
  const work = async (name: string) => {
    const seen = [value()]
    await Promise.resolve()
    seen.push(value())
    await new Promise((resolve) => setTimeout(resolve, 0))
    seen.push(value())
    await new Promise<void>((resolve) => process.nextTick(resolve))
    seen.push(value())
    expect(seen).toEqual([name, name, name, name])
  }
  await Promise.all(['a', 'b', 'c'].map((name) => context.with(withValue(name), work, undefined, name)))
})

test('a bound function runs in its context wherever it is called, and is as long as it was', () => {
  const bound = context.bind(withValue('a'), function pair(this: unknown, left: number, right: number) {
    return [this, value(), left + right]
  })
  const self = { bound }
  expect(context.with(withValue('b'), () => self.bound(1, 2))).toEqual([self, 'a', 3])
  expect(bound).toHaveLength(2)
})

test('what is neither a function nor an emitter is bound to nothing', () => {
  expect(context.bind(withValue('a'), 'text')).toBe('text')
  const object = { a: 1 }
  expect(context.bind(withValue('a'), object)).toBe(object)
})

test('all listeners of a bound emitter run in its context', () => {
  const emitter = context.bind(withValue('a'), new EventEmitter())
  const seen: unknown[] = []
  emitter.on('event', (...args) => seen.push(value(), ...args))
  emitter.once('event', () => seen.push('once', value()))
  context.with(withValue('b'), () => expect(emitter.emit('event', 1, 2)).toBe(true))
  expect(emitter.emit('nobody hears')).toBe(false)
  expect(seen).toEqual(['a', 1, 2, 'once', 'a'])
})

test('an emitter that is bound again and again, as a connection is for each request, runs in the last context', () => {
  const emitter = new EventEmitter()
  for (let turn = 0; turn < 100_000; turn += 1) context.bind(withValue(turn), emitter)
  const seen: unknown[] = []
  emitter.on('event', () => seen.push(value()))
  emitter.emit('event')
  expect(seen).toEqual([99_999])
})

test('an attached context lasts until it is disposed of, or its turn is over', async () => {
  const manager = new AsyncContextManager()
  const turn = new AsyncResource('turn')
  turn.runInAsyncScope(() => {
    const outer = manager.attach(ROOT_CONTEXT.setValue(key, 'outer'))
    const inner = manager.attach(ROOT_CONTEXT.setValue(key, 'inner'))
    expect(manager.active().getValue(key)).toBe('inner')
    inner.dispose()
    expect(manager.active().getValue(key)).toBe('outer')
    outer.dispose()
    expect(manager.active().getValue(key)).toBeUndefined()
    manager.attach(ROOT_CONTEXT.setValue(key, 'left'))
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(manager.active().getValue(key)).toBeUndefined()
})

test('a manager that is disabled has no contexts any more, and can be enabled again', () => {
  const manager = new AsyncContextManager()
  manager.with(ROOT_CONTEXT.setValue(key, 'a'), () => {
    manager.disable()
    expect(manager.active().getValue(key)).toBeUndefined()
  })
  manager.enable().with(ROOT_CONTEXT.setValue(key, 'b'), () => expect(manager.active().getValue(key)).toBe('b'))
})
