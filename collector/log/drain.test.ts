import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Fate } from './desk.ts'
import { Drain, drainLimits } from './drain.ts'
import { TestClickHouse, blockOf } from './test-clickhouse.ts'
import { temporaryDirectory } from './test-disk.ts'
import { open, start } from './test-world.ts'

const kindOf = async (fate: Promise<Fate>) => (await fate).kind

test('blocks close together share an insert once the first is old', async () => {
  const { add, clock, clickhouse, told } = await start()
  const [a, b] = [await add('a'), await add('b c')]
  await clock.pass(199)
  expect(clickhouse.inserts).toEqual([])
  expect(await clock.until(Promise.all([kindOf(a.fate), kindOf(b.fate)]))).toEqual(['stored', 'stored'])
  expect(clickhouse.inserts).toEqual(['a b c'])
  expect([told.stored, told.metas]).toEqual([3, [{ text: 'a' }, { text: 'b c' }]])
})

test('a full batch leaves at once, and signals do not wait for one another', async () => {
  const { add, idle, clock, clickhouse } = await start({ batchRowsMax: 2, flushAfterMs: 1e9 })
  const release = clickhouse.hold()
  await add('a b')
  await add('c')
  await add('d')
  await add('x y', 'logs')
  await clock.pass(0)
  expect(clickhouse.inserts).toEqual(['a b', 'x y'])
  release()
  await idle()
  expect(clickhouse.inserts).toEqual(['a b', 'x y', 'c d'])
})

test('while ClickHouse is away the same batch is repeated under its token, and what comes meanwhile follows', async () => {
  const { add, idle, drain, clock, clickhouse } = await start({ flushAfterMs: 1 })
  clickhouse.awayTimes = 2
  await add('a')
  await clock.pass(1)
  while (clickhouse.inserts.length === 0) await clock.pass(1)
  await add('b')
  await add('c')
  while (!drain.isAway) await clock.pass(1)
  await idle()
  expect(clickhouse.inserts).toEqual([...Array.from({ length: 3 }, () => 'a'), 'b c'])
  expect([drain.isAway, clickhouse.tokens.size]).toEqual([false, 2])
})

test('while ClickHouse is away for long, one batch after the other asks for it, each under its own token', async () => {
  const { add, idle, drain, clock, clickhouse, told } = await start({ flushAfterMs: 1, batchBlocksMax: 1 })
  clickhouse.awayTimes = 1e9
  const rows = Array.from({ length: 30 }, (_, index) => `row${index}`)
  for (const row of rows) await add(row)
  for (let passed = 0; passed < 2_000; passed += 1) await clock.pass(250)
  const { mendingBatchesMax } = drainLimits
  expect(clickhouse.inserts.length).toBeLessThan(2 * (500 / 2.5))
  expect([new Set(clickhouse.inserts).size, drain.isAway]).toEqual([mendingBatchesMax + 1, true])
  clickhouse.awayTimes = 0
  await idle()
  expect(clickhouse.rows.toSorted()).toEqual(rows.toSorted())
  expect([clickhouse.tokens.size, told.quarantined.size, drain.isAway]).toEqual([30, 0, false])
})

test('a batch that never goes in is soon out of the way of the others', async () => {
  const { add, drain, clock, clickhouse } = await start({ flushAfterMs: 1 })
  const first = await add('good poison?')
  await clock.pass(1)
  while (clickhouse.inserts.length === 0) await clock.pass(1)
  const { fate } = await add('x')
  expect(await kindOf(clock.until(fate))).toBe('stored')
  expect(clock.nowMs()).toBeLessThan(3_000)
  expect([drain.pending.rows, drain.isAway]).toEqual([2, false])
  // Nobody can tell poison from an absence as long as nothing else comes.
  for (let passed = 0; passed < 100; passed += 1) await clock.pass(5_000)
  expect(clickhouse.rows).toEqual(['x'])
  while (drain.pending.rows > 0) await clock.until((await add('y')).fate)
  expect(new Set(clickhouse.rows)).toEqual(new Set(['x', 'y', 'good']))
  expect(await first.fate).toMatchObject({ kind: 'quarantined', rows: 1 })
})

