import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataDirectoryInUseError, openDataDirectory, readRunFile, type RunFile } from './data-directory.ts'

let root: string
let path: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headwater-directory-'))
  path = join(root, 'data')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const content: RunFile = {
  pid: process.pid,
  otlpUrl: 'http://127.0.0.1:4318',
  apiUrl: 'http://127.0.0.1:8012',
  clickhouseUrl: 'http://headwater:secret@127.0.0.1:1234/headwater',
  databaseUrl: 'postgres://headwater:secret@127.0.0.1:1235/postgres',
}

/** Another process that owns the directory, with a run file, until it is told to end. */
async function startOwner() {
  const program = join(root, 'owner.mjs')
  const source = JSON.stringify(new URL('./data-directory.ts', import.meta.url).href)
  writeFileSync(
    program,
    `import { openDataDirectory } from ${source}
     const directory = openDataDirectory(${JSON.stringify(path)})
     directory.writeRunFile({ ...${JSON.stringify(content)}, pid: process.pid })
     process.on('message', () => { directory.release(); process.disconnect() })
     process.send('owns')`,
  )
  const owner = fork(program, [], { execArgv: [] })
  await once(owner, 'message')
  return owner
}

test('the directory and what is in it are for its owner only', () => {
  const directory = openDataDirectory(path)
  directory.writeRunFile(content)
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(statSync(join(path, 'run.json')).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'))).toEqual(content)
  directory.release()
})

test('those who attach read the run file of a live owner, and nothing after it has gone', () => {
  expect(readRunFile(path)).toBeUndefined()
  const directory = openDataDirectory(path)
  expect(readRunFile(path)).toBeUndefined()
  directory.writeRunFile(content)
  expect(readRunFile(path)).toEqual(content)
  directory.release()
  expect(readRunFile(path)).toBeUndefined()
})

test('a second owner in the same process is refused, and looking does not lose the lock', () => {
  const directory = openDataDirectory(path)
  directory.writeRunFile(content)
  readRunFile(path)
  expect(() => openDataDirectory(path)).toThrow(DataDirectoryInUseError)
  expect(readRunFile(path)).toEqual(content)
  directory.release()
  openDataDirectory(path).release()
})

test('the refusal names the owner, where it answers, and the mend', async () => {
  const owner = await startOwner()
  expect(() => openDataDirectory(path)).toThrow(
    `Cannot use the data directory ${path}: process ${owner.pid} (http://127.0.0.1:8012) already runs there. ` +
      'Use that one, stop it, or set HEADWATER_DATA to another directory',
  )
  expect(readRunFile(path)).toEqual({ ...content, pid: owner.pid })
  const exited = once(owner, 'exit')
  owner.send('release')
  await exited
  openDataDirectory(path).release()
})

test('an owner that was killed leaves nothing behind that counts', async () => {
  const owner = await startOwner()
  const exited = once(owner, 'exit')
  owner.kill('SIGKILL')
  await exited
  expect(readFileSync(join(path, 'run.json'), 'utf8')).toContain(String(owner.pid))
  expect(readRunFile(path)).toBeUndefined()
  const directory = openDataDirectory(path)
  expect(readRunFile(path)).toBeUndefined()
  directory.release()
})

test('a process with the dead owner’s ID does not hold its lock', async () => {
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  openDataDirectory(path).release()
  writeFileSync(join(path, 'owner.pid'), String(bystander.pid))
  writeFileSync(join(path, 'run.json'), JSON.stringify({ ...content, pid: bystander.pid }))
  expect(readRunFile(path)).toBeUndefined()
  openDataDirectory(path).release()
  bystander.kill('SIGKILL')
})

test('a run file that is not ours is named, not guessed at', () => {
  const directory = openDataDirectory(path)
  writeFileSync(join(path, 'run.json'), '{"pid":"x"}')
  expect(() => readRunFile(path)).toThrow(`Cannot understand ${join(path, 'run.json')}`)
  expect(() => directory.writeRunFile({ ...content, clickhouseUrl: 'nowhere' })).toThrow('clickhouseUrl')
  directory.release()
})

test('a directory that cannot be made is named', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => openDataDirectory(join(root, 'file', 'data'))).toThrow(join(root, 'file', 'data'))
})
