import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DamagedRecord, LogBroken, LogFull } from './errors.ts'
import type { BlockRef, Lost } from './recovery.ts'
import { orphanedSlots } from './slots.ts'
import { TestDisk, temporaryDirectory } from './test-disk.ts'
import { openLog, openSlot, type Block, type LogOptions } from './write-ahead-log.ts'

const block = (text: string, rows = 1): Block => ({
  signal: 'traces',
  rows,
  meta: { text: text.slice(0, 8) },
  payload: [Buffer.from(text.slice(0, 1)), Buffer.from(text.slice(1))],
})
const durable = { durable: true }

interface Opened {
  disk: TestDisk
  log: Awaited<ReturnType<typeof openLog>>['log']
  recovery: Awaited<ReturnType<typeof openLog>>['recovery']
  lost: Lost[]
  /** What waits, each by the first bytes of its payload. */
  texts: () => Promise<string[]>
}

async function open(parent: string, options: Partial<LogOptions> = {}): Promise<Opened> {
  const disk = new TestDisk()
  const lost: Lost[] = []
  const { log, recovery } = await openLog(parent, {
    durable: true,
    files: disk.files,
    onLost: (each) => lost.push(each),
    ...options,
  })
  const texts = () =>
    Promise.all(recovery.blocks.map(async ({ ref }) => Buffer.from((await log.read(ref)).payload).toString()))
  return { disk, log, recovery, lost, texts }
}

const segmentsIn = (parent: string, slot = 1) => {
  const path = join(parent, String(slot))
  return readdirSync(path)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(path, name))
    .toSorted()
}

function flip(path: string, bit: number): void {
  const bytes = readFileSync(path)
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  writeFileSync(path, bytes)
}

test('what was appended is there when the log is opened after a crash, in order and with its meta', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  const refs = await Promise.all(['one', 'two', 'three'].map((text) => first.log.append(block(text, 7), durable)))
  expect(refs.map(({ sequence, segment, rows }) => [sequence, segment, rows])).toEqual([
    [1, 1, 7],
    [2, 1, 7],
    [3, 1, 7],
  ])
  await first.disk.crash()
  const second = await open(parent)
  expect(second.recovery.blocks.map(({ ref }) => ref)).toEqual(refs)
  expect(second.recovery.blocks.map(({ meta }) => meta)).toEqual([{ text: 'one' }, { text: 'two' }, { text: 'three' }])
  expect(await second.texts()).toEqual(['one', 'two', 'three'])
  expect(second.lost).toEqual([])
  expect((await second.log.append(block('four'), durable)).sequence).toBe(4)
  await second.log.close()
})

test('appends that come while the disk is busy go out together', async () => {
  const { log, disk } = await open(temporaryDirectory())
  const { writev: writesBefore, fdatasync: syncsBefore } = disk.calls
  const first = log.append(block('first'), durable)
  await Promise.resolve()
  await Promise.resolve()
  const others = Array.from({ length: 50 }, (_, index) => log.append(block(`other ${index}`), durable))
  await Promise.all([first, ...others])
  expect([disk.calls.writev - writesBefore, disk.calls.fdatasync - syncsBefore]).toEqual([2, 2])
  await log.close()
})

test('blocks that need not be durable are written without waiting for the disk', async () => {
  const { log, disk } = await open(temporaryDirectory(), { durable: false })
  const before = disk.calls.fdatasync
  await log.append(block('one'), { durable: false })
  expect(disk.calls.fdatasync).toBe(before)
  await log.close()
})

test('blocks that are done do not come back, and their segment goes', async () => {
  const parent = temporaryDirectory()
  const { log, disk } = await open(parent, { segmentBytes: 360 })
  const refs: BlockRef[] = []
  for (const text of ['one', 'two', 'three', 'four']) refs.push(await log.append(block(text.repeat(10)), durable))
  expect(segmentsIn(parent).length).toBe(2)
  for (const ref of refs.slice(0, 3)) log.done(ref)
  await log.saveProgress()
  expect(segmentsIn(parent).map((path) => path.slice(-12))).toEqual(['00000002.log'])
  expect([log.blocks, log.bytes]).toEqual([1, statSync(segmentsIn(parent)[0] ?? '').size])
  await disk.crash()
  const again = await open(parent)
  expect(again.recovery.blocks.map(({ ref }) => ref.sequence)).toEqual([4])
  expect(again.lost).toEqual([])
  again.log.done(again.recovery.blocks[0]?.ref as BlockRef)
  await again.log.close()
  expect(segmentsIn(parent)).toEqual([])
  const third = await open(parent)
  expect(await third.log.append(block('five'), durable)).toMatchObject({ sequence: 5, segment: 3 })
  await third.log.close()
})