test('whoever waits for ClickHouse to come back is let in again once the batch that failed is set aside', async () => {
  const { add, drain, clock, clickhouse } = await start({ flushAfterMs: 1 })
  await add('poison?')
  await clock.pass(1)
  while (!drain.isAway) await clock.pass(1)
  while (drain.isAway) await clock.pass(20)
  expect(clickhouse.inserts.length).toBeLessThanOrEqual(drainLimits.failuresMax + 1)
})

test('one signal that goes in is no reason to give up rows of the other', async () => {
  const { add, clock, clickhouse, told } = await start({ flushAfterMs: 1 })
  clickhouse.chokesOn = (row) => row.startsWith('log')
  const logs = [(await add('log1', 'logs')).fate, (await add('log2', 'logs')).fate]
  for (let index = 0; index < 100; index += 1) {
    await clock.until((await add(`span${index}`)).fate)
    await clock.pass(5_000)
  }
  expect(told.quarantined.size).toBe(0)
  clickhouse.chokesOn = () => false
  expect(await clock.until(Promise.all(logs.map(kindOf)))).toEqual(['stored', 'stored'])
})

test('poison in every batch ends up alone, since the other signal shows that ClickHouse is there', async () => {
  const { add, idle, drain, clock, clickhouse } = await start({ flushAfterMs: 1, batchBlocksMax: 1 })
  for (let index = 0; index < 12; index += 1) await add(`good${index} poison${index}?`)
  for (let index = 0; drain.pending.rows > 12; index += 1) {
    await clock.until((await add(`log${index}`, 'logs')).fate)
    await clock.pass(500)
  }
  for (let index = 0; drain.pending.rows > 0; index += 1) {
    await add(`more${index}`)
    for (let passed = 0; passed < 10; passed += 1) await clock.pass(100)
  }
  await idle()
  const good = Array.from({ length: 12 }, (_, index) => `good${index}`)
  expect(clickhouse.rows.filter((row) => row.startsWith('good')).toSorted()).toEqual(good.toSorted())
})

test('a loss that is not booked when the process dies is told again under its token', async () => {
  const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse() }
  const first = await open({ ...setting, limits: { flushAfterMs: 1 }, books: () => new Promise(() => undefined) })
  await first.add('a bad! b')
  while (first.told.quarantined.size === 0) await first.clock.pass(5)
  for (let passed = 0; passed < 10; passed += 1) await first.clock.pass(1_000)
  expect([...setting.clickhouse.rows]).toEqual(['a'])
  await first.disk.crash()
  const second = await open(setting)
  await second.idle()
  expect(second.told.quarantined).toEqual(first.told.quarantined)
  expect(setting.clickhouse.rows).toEqual(['a', 'b'])
})

test('a loss that is booked too late for a stop is told again as well', async () => {
  const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse() }
  const booked = Promise.withResolvers<void>()
  const first = await open({ ...setting, limits: { flushAfterMs: 1 }, books: () => booked.promise })
  const { fate } = await first.add('bad!')
  while (first.told.quarantined.size === 0) await first.clock.pass(5)
  await first.clock.until(first.drain.stop(100))
  booked.resolve()
  await first.clock.pass(0)
  expect((await fate).kind).toBe('kept')
  await first.log.close()
  const second = await open(setting)
  await second.idle()
  expect(second.told.quarantined).toEqual(first.told.quarantined)
})

test('an insert whose answer is lost counts once', async () => {
  const { add, idle, clickhouse, told } = await start()
  clickhouse.lostAnswers = 3
  await add('a')
  await idle()
  expect([clickhouse.rows, clickhouse.inserts.length, told.stored]).toEqual([['a'], 4, 1])
})

