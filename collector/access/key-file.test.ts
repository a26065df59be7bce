import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { keysMax, parseKeyFile, readKeyFile, writeKeyFile } from './key-file.ts'
import { testFolder, testKey } from './test-keys.ts'

const { pathOf } = testFolder()
const sha256 = 'ab'.repeat(32)
const shop = { name: 'shop', id: 'k_ab12cd34', sha256, createdAt: '2026-11-01T10:00:00Z' }
const parse = (value: unknown) => parseKeyFile(JSON.stringify(value), 'keys.json')

test('a file says of each key whose it is, until when it is good, and how much it may send', () => {
  const full = { ...shop, notAfter: '2027-01-31T01:00:00+01:00', recordsPerSecond: 20_000 }
  expect(parse({ keys: [full] })).toEqual({
    keys: [
      {
        name: 'shop',
        id: 'k_ab12cd34',
        digest: Buffer.from(sha256, 'hex'),
        createdAtMs: Date.UTC(2026, 10, 1, 10),
        notAfterMs: Date.UTC(2027, 0, 31),
        recordsPerSecond: 20_000,
      },
    ],
  })
  expect(parse({ keys: [] })).toEqual({ keys: [] })
})

test.each([
  [{ name: 'the shop' }, 'keys.0.name is "the shop": give 1 to 64 letters'],
  [{ name: undefined }, 'keys.0.name cannot be used: give 1 to 64 letters'],
  [{ name: 'n'.repeat(65) }, 'keys.0.name is "nnnn'],
  [{ id: 'shop' }, 'keys.0.id is "shop": give k_ and 8'],
  [{ sha256: 'hw_hunter2' }, 'keys.0.sha256 cannot be used (its value is not shown): give the SHA-256'],
  [{ createdAt: 'yesterday' }, 'keys.0.createdAt is "yesterday": give a time such as 2027-01-31T00:00:00Z'],
  [{ notAfter: '2027-01-31' }, 'keys.0.notAfter is "2027-01-31": give a time'],
  [{ notAfter: '2027-02-30T00:00:00Z' }, 'keys.0.notAfter is "2027-02-30T00:00:00Z": give a time'],
  [{ recordsPerSecond: 0 }, 'keys.0.recordsPerSecond is 0: give a whole number from 1'],
  [{ recordsPerSecond: 1.5 }, 'keys.0.recordsPerSecond is 1.5: give a whole number'],
  [{ recordsPerSecond: '9' }, 'keys.0.recordsPerSecond is "9": give a whole number'],
  [{ notafter: 'x' }, 'keys.0 cannot be used (its value is not shown): remove notafter; the form is {"name":"shop"'],
  [{ secret: 'hw_hunter2' }, 'remove secret'],
])('a key with %j is refused by file, field, value and mend', (change, message) => {
  const attempt = () => parse({ keys: [{ ...shop, ...change }] })
  expect(attempt).toThrow('Cannot read the keys in keys.json: ')
  expect(attempt).toThrow(message)
  expect(attempt).not.toThrow('hunter2')
})

test.each([
  [[], 'the whole cannot be used (its value is not shown): the form is {"keys":[…]}'],
  [{}, 'keys cannot be used: give a list of keys, empty for none'],
  [{ keys: {} }, 'keys cannot be used (its value is not shown): give a list'],
  [{ keys: ['hw_x'] }, 'keys.0 is "hw_x": the form is'],
])('%j is no file of keys', (value, message) => {
  expect(() => parse(value)).toThrow(message)
})

test('keys may not contradict one another', () => {
  const second = { ...shop, id: 'k_00000002', sha256: 'cd'.repeat(32) }
  expect(parse({ keys: [shop, second] }).keys).toHaveLength(2)
  expect(() => parse({ keys: [shop, { ...second, id: shop.id }] })).toThrow('keys.1.id is "k_ab12cd34" as that of')
  expect(() => parse({ keys: [shop, { ...second, sha256 }] })).toThrow('keys.1.sha256 is the same as that of another')
  expect(() => parse({ keys: [{ ...shop, recordsPerSecond: 5 }, second] })).toThrow(
    'keys.1.recordsPerSecond is left out: give all keys of "shop" the same',
  )
})

test('a file has room for a thousand keys', () => {
  const keys = Array.from({ length: keysMax + 1 }, (_, index) => {
    const number = String(index).padStart(8, '0')
    return { ...shop, id: `k_${number}`, sha256: number.repeat(8) }
  })
  expect(parse({ keys: keys.slice(1) }).keys).toHaveLength(1_000)
  expect(() => parse({ keys })).toThrow('give at most 1000 keys')
})

test('a file that is missing, large or a folder is refused by name, with what to do', () => {
  const path = pathOf('keys.json')
  expect(() => readKeyFile(path)).toThrow(`Cannot read the keys in ${path}: there is no such file; make it with`)
  writeFileSync(path, ' '.repeat(2 * 1024 * 1024 + 1))
  expect(() => readKeyFile(path)).toThrow(
    `Cannot read the keys in ${path}: name a file of keys that this user may read`,
  )
  mkdirSync(pathOf('folder'))
  expect(() => readKeyFile(pathOf('folder'))).toThrow('name a file of keys')
})

test.each([
  ['hw_hunter2', 'it is not JSON; mend it, or write {"keys":[]} and add keys'],
  ['', 'it is not JSON'],
  ['{"keys":[\n{"name":"hunter2"\n"id"', 'it is not JSON (line 3 column 1); mend it'],
])('what is not JSON is refused with its place, and not quoted: %j', (written, message) => {
  expect(() => parseKeyFile(written, 'keys.json')).toThrow(`Cannot read the keys in keys.json: ${message}`)
  expect(() => parseKeyFile(written, 'keys.json')).not.toThrow('hunter2')
})

test('what is written is read again, is for its owner only, and leaves nothing beside it', () => {
  const path = pathOf('keys.json')
  const file = {
    keys: [testKey('k_00000001', 'shop'), testKey('k_00000002', 'till', { notAfterMs: 1e12, recordsPerSecond: 9 })],
  }
  writeFileSync(`${path}.new`, 'what a crash left behind', { mode: 0o644 })
  writeKeyFile(path, file)
  expect(readKeyFile(path)).toEqual(file)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(existsSync(`${path}.new`)).toBe(false)
})

test('a file that cannot be written stays as it was', () => {
  const path = pathOf('keys.json')
  writeKeyFile(path, { keys: [] })
  const before = readFileSync(path, 'utf8')
  mkdirSync(`${path}.new`)
  expect(() => writeKeyFile(path, { keys: [testKey('k_00000001', 'shop')] })).toThrow(`Cannot write 1 keys to ${path}`)
  expect(readFileSync(path, 'utf8')).toBe(before)
})

test.skipIf(process.getuid?.() !== 0)(
  'an administrator who writes the file leaves it to the user it belongs to',
  () => {
    const path = pathOf('keys.json')
    writeKeyFile(path, { keys: [] })
    chownSync(path, 12_345, 12_345)
    writeKeyFile(path, { keys: [testKey('k_00000001', 'shop')] })
    expect(statSync(path)).toMatchObject({ uid: 12_345, gid: 12_345 })
  },
)