test('files are for their owner only', async () => {
  const parent = join(temporaryDirectory(), 'log')
  const { log } = await open(parent)
  await log.append(block('one'), durable)
  const modes = readdirSync(parent, { recursive: true, withFileTypes: true }).map((entry) => {
    const { mode } = statSync(join(entry.parentPath, entry.name))
    return `${entry.isDirectory() ? 'directory' : 'file'} ${(mode & 0o777).toString(8)}`
  })
  expect(new Set(modes)).toEqual(new Set(['directory 700', 'file 600']))
  await log.close()
})

test('a batch in flight comes back as it was, under its token', async () => {
  const parent = temporaryDirectory()
  const { log, disk } = await open(parent)
  const refs: BlockRef[] = []
  for (const text of ['one', 'two', 'three', 'four']) refs.push(await log.append(block(text), durable))
  const [one, two, three] = refs as [BlockRef, BlockRef, BlockRef]
  log.done(two)
  const batch = log.begin([one, three])
  await log.saveProgress()
  await disk.crash()
  const { recovery, log: second } = await open(parent)
  expect(recovery.batches.map((each) => each.batch)).toEqual([batch])
  expect(recovery.batches[0]?.blocks.map(({ ref }) => ref)).toEqual([one, three])
  expect(recovery.blocks.map(({ ref }) => ref)).toEqual([refs[3]])
  const other = second.begin([refs[3] as BlockRef])
  expect(other.number).toBe(batch.number + 1)
  expect(other.token).not.toBe(batch.token)
  await second.close()
})

test('of a copied directory no token is the same', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  const ref = await first.log.append(block('one'), durable)
  await first.disk.crash()
  const second = await open(parent)
  const token = second.log.begin([ref]).token
  await second.disk.crash()
  const third = await open(parent)
  expect(third.log.begin([ref]).token).not.toBe(token)
  await third.log.close()
})

test('any bit that flips costs its record at most; it is reported once, and the others are intact', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent, { segmentBytes: 500 })
  const texts = Array.from({ length: 6 }, (_, index) => `payload ${index} `.repeat(10))
  for (const [index, text] of texts.entries()) await first.log.append(block(text, index + 1), durable)
  await first.log.close()
  const paths = segmentsIn(parent)
  expect(paths.length).toBe(3)
  const progressPath = join(parent, '1', 'progress')
  const whole = paths.map((path) => readFileSync(path))
  const progress = readFileSync(progressPath)
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (number) => {
      const index = number % paths.length
      flip(paths[index] ?? '', number % ((whole[index]?.length ?? 0) * 8))
      const { log, lost, texts: left } = await open(parent)
      const intact = await left()
      expect(lost.length).toBe(texts.length - intact.length)
      expect(lost.length).toBeLessThan(2)
      for (const { first: sequence, last, rows, kept } of lost) {
        expect(intact).toEqual(texts.filter((_, at) => at + 1 !== sequence))
        expect([last, rows]).toEqual([sequence, sequence])
        expect(readdirSync(join(parent, '1', 'quarantine'))).toEqual([kept])
      }
      await log.close()
      const again = await open(parent)
      expect(again.lost).toEqual(lost)
      for (const { id } of again.lost) again.log.confirmLost(id)
      await again.log.close()
      const second = await open(parent)
      expect([second.lost.length, second.recovery.blocks.length]).toEqual([0, intact.length])
      await second.log.close()
      for (const name of readdirSync(join(parent, '1'))) if (name.endsWith('.log')) rmSync(join(parent, '1', name))
      for (const [at, path] of paths.entries()) writeFileSync(path, whole[at] ?? '')
      writeFileSync(progressPath, progress)
      rmSync(join(parent, '1', 'quarantine'), { recursive: true })
    }),
    { numRuns: 60 },
  )
})

test('a last record that was not written to its end is cut, and its number is given again', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  await first.log.append(block('one'), durable)
  const { bytes } = first.log
  const append = first.log.append(block('two'), { durable: false })
  await append
  await first.disk.crash()
  truncateSync(segmentsIn(parent)[0] ?? '', bytes + 70)
  const { log, recovery, lost } = await open(parent)
  expect([recovery.blocks.length, recovery.cutBytes, lost]).toEqual([1, 70, []])
  expect(statSync(segmentsIn(parent)[0] ?? '').size).toBe(bytes)
  expect((await log.append(block('two'), durable)).sequence).toBe(2)
  await log.close()
})