test('what does not fit in memory goes by way of the log, and is not forgotten', async () => {
  const { add, idle, drain, clickhouse, clock } = await start({ memoryBytesMax: 400, flushAfterMs: 1 })
  const release = clickhouse.hold()
  const texts = Array.from({ length: 20 }, (_, index) => `row${index}`)
  const fates = []
  for (const text of texts) fates.push((await add(text)).fate)
  expect(drain.pending.memoryBytes).toBeLessThanOrEqual(400)
  expect(drain.pending.rows).toBe(20)
  await clock.pass(10)
  release()
  await idle()
  expect(clickhouse.rows.toSorted()).toEqual(texts.toSorted())
  expect(new Set(await Promise.all(fates.map(kindOf)))).toEqual(new Set(['stored']))
  expect(drain.pending).toEqual({ blocks: 0, rows: 0, bytes: 0, memoryBytes: 0 })
})

test('a block’s memory is given back once it is stored, or at once where it goes by way of the log', async () => {
  const { log, drain, idle, clickhouse } = await start({ flushAfterMs: 1, memoryBytesMax: 1 })
  const add = async (row: string) => {
    const payload = [blockOf([row])]
    const ref = await log.append({ signal: 'traces', rows: 1, meta: {}, payload }, { durable: true })
    void drain.add({ ref, meta: {}, payload })
    return payload
  }
  const [inMemory] = await add('a')
  const [inLog] = await add('b')
  expect([inMemory?.length, inLog?.length]).toEqual([2, 0])
  await idle()
  expect([inMemory?.length, clickhouse.rows]).toEqual([0, ['a', 'b']])
})

test('a block whose insert failed before is not given back: the socket of that one may still read it', async () => {
  const { log, drain, idle, clickhouse } = await start({ flushAfterMs: 1 })
  clickhouse.awayTimes = 1
  const payload = [blockOf(['a'])]
  const ref = await log.append({ signal: 'traces', rows: 1, meta: {}, payload }, { durable: true })
  void drain.add({ ref, meta: {}, payload })
  await idle()
  expect([payload[0]?.length, clickhouse.rows]).toEqual([2, ['a']])
})

test('a backlog is read at a bounded rate, and live blocks do not wait behind it', async () => {
  const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse() }
  const first = await open({ ...setting, limits: { flushAfterMs: 1e9 } })
  for (let index = 0; index < 10; index += 1) await first.add(`old${index}`)
  await first.disk.crash()
  const bytes = first.log.bytes / 10
  const limits = { batchBlocksMax: 1, backlogBytesPerSecond: bytes, flushAfterMs: 1 }
  const { add, idle, clock } = await open({ ...setting, limits })
  const live = await add('new')
  await clock.until(live.fate)
  expect(setting.clickhouse.rows.length).toBeLessThan(4)
  const startedMs = clock.nowMs()
  await idle()
  expect(clock.nowMs() - startedMs).toBeGreaterThan(8_000)
  expect(setting.clickhouse.rows.toSorted()).toEqual(
    ['new', ...Array.from({ length: 10 }, (_, index) => `old${index}`)].toSorted(),
  )
})

