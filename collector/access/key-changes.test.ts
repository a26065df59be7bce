import { fork } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { digestOf } from './api-key.ts'
import { addKey, removeKey } from './key-changes.ts'
import { keysMax, readKeyFile, writeKeyFile } from './key-file.ts'
import { testFolder, testKey } from './test-keys.ts'

const { pathOf } = testFolder()
const nowMs = Date.UTC(2026, 10, 27)

test('the first key makes the file, and its secret is not in it', () => {
  const path = pathOf('keys.json')
  const { secret, key } = addKey(path, { name: 'shop', notAfterMs: nowMs + 1 }, { nowMs })
  expect(key).toMatchObject({ name: 'shop', digest: digestOf(secret), createdAtMs: nowMs, notAfterMs: nowMs + 1 })
  expect(readKeyFile(path).keys).toEqual([key])
  expect(readFileSync(path, 'utf8')).not.toContain(secret)
})

test('rotation: a second key of the name is added, then the first is removed', () => {
  const path = pathOf('keys.json')
  const first = addKey(path, { name: 'shop' }, { nowMs }).key
  const second = addKey(path, { name: 'shop' }, { nowMs }).key
  expect(removeKey(path, first.id)).toEqual({ removed: first, left: 1 })
  expect(readKeyFile(path).keys).toEqual([second])
  expect(removeKey(path, second.id)).toEqual({ removed: second, left: 0 })
  expect(readKeyFile(path).keys).toEqual([])
})

test('a new key takes the rate of its name, and a new rate is for all keys of the name', () => {
  const path = pathOf('keys.json')
  const ratesOf = () => readKeyFile(path).keys.map(({ name, recordsPerSecond }) => [name, recordsPerSecond])
  addKey(path, { name: 'till' }, { nowMs })
  addKey(path, { name: 'shop', recordsPerSecond: 10 }, { nowMs })
  addKey(path, { name: 'shop' }, { nowMs })
  expect(ratesOf()).toEqual([
    ['till', undefined],
    ['shop', 10],
    ['shop', 10],
  ])
  addKey(path, { name: 'shop', recordsPerSecond: 20 }, { nowMs })
  expect(ratesOf()).toEqual([
    ['till', undefined],
    ['shop', 20],
    ['shop', 20],
    ['shop', 20],
  ])
})

test('an ID that is taken is not given again', () => {
  const path = pathOf('keys.json')
  let calls = 0
  const random = (bytes: number) => Buffer.alloc(bytes, Math.floor(calls++ / 4))
  const ids = [1, 2].map(() => addKey(path, { name: 'shop' }, { nowMs, random }).key.id)
  expect(ids).toEqual(['k_00000000', 'k_01010101'])
})

test('there is no room for more than a thousand', () => {
  const path = pathOf('keys.json')
  const keys = Array.from({ length: keysMax }, (_, index) => testKey(`k_${String(index).padStart(8, '0')}`, 'shop'))
  writeKeyFile(path, { keys })
  expect(() => addKey(path, { name: 'shop' }, { nowMs })).toThrow('it has 1000, at most 1000 may be there; remove some')
})

test('what cannot be changed is left alone, and named', () => {
  const path = pathOf('keys.json')
  expect(() => removeKey(path, 'k_00000001')).toThrow(`Cannot read the keys in ${path}: there is no such file`)
  writeFileSync(path, 'precious')
  expect(() => addKey(path, { name: 'shop' }, { nowMs })).toThrow('it is not JSON')
  expect(readFileSync(path, 'utf8')).toBe('precious')
  writeKeyFile(path, { keys: [] })
  expect(() => removeKey(path, 'k_00000001')).toThrow(`Cannot remove "k_00000001": ${path} has no such key`)
  const nowhere = pathOf('nowhere/keys.json')
  expect(() => addKey(nowhere, { name: 'shop' }, { nowMs })).toThrow(
    `Cannot change the keys in ${nowhere}: name a file`,
  )
})

test('a link to the file stays one', () => {
  addKey(pathOf('real.json'), { name: 'shop' }, { nowMs })
  symlinkSync(pathOf('real.json'), pathOf('keys.json'))
  addKey(pathOf('keys.json'), { name: 'till' }, { nowMs })
  expect(lstatSync(pathOf('keys.json')).isSymbolicLink()).toBe(true)
  expect(readKeyFile(pathOf('real.json')).keys.map(({ name }) => name)).toEqual(['shop', 'till'])
})

const changes = JSON.stringify(new URL('./key-changes.ts', import.meta.url).href)

test('several processes that add at the same time lose no key', async () => {
  const path = pathOf('keys.json')
  const program = pathOf('add.mjs')
  writeFileSync(
    program,
    `import { addKey } from ${changes}
     process.on('message', () => {
       for (let i = 0; i < 5; i++) addKey(${JSON.stringify(path)}, { name: process.argv[2] }, { nowMs: 0 })
       process.disconnect()
     })
     process.send('ready')`,
  )
  const adders = ['a', 'b', 'c', 'd'].map((name) => fork(program, [name], { execArgv: [] }))
  await Promise.all(adders.map((adder) => once(adder, 'message')))
  const ended = adders.map((adder) => once(adder, 'exit'))
  for (const adder of adders) adder.send('add')
  expect((await Promise.all(ended)).map(([code]: unknown[]) => code)).toEqual([0, 0, 0, 0])
  const names = readKeyFile(path).keys.map(({ name }) => name)
  expect(names.toSorted().join('')).toBe('aaaaabbbbbcccccddddd')
})

test('a process that is killed while it changes the keys keeps nobody out', async () => {
  const path = pathOf('keys.json')
  const program = pathOf('hang.mjs')
  writeFileSync(
    program,
    `import { addKey } from ${changes}
     addKey(${JSON.stringify(path)}, { name: 'shop' }, { nowMs: 0, random: () => { process.send('holds'); for (;;); } })`,
  )
  const holder = fork(program, [], { execArgv: [] })
  await once(holder, 'message')
  const exited = once(holder, 'exit')
  holder.kill('SIGKILL')
  await exited
  addKey(path, { name: 'till' }, { nowMs })
  expect(readKeyFile(path).keys.map(({ name }) => name)).toEqual(['till'])
})
