import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from './testing.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headwater-keys-'))
  file = join(directory, 'keys.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Runs the command with the file as HEADWATER_KEYS; it has to succeed. */
async function keys(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(['keys', ...args], { HEADWATER_KEYS: file })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

const listed = async () => JSON.parse(await keys('list', '--json')) as { keys: { id: string; name: string }[] }

test('add makes the file, and prints the key once with the header that its sender sets', async () => {
  const said = await keys('add', 'shop', '--records-per-second', '20000', '--not-after', '2099-01-31T00:00:00Z')
  const [secret = 'none'] = /^ {2}(hw_[\w-]{43})$/m.exec(said)?.slice(1) ?? []
  expect(said.split('\n')).toContain(`  OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20${secret}"`)
  expect(said).toContain('lets "shop" send 20000 records a second with all its keys, until 2099-01-31T00:00:00.000Z')
  expect(readFileSync(file, 'utf8')).not.toContain(secret.slice(3))
})

test('list tells all but what is secret, as a table and as JSON', async () => {
  expect(await keys('add', 'shop', '--records-per-second', '20000')).not.toContain('HEADWATER_KEYS=')
  await keys('add', 'till')
  const [shop, till] = (await listed()).keys
  expect(shop).toEqual({
    id: expect.stringMatching(/^k_[0-9a-f]{8}$/) as string,
    name: 'shop',
    createdAt: expect.stringMatching(/^20.*Z$/) as string,
    recordsPerSecond: 20_000,
    state: 'good',
  })
  const table = await keys('list')
  expect(table.split('\n')[0]).toMatch(/^ID +NAME +CREATED +NOT AFTER +RECORDS\/S +STATE$/)
  expect(table).toMatch(new RegExp(`^${shop?.id} +shop +20\\S+Z +- +20000 +good$`, 'm'))
  expect(table).toMatch(new RegExp(`^${till?.id} +till +20\\S+Z +- +- +good$`, 'm'))
  const digests = readFileSync(file, 'utf8').match(/[0-9a-f]{64}/g)
  expect(digests).toHaveLength(2)
  for (const digest of digests ?? []) expect(table + JSON.stringify([shop, till])).not.toContain(digest)
})

test('remove takes out one key, and says what follows when none is left', async () => {
  await keys('add', 'shop')
  await keys('add', 'shop')
  const [old, young] = (await listed()).keys
  expect(await keys('remove', old?.id ?? '')).toBe(`Key ${old?.id} of "shop" is removed\n`)
  expect((await listed()).keys).toEqual([young])
  expect(await keys('remove', young?.id ?? '')).toContain('No key is left: whoever sends is refused')
  expect(await keys('list')).toContain('No keys: whoever sends is refused')
})

test('two that add at the same moment both have their key', async () => {
  await Promise.all(['shop', 'till', 'shop'].map((name) => keys('add', name)))
  expect((await listed()).keys.map(({ name }) => name).toSorted()).toEqual(['shop', 'shop', 'till'])
})

test('--file counts before HEADWATER_KEYS, and the collector is to be told of it', async () => {
  const other = join(directory, 'other.json')
  expect(await keys('add', 'shop', '--file', other)).toContain(`HEADWATER_KEYS=${other}\n`)
  const { stderr } = await run(['keys', 'list'], { HEADWATER_KEYS: file })
  expect(stderr).toContain(`Cannot read the keys in ${file}: there is no such file; make it with`)
})

test.each([
  [['list'], 'Cannot find the keys: set HEADWATER_KEYS to the path of their file, or give --file'],
  [['remove', 'k_00000001'], 'set HEADWATER_KEYS'],
  [['add', 'shop'], 'set HEADWATER_KEYS'],
  [['add', 'the shop', '--file', 'k.json'], 'Cannot make a key with the name "the shop": give 1 to 64'],
  [['add', 'shop', '--file', 'k.json', '--not-after', '2020-01-01T00:00:00Z'], 'give a time to come'],
  [['add', 'shop', '--file', 'k.json', '--records-per-second', 'many'], 'the records per second "many": give a whole'],
])('keys %j is refused in one line with its mend', async (args, message) => {
  const { code, stdout, stderr } = await run(['keys', ...args])
  expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 })
  expect(stderr).toContain(message)
})