test('a cut that takes what was acknowledged is reported', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  await first.log.append(block('one', 3), durable)
  const { bytes } = first.log
  await first.log.append(block('two', 4), durable)
  await first.log.append(block('three', 5), durable)
  await first.log.close()
  truncateSync(segmentsIn(parent)[0] ?? '', bytes + 100)
  const { log, lost } = await open(parent)
  expect(lost).toMatchObject([
    { first: 2, last: 2, rows: 4, reason: 'the segment ends within it' },
    { first: 3, last: 3, rows: undefined, reason: 'no segment has it' },
  ])
  await log.close()
  const second = await open(parent)
  expect(second.lost).toEqual(lost)
  for (const { id } of lost) second.log.confirmLost(id)
  await second.log.close()
  const third = await open(parent)
  expect([third.lost, third.recovery.blocks.length, segmentsIn(parent).length]).toEqual([[], 1, 1])
  await third.log.close()
})

test('a segment that is gone leaves a gap, which is reported until that is confirmed', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent, { segmentBytes: 360 })
  for (const text of ['one', 'two', 'three', 'four', 'five', 'six']) {
    await first.log.append(block(text.repeat(10)), durable)
  }
  await first.log.close()
  const gone = segmentsIn(parent)[1] ?? ''
  rmSync(gone)
  const second = await open(parent)
  expect(second.lost).toMatchObject([{ signal: 'traces', first: 3, last: 4, rows: undefined }])
  expect(second.recovery.blocks.map(({ ref }) => ref.sequence)).toEqual([1, 2, 5, 6])
  await second.disk.crash()
  const third = await open(parent)
  expect(third.lost).toEqual(second.lost)
  for (const { id } of third.lost) third.log.confirmLost(id)
  await third.log.saveProgress()
  await third.disk.crash()
  const fourth = await open(parent)
  expect(fourth.lost).toEqual([])
  await fourth.log.close()
})

test('a loss that is not confirmed is told again also when all others are done and no block was promised', async () => {
  const parent = temporaryDirectory()
  const options = { durable: false, segmentBytes: 360 }
  const first = await open(parent, options)
  for (const text of ['one', 'two', 'three', 'four', 'five', 'six']) {
    await first.log.append(block(text.repeat(10)), { durable: false })
  }
  await first.log.close()
  rmSync(segmentsIn(parent)[1] ?? '')
  const second = await open(parent, options)
  for (const { ref } of second.recovery.blocks) second.log.done(ref)
  await second.log.close()
  const third = await open(parent, options)
  expect([third.lost.length, third.lost]).toEqual([1, second.lost])
  expect((await third.log.append(block('seven'), { durable: false })).sequence).toBe(7)
  await third.log.close()
})

test('without its progress a log sends everything once more, under new tokens', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  const one = await first.log.append(block('one'), durable)
  const two = await first.log.append(block('two'), durable)
  first.log.done(one)
  const { token } = first.log.begin([two])
  await first.log.close()
  writeFileSync(join(parent, '1', 'progress'), Buffer.alloc(2 * 256 * 1024, 0xff))
  const { log, recovery, lost, texts } = await open(parent)
  expect([recovery.progressWasLost, recovery.batches, lost]).toEqual([true, [], []])
  expect(await texts()).toEqual(['one', 'two'])
  expect(log.begin([one, two]).token).not.toBe(token)
  await log.close()
})

test('one bad slot of the progress costs nothing: the one before counts', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  const ref = await first.log.append(block('one'), durable)
  const batch = first.log.begin([ref])
  await first.log.saveProgress()
  await first.log.saveProgress()
  await first.disk.crash()
  for (const at of [30, 256 * 1024 + 30]) {
    const path = join(parent, '1', 'progress')
    const whole = readFileSync(path)
    flip(path, at * 8)
    const { log, recovery, disk } = await open(parent)
    expect(recovery.batches.map((each) => each.batch.token)).toEqual([batch.token])
    expect(log.slot).toBe(1)
    await disk.crash()
    writeFileSync(path, whole)
  }
})

test('a damaged ID is mended from the records', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  await first.log.append(block('one'), durable)
  await first.log.close()
  const path = join(parent, '1', 'id')
  const id = readFileSync(path, 'utf8')
  flip(path, 3)
  const { log, texts } = await open(parent)
  expect(await texts()).toEqual(['one'])
  expect(readFileSync(path, 'utf8')).toBe(id)
  await log.close()
})

