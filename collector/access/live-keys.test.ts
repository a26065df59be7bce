import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { addKey, removeKey } from './key-changes.ts'
import { createGatekeeper } from './gatekeeper.ts'
import { openKeys } from './live-keys.ts'
import { testFolder } from './test-keys.ts'

const { pathOf } = testFolder()
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Time enough for a change to be seen and read. */
const settle = () => vi.advanceTimersByTime(4_000)

test('a key counts once it is added, and no more once it is removed, without a restart', () => {
  const path = pathOf('keys.json')
  const lines: string[] = []
  const old = addKey(path, { name: 'shop' }, { nowMs: 0 })
  const keys = openKeys({ path, log: (line) => lines.push(line) })
  const gatekeeper = createGatekeeper({ keys: () => keys.current(), nowMs: () => 0 })
  const kindOf = (secret: string) => gatekeeper.admit(`Bearer ${secret}`).kind
  const young = addKey(path, { name: 'shop' }, { nowMs: 0 })
  expect([kindOf(old.secret), kindOf(young.secret)]).toEqual(['known', 'refused'])
  settle()
  expect([kindOf(old.secret), kindOf(young.secret)]).toEqual(['known', 'known'])
  removeKey(path, old.key.id)
  settle()
  expect([kindOf(old.secret), kindOf(young.secret)]).toEqual(['refused', 'known'])
  expect(lines).toEqual([
    `The keys in ${path} have changed; there are 2`,
    `The keys in ${path} have changed; there are 1`,
  ])
  keys.stop()
})

test('a file that is broken or gone opens no door and closes none', () => {
  const path = pathOf('keys.json')
  const lines: string[] = []
  addKey(path, { name: 'shop' }, { nowMs: 0 })
  const keys = openKeys({ path, log: (line) => lines.push(line) })
  const before = keys.current()
  writeFileSync(path, '{"keys":[{}]}')
  settle()
  rmSync(path)
  settle()
  settle()
  expect(keys.current()).toBe(before)
  expect(lines).toEqual([
    expect.stringMatching(/^Cannot read the keys in .*: keys\.0\.name cannot be used: .*\. What was read before stays/),
    expect.stringMatching(
      /^Cannot read the keys in .*: there is no such file; .*ENOENT.*\. What was read before stays/,
    ),
  ])
  keys.stop()
})

test('a collector does not start without the file it is told to read', () => {
  expect(() => openKeys({ path: pathOf('keys.json'), log: () => undefined })).toThrow('there is no such file')
})