test('rows that ClickHouse refuses go to quarantine, and all others are stored', async () => {
  const { add, idle, clickhouse, told, parent, log } = await start()
  const fates = [await add('a b'), await add('c bad! d e bad2!'), await add('f')].map(({ fate }) => fate)
  await idle()
  expect(clickhouse.rows.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  expect([...told.quarantined.values()]).toEqual([['bad!'], ['bad2!']])
  expect(told.stored).toBe(6)
  expect(await Promise.all(fates)).toMatchObject([
    { kind: 'stored' },
    { kind: 'quarantined', rows: 2 },
    { kind: 'stored' },
  ])
  expect(readdirSync(join(parent, '1', 'quarantine')).toSorted()).toEqual([
    'traces-2-001.json',
    'traces-2-001.native',
    'traces-2-11.json',
    'traces-2-11.native',
  ])
  const why: unknown = JSON.parse(readFileSync(join(parent, '1', 'quarantine', 'traces-2-11.json'), 'utf8'))
  expect(why).toEqual({ signal: 'traces', sequence: 2, path: '11', rows: 1, error: 'Error: bad row' })
  expect(log.blocks).toBe(0)
})

test('a refused batch is in nobody’s way', async () => {
  const { add, idle, clickhouse } = await start({ flushAfterMs: 0 })
  await add(Array.from({ length: 64 }, (_, index) => `row${index}!`).join(' '))
  expect(await kindOf((await add('x')).fate)).toBe('stored')
  expect(clickhouse.inserts.length).toBeLessThan(60)
  await idle()
  expect(clickhouse.rows).toEqual(['x'])
})

test('a block of nothing but bad rows costs a bounded number of inserts', async () => {
  const { add, idle, clickhouse, told } = await start({ mendingInsertsMax: 20 })
  await add(Array.from({ length: 256 }, (_, index) => `row${index}!`).join(' '))
  await idle()
  expect([...told.quarantined.values()].flat().length).toBe(256)
  expect(clickhouse.inserts.length).toBeLessThan(50)
})

test('more refused batches than mending takes wait in their lane', async () => {
  const { add, idle, clickhouse, told } = await start({ mendingBatchesMax: 1, batchBlocksMax: 1, flushAfterMs: 1 })
  for (let index = 0; index < 5; index += 1) await add(`good${index} bad${index}!`)
  await idle()
  expect(clickhouse.rows.toSorted()).toEqual(['good0', 'good1', 'good2', 'good3', 'good4'])
  expect(told.quarantined.size).toBe(5)
})

test('bytes that cannot be halved are quarantined as they are', async () => {
  const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse() }
  const { log, clock } = await open(setting)
  const told: number[] = []
  const drain = new Drain({
    log,
    recovery: { blocks: [], batches: [] },
    write: setting.clickhouse.write,
    split: () => {
      throw new Error('no block')
    },
    clock,
    reports: {
      stored: () => undefined,
      quarantined: ({ rows }) => void told.push(rows),
      troubled: () => undefined,
    },
  })
  const payload = [blockOf(['a', 'b!'])]
  const ref = await log.append({ signal: 'logs', rows: 2, meta: null, payload }, { durable: true })
  expect(await clock.until(drain.add({ ref, meta: null, payload }))).toMatchObject({ kind: 'quarantined', rows: 2 })
  expect(told).toEqual([2])
})

test('a crash in the middle of mending repeats no piece that is stored', async () => {
  const rows = Array.from({ length: 16 }, (_, index) => (index % 5 === 3 ? `row${index}!` : `row${index}`))
  for (let inserts = 1; inserts < 40; inserts += 3) {
    const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse(), limits: { flushAfterMs: 1 } }
    const first = await open(setting)
    await first.add('before')
    await first.add(rows.join(' '))
    while (setting.clickhouse.inserts.length < inserts && first.drain.pending.rows > 0) await first.clock.pass(5)
    await first.disk.crash()
    // The rows are good now: a piece that was refused must not go once more as a whole.
    setting.clickhouse.refuses = () => false
    const second = await open(setting)
    await second.idle()
    expect(new Set(setting.clickhouse.rows).size).toBe(setting.clickhouse.rows.length)
    const all = [...setting.clickhouse.rows, ...first.told.quarantined.values(), ...second.told.quarantined.values()]
    expect(new Set(all.flat())).toEqual(new Set(['before', ...rows]))
  }
})

test('a block that is damaged on disk before its turn is lost alone', async () => {
  const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse() }
  const { add, idle, clickhouse, told, clock, parent } = {
    ...setting,
    ...(await open({ ...setting, limits: { memoryBytesMax: 1, flushAfterMs: 1 } })),
  }
  const release = clickhouse.hold()
  await add('first')
  const fates = [await add('a'), await add('damaged'), await add('b')].map(({ fate }) => fate)
  const path = join(parent, '1', '00000001.log')
  writeFileSync(path, readFileSync(path).toString('latin1').replace('damaged\n', 'dAmaged\n'), 'latin1')
  await clock.pass(10)
  release()
  await idle()
  expect(clickhouse.rows.toSorted()).toEqual(['a', 'b', 'first'])
  expect(await Promise.all(fates.map(kindOf))).toEqual(['stored', 'lost', 'stored'])
  expect(told.lost).toMatchObject([{ first: 3, rows: 1, meta: { text: 'damaged' } }])
})