test('a full log refuses, and takes blocks again when it has room', async () => {
  const { log } = await open(temporaryDirectory(), { bytesMax: 1_000, segmentBytes: 300 })
  const refs = [await log.append(block('x'.repeat(300)), durable), await log.append(block('x'.repeat(300)), durable)]
  await expect(log.append(block('y'.repeat(300)), durable)).rejects.toThrow(LogFull)
  for (const ref of refs) log.done(ref)
  await log.saveProgress()
  expect((await log.append(block('y'.repeat(300)), durable)).sequence).toBe(3)
  await log.close()
})

test('a log is not full of what is done', async () => {
  const { log } = await open(temporaryDirectory(), { bytesMax: 800 })
  log.done(await log.append(block('x'.repeat(500)), durable))
  await log.saveProgress()
  await expect(log.append(block('y'.repeat(500)), durable)).rejects.toThrow(LogFull)
  await expect.poll(() => log.bytes).toBe(0)
  await log.append(block('y'.repeat(500)), durable)
  await log.close()
})

test('a log with too many blocks refuses too', async () => {
  const { log } = await open(temporaryDirectory(), { blocksMax: 2 })
  const ref = await log.append(block('one'), durable)
  await log.append(block('two'), durable)
  await expect(log.append(block('three'), durable)).rejects.toThrow('2 blocks')
  log.done(ref)
  await log.append(block('three'), durable)
  await log.close()
})

test('blocks do not heap up in memory before a slow disk', async () => {
  const { log } = await open(temporaryDirectory(), { waitingBytesMax: 1_000 })
  const first = log.append(block('x'.repeat(5_000)), durable)
  await expect(log.append(block('y'), durable)).rejects.toThrow('wait for its disk')
  await first
  await log.append(block('y'), durable)
  await log.close()
})

const faults: [string, (disk: TestDisk) => void][] = [
  ['the disk is full', (disk) => disk.failNext('writev', { code: 'ENOSPC' })],
  ['the disk is full within a record', (disk) => disk.failNext('writev', { code: 'ENOSPC', bytesFirst: 90 })],
  ['a write fails after whole records', (disk) => disk.failNext('writev', { bytesFirst: 400 })],
  [
    'a write fails and cannot be cut back',
    (disk) => {
      disk.failNext('writev', { bytesFirst: 400 })
      disk.failNext('truncate')
    },
  ],
  ['a sync fails', (disk) => disk.failNext('fdatasync')],
  [
    'a sync fails and cannot be cut back',
    (disk) => {
      disk.failNext('fdatasync')
      disk.failNext('truncate')
    },
  ],
]

test.each(faults)('when %s, the blocks of that write are refused and only they', async (_, happen) => {
  const parent = temporaryDirectory()
  const { log, disk } = await open(parent)
  await log.append(block('before'), durable)
  happen(disk)
  const refused = await Promise.allSettled(['bad', 'worse'].map((text) => log.append(block(text.repeat(20)), durable)))
  expect(refused.map((each) => each.status === 'rejected' && each.reason instanceof LogBroken)).toEqual([true, true])
  await log.append(block('after'), durable)
  await disk.crash()
  const { log: second, texts, lost } = await open(parent)
  expect(await texts()).toEqual(['before', 'after'])
  expect(lost).toEqual([])
  await second.close()
})

test('after a failed sync the segment takes no more', async () => {
  const { log, disk } = await open(temporaryDirectory())
  expect((await log.append(block('one'), durable)).segment).toBe(1)
  disk.failNext('fdatasync')
  await expect(log.append(block('two'), durable)).rejects.toThrow(LogBroken)
  expect((await log.append(block('three'), durable)).segment).toBe(2)
  await log.close()
})

test('a block that is damaged on disk is not read; given up, it is lost with its rows and its meta', async () => {
  const parent = temporaryDirectory()
  const { log, lost } = await open(parent)
  const ref = await log.append(block('payload', 5), durable)
  flip(segmentsIn(parent)[0] ?? '', (ref.bytes - 60) * 8)
  const cause: unknown = await log.read(ref).catch((error: unknown) => error)
  expect(cause).toBeInstanceOf(DamagedRecord)
  await log.quarantine(ref, cause as DamagedRecord)
  expect(lost).toMatchObject([{ signal: 'traces', first: 1, rows: 5, meta: { text: 'payload' } }])
  expect(statSync(join(parent, '1', 'quarantine', lost[0]?.kept ?? '')).size).toBe(ref.bytes)
  expect(log.blocks).toBe(1)
  log.confirmLost(lost[0]?.id ?? '')
  log.confirmLost(lost[0]?.id ?? '')
  expect(log.blocks).toBe(0)
  await log.close()
  expect(segmentsIn(parent)).toEqual([])
})

