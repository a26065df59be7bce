import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ProgressFile, openProgressFile } from './progress-file.ts'
import { Progress, type ProgressContent } from './progress.ts'
import { TestDisk, temporaryDirectory } from './test-disk.ts'

async function open(path: string, content: () => ProgressContent) {
  const disk = new TestDisk()
  const { file, saved } = await openProgressFile(disk.files, path)
  const { generation } = saved
  return { disk, saved, progress: new ProgressFile(file, { content, durable: true, generation }) }
}

test('what was saved last is read, and the file never grows', async () => {
  const path = join(temporaryDirectory(), 'progress')
  const state = new Progress()
  const first = await open(path, () => state.content())
  const bytes = readFileSync(path).length
  for (let sequence = 1; sequence < 10; sequence += 1) {
    state.done.traces.add(sequence)
    await first.progress.save()
  }
  await first.progress.close()
  const { saved, progress } = await open(path, () => state.content())
  expect([saved.content, saved.generation]).toEqual([state.content(), 9])
  expect(readFileSync(path).length).toBe(bytes)
  await progress.close()
})

test('saves that come while one runs go out together, with the latest state', async () => {
  const state = new Progress()
  const path = join(temporaryDirectory(), 'progress')
  const { disk, progress } = await open(path, () => state.content())
  const before = disk.calls.writev
  const saves = [progress.save()]
  await Promise.resolve()
  await Promise.resolve()
  for (let sequence = 1; sequence < 10; sequence += 1) {
    state.done.logs.add(sequence)
    saves.push(progress.save())
  }
  await Promise.all(saves)
  expect(disk.calls.writev - before).toBe(2)
  await progress.close()
  expect((await open(path, () => state.content())).saved.content?.done.logs).toEqual([[1, 9]])
})

test('a save that breaks off leaves the one before, and the next is tried in the same place', async () => {
  const path = join(temporaryDirectory(), 'progress')
  const state = new Progress()
  const first = await open(path, () => state.content())
  await first.progress.save()
  const good = state.content()
  for (let failures = 0; failures < 2; failures += 1) {
    state.done.traces.add(failures * 10)
    first.disk.failNext('writev', { path: /progress/, bytesFirst: 30 })
    await expect(first.progress.save()).rejects.toThrow('EIO')
  }
  await first.disk.crash()
  const second = await open(path, () => state.content())
  expect(second.saved.content).toEqual(good)
  await second.progress.save()
  await second.progress.close()
  expect((await open(path, () => state.content())).saved.content).toEqual(state.content())
})

test('thousands of gaps in what is done have room', async () => {
  const path = join(temporaryDirectory(), 'progress')
  const state = new Progress()
  for (let gap = 0; gap < 3_000; gap += 1) {
    for (const signal of ['traces', 'logs'] as const) state.done[signal].add(1e12 + gap * 10)
  }
  const { progress } = await open(path, () => state.content())
  await progress.save()
  await progress.close()
  expect((await open(path, () => state.content())).saved.content).toEqual(state.content())
})