test('blocks may be handed over out of their order, and none is passed over', async () => {
  for (const memoryBytesMax of [1, 1_000_000]) {
    const { log, drain, clickhouse, idle, clock } = await start({ memoryBytesMax, batchBlocksMax: 2, flushAfterMs: 1 })
    const rows = Array.from({ length: 9 }, (_, index) => `row${index}`)
    const blocks = []
    for (const row of rows) {
      const payload = [blockOf([row])]
      const ref = await log.append({ signal: 'logs', rows: 1, meta: row, payload }, { durable: true })
      blocks.push({ ref, meta: row, payload })
    }
    for (const index of [0, 3, 2, 1, 8, 5, 7, 6, 4]) {
      const block = blocks[index]
      if (block !== undefined) void drain.add(block)
      await clock.pass(1, { midst: true })
    }
    await idle()
    expect(clickhouse.rows.toSorted()).toEqual(rows)
  }
})

test('a batch does not span blocks that go another way, or after a crash they would pass for stored with it', async () => {
  const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse() }
  const first = await open({ ...setting, limits: { memoryBytesMax: 700, backlogBytesPerSecond: 1 } })
  // The first large one is read at once, and after that the backlog may read no more for a long time.
  const [large, late] = ['large'.repeat(200), 'late'.repeat(200)]
  for (const row of ['old', large, 'small', late, 'new']) await first.add(row)
  const { clickhouse } = setting
  while (!clickhouse.rows.includes(large)) await first.clock.pass(0)
  clickhouse.lostAnswers = 1
  while (!clickhouse.rows.includes('new')) await first.clock.pass(20, { midst: true })
  expect(clickhouse.rows).not.toContain(late)
  await first.disk.crash()
  const second = await open(setting)
  await second.idle()
  expect(clickhouse.rows.toSorted()).toEqual([large, late, 'new', 'old', 'small'])
})

test('a log that cannot be read for a while is read later', async () => {
  const { add, idle, clickhouse, disk, told } = await start({ memoryBytesMax: 1, flushAfterMs: 1 })
  await add('first')
  disk.failNext('read', { code: 'EMFILE' })
  await add('a')
  await idle()
  expect([clickhouse.rows.toSorted(), told.troubled.length, told.lost]).toEqual([['a', 'first'], 1, []])
})

test('no insert goes out before its boundaries are on disk', async () => {
  const { add, idle, clickhouse, disk, told, clock } = await start({ flushAfterMs: 1 })
  await add('a')
  disk.failNext('writev', { path: /progress$/ })
  await clock.pass(1)
  while (told.troubled.length === 0) await clock.pass(0)
  expect(clickhouse.inserts).toEqual([])
  await idle()
  expect(clickhouse.rows).toEqual(['a'])
})

test('a stop lets the insert in flight end and leaves the rest to the log', async () => {
  const { add, drain, log, clickhouse, clock, parent } = await start({ batchRowsMax: 1, flushAfterMs: 1 })
  const release = clickhouse.hold()
  const [a, b] = [await add('a'), await add('b')]
  while (clickhouse.inserts.length === 0) await clock.pass(1)
  const stopped = drain.stop()
  release()
  await clock.until(stopped)
  expect([await kindOf(a.fate), await kindOf(b.fate), await kindOf(drain.add({} as never))]).toEqual([
    'stored',
    'kept',
    'kept',
  ])
  await log.close()
  const second = await open({ parent, clickhouse })
  await second.idle()
  expect(clickhouse.inserts).toEqual(['a', 'b'])
})

test('a stop does not wait for ever, and an answer that comes later is repeated, not counted twice', async () => {
  const { add, drain, log, clickhouse, clock, parent, told } = await start({ flushAfterMs: 1 })
  const release = clickhouse.hold()
  const a = await add('a')
  while (clickhouse.inserts.length === 0) await clock.pass(1)
  const startedMs = clock.nowMs()
  await clock.until(drain.stop(500))
  expect(clock.nowMs() - startedMs).toBeLessThan(600)
  expect(await kindOf(a.fate)).toBe('kept')
  release()
  await log.close()
  const second = await open({ parent, clickhouse })
  await second.idle()
  expect([clickhouse.inserts, clickhouse.rows, told.stored, second.told.stored]).toEqual([['a', 'a'], ['a'], 0, 1])
})