test('a block that was given up does not come back, although it can be read again', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  const ref = await first.log.append(block('payload', 5), durable)
  first.disk.failNext('read')
  const cause: unknown = await first.log.read(ref).catch((error: unknown) => error)
  await first.log.quarantine(ref, cause as DamagedRecord)
  await first.disk.crash()
  const { log, recovery, lost } = await open(parent)
  expect(recovery.blocks).toEqual([])
  expect(lost).toMatchObject([{ id: first.lost[0]?.id, rows: 5, meta: { text: 'payload' } }])
  await log.close()
})

test('the quarantine is bounded: the oldest goes, and is counted', async () => {
  const parent = temporaryDirectory()
  let evicted = 0
  const options = { quarantineBytesMax: 250, onEvicted: (bytes: number) => (evicted += bytes) }
  const { log } = await open(parent, options)
  for (const name of ['a', 'b', 'c']) await log.keepRefused(name, { payload: Buffer.alloc(100), why: name })
  expect(readdirSync(join(parent, '1', 'quarantine')).toSorted()).toEqual(['b.json', 'b.native', 'c.json', 'c.native'])
  expect(evicted).toBe(104)
  expect(await log.keepRefused('d', { payload: Buffer.alloc(300), why: '' })).toBeUndefined()
  await log.close()
})

test('two collectors take a slot each, and an orphaned one can be adopted', async () => {
  const parent = temporaryDirectory()
  const [one, two] = [await open(parent), await open(parent)]
  expect([one.log.slot, two.log.slot]).toEqual([1, 2])
  await one.log.append(block('one'), durable)
  await two.log.append(block('two'), durable)
  expect(await orphanedSlots(parent)).toEqual([])
  expect(await openSlot(parent, 1, { durable: true })).toBeUndefined()
  await one.disk.crash()
  expect(await orphanedSlots(parent)).toEqual([1])
  const adopted = await openSlot(parent, 1, { durable: true })
  for (const { ref } of adopted?.recovery.blocks ?? []) adopted?.log.done(ref)
  await adopted?.log.close()
  await two.disk.crash()
  expect(await orphanedSlots(parent)).toEqual([2])
})

test('a block that no record can hold is a mistake of its writer', async () => {
  const { log } = await open(temporaryDirectory())
  const tooLong = { ...block('x'), meta: 'x'.repeat(70_000) }
  await expect(log.append(tooLong, durable)).rejects.toThrow(RangeError)
  await expect(log.append({ ...block('x'), rows: -1 }, durable)).rejects.toThrow(RangeError)
  await log.close()
  await expect(log.append(block('x'), durable)).rejects.toThrow('it is closed')
})

test('a tail of garbage is cut', async () => {
  const parent = temporaryDirectory()
  const first = await open(parent)
  await first.log.append(block('one'), durable)
  await first.disk.crash()
  appendFileSync(segmentsIn(parent)[0] ?? '', Buffer.alloc(1_000))
  const { log, recovery, texts, lost } = await open(parent)
  expect([await texts(), recovery.cutBytes, lost]).toEqual([['one'], 1_000, []])
  await log.close()
})

const appender = `
  import { openLog } from ${JSON.stringify(join(import.meta.dirname, 'write-ahead-log.ts'))}
  const { log } = await openLog(process.argv[1], { durable: true, segmentBytes: 200_000 })
  const payload = [Buffer.alloc(5_000, 7)]
  for (;;) {
    const group = Array.from({ length: 4 }, () => log.append({ signal: 'traces', rows: 1, meta: null, payload }, { durable: true }))
    await Promise.all(group.map(async (append) => console.log((await append).sequence)))
  }`

test('what a process has called durable is there after kill -9', async () => {
  const parent = temporaryDirectory()
  let known = 0
  for (const lines of [1, 40, 200]) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', appender, parent], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const printed: number[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      printed.push(Number(line))
      if (printed.length === lines) child.kill('SIGKILL')
    }
    const { log, recovery, lost } = await open(parent)
    const found = new Set(recovery.blocks.map(({ ref }) => ref.sequence))
    expect(printed.filter((sequence) => !found.has(sequence))).toEqual([])
    expect(lost).toEqual([])
    expect(found.size).toBeGreaterThanOrEqual(known + printed.length)
    known = found.size
    await log.close()
  }
})
