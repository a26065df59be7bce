// Random histories of a collector: blocks come, ClickHouse is away or its answers are, the disk fails, bits flip, the
// process dies, also while it starts. Whatever the history, the books have to balance.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Signal } from './record.ts'
import type { Lost } from './recovery.ts'
import { TestClickHouse } from './test-clickhouse.ts'
import { TestDisk, temporaryDirectory } from './test-disk.ts'
import { nothingTold, open, type Setting } from './test-world.ts'

type Step =
  | { kind: 'add'; signal: Signal; rows: number; bad: number[]; poison: number[]; waits: boolean }
  | { kind: 'away' | 'answerLost'; times: number }
  | { kind: 'pass'; ms: number; turns: number; midst: boolean }
  | { kind: 'crash'; flips: number[]; openings: number[] }
  | { kind: 'fault'; call: 'writev' | 'fdatasync' | 'truncate'; of: 'log' | 'progress'; bytesFirst: number }
  | { kind: 'confirm' | 'stop' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        signal: fc.constantFrom('traces' as const, 'logs' as const),
        rows: fc.integer({ min: 1, max: 9 }),
        bad: fc.array(fc.nat(40), { maxLength: 2 }),
        poison: fc.array(fc.nat(80), { maxLength: 1 }),
        waits: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('away' as const, 'answerLost' as const),
        times: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        ms: fc.constantFrom(0, 1, 20, 300),
        turns: fc.integer({ min: 1, max: 20 }),
        midst: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('crash' as const),
        flips: fc.array(fc.nat(), { maxLength: 1 }),
        /** So many turns pass before the next start dies as well. */
        openings: fc.array(fc.nat(30), { maxLength: 2 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('fault' as const),
        call: fc.constantFrom('writev' as const, 'fdatasync' as const, 'truncate' as const),
        of: fc.oneof({ weight: 4, arbitrary: fc.constant('log' as const) }, fc.constant('progress' as const)),
        bytesFirst: fc.nat(400),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('confirm' as const, 'stop' as const) }) },
  ),
  { minLength: 5, maxLength: 40 },
)

function flipIn(directory: string, number: number): void {
  const paths = readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(directory, name))
  const path = paths[number % paths.length]
  if (path === undefined) return
  const bytes = readFileSync(path)
  if (bytes.length === 0) return
  const bit = number % (bytes.length * 8)
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  writeFileSync(path, bytes)
}

/** A start that ends before it has begun. */
async function openAndDie(setting: Setting, turns: number): Promise<void> {
  const disk = new TestDisk()
  void open({ ...setting, disk })
  for (let turn = 0; turn < turns; turn += 1) await nextTurn()
  await disk.crash()
}

function isToldIn(told: readonly Lost[], { signal, first, last }: Lost): boolean {
  return told.some((each) => each.signal === signal && each.first <= first && last <= each.last)
}

test('whatever happens, each acknowledged row is stored once, or is told to be quarantined or lost', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const clickhouse = new TestClickHouse()
      const limits = {
        batchRowsMax: 12,
        batchBlocksMax: 3,
        memoryBytesMax: 600,
        flushAfterMs: 20,
        mendingBatchesMax: 2,
      }
      const setting = { parent: temporaryDirectory(), clickhouse, limits, options: { segmentBytes: 600 } }
      const acknowledged: { signal: Signal; sequence: number; rows: string[] }[] = []
      const refused: string[] = []
      const told = nothingTold()
      let world = await open({ ...setting, told })
      const forgotten: Lost[] = []
      const confirmed = new Set<string>()
      const confirm = () => {
        world.confirm()
        for (const { id } of told.lost) confirmed.add(id)
      }
      const reopen = async () => {
        const before = told.lost.filter(({ id }) => !confirmed.has(id))
        const toldBefore = told.lost.length
        world = await open({ ...setting, told })
        forgotten.push(...before.filter((lost) => !isToldIn(told.lost.slice(toldBefore), lost)))
      }
      let adding: Promise<unknown>[] = []
      let named = 0
      for (const step of all) {
        switch (step.kind) {
          case 'add': {
            const { signal } = step
            const rows = Array.from(
              { length: step.rows },
              (_, at) => `${signal}${named++}${step.bad.includes(at) ? '!' : step.poison.includes(at) ? '?' : ''}`,
            )
            const added = world.add(rows.join(' '), signal)
            const noting = added.then(
              ({ sequence }) => acknowledged.push({ signal, sequence, rows }),
              () => refused.push(...rows),
            )
            adding.push(noting)
            if (step.waits) await noting
            break
          }
          case 'away':
            clickhouse.awayTimes += step.times
            break
          case 'answerLost':
            clickhouse.lostAnswers += step.times
            break
          case 'pass':
            for (let turn = 0; turn < step.turns; turn += 1) await world.clock.pass(step.ms, step)
            break
          case 'crash':
          case 'stop':
            if (step.kind === 'stop') {
              await Promise.all(adding)
              await world.clock.until(world.drain.stop())
              await world.log.close().catch(() => undefined)
            }
            await world.disk.crash()
            adding = []
            if (step.kind === 'crash') {
              for (const flip of step.flips) flipIn(join(setting.parent, '1'), flip)
              for (const turns of step.openings) await openAndDie({ ...setting, told }, turns)
            }
            await reopen()
            break
          case 'confirm':
            confirm()
            break
          case 'fault':
            world.disk.failNext(step.call, {
              path: step.of === 'log' ? /\.log$/ : /progress$/,
              bytesFirst: step.bytesFirst,
            })
        }
      }
      world.disk.heal()
      await Promise.all(adding)
      // Poison shows only while others go in.
      for (let more = 0; world.drain.pending.blocks > 0; more += 1) {
        await Promise.all([world.add(`trace-more${more}`), world.add(`log-more${more}`, 'logs')])
        for (let passed = 0; passed < 50; passed += 1) await world.clock.pass(20)
      }
      await world.idle()
      confirm()
      expect(forgotten).toEqual([])
      expect(new Set(clickhouse.rows).size).toBe(clickhouse.rows.length)
      const stored = new Set(clickhouse.rows)
      const refusedRows = [...told.quarantined.values()].flat()
      const quarantined = new Set(refusedRows)
      expect(refusedRows.length).toBe(quarantined.size)
      for (const { signal, sequence, rows } of acknowledged) {
        if (told.lost.some((each) => each.signal === signal && each.first <= sequence && sequence <= each.last))
          continue
        expect(rows.filter((row) => stored.has(row) === quarantined.has(row))).toEqual([])
        expect(rows.filter((row) => quarantined.has(row))).toEqual(rows.filter((row) => /[!?]$/.test(row)))
      }
      // A disk that does not even take the note that a block was refused may bring that block back.
      const isNoted = !all.some((step) => step.kind === 'fault' && step.of === 'progress')
      const cameBack = refused.filter((row) => stored.has(row) || quarantined.has(row))
      const flips = all.flatMap((step) => (step.kind === 'crash' ? step.flips : []))
      const lost = new Set(told.lost.map(({ signal, first, last }) => `${signal} ${first} ${last}`))
      expect(isNoted ? [cameBack, told.troubled] : [[], []]).toEqual([[], []])
      expect(isNoted ? lost.size : 0).toBeLessThanOrEqual(flips.length)
      expect([world.log.blocks, world.drain.pending.rows]).toEqual([0, 0])
      await world.log.close()
      expect(readdirSync(join(setting.parent, '1')).filter((name) => name.endsWith('.log'))).toEqual([])
    }),
    { numRuns: Number(process.env['HEADWATER_TEST_RUNS'] ?? 60) },
  )
})
