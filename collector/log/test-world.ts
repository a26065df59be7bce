import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DrainLimits, Fate } from './desk.ts'
import { Drain } from './drain.ts'
import type { Signal } from './record.ts'
import type { Lost } from './recovery.ts'
import { TestClickHouse, TestClock, blockOf, rowsOf, splitBlock } from './test-clickhouse.ts'
import { TestDisk, temporaryDirectory } from './test-disk.ts'
import { openLog, type LogOptions, type WriteAheadLog } from './write-ahead-log.ts'

/** A log and its drain between a ClickHouse and a disk that can fail. */
export interface World {
  log: WriteAheadLog
  drain: Drain
  disk: TestDisk
  clock: TestClock
  told: {
    stored: number
    /** The rows in quarantine, by the token that they were told with. */
    quarantined: Map<string, string[]>
    troubled: unknown[]
    lost: Lost[]
    metas: unknown[]
  }
  /** Whoever keeps the books has noted all that was lost. */
  confirm: () => void
  /** Appends rows and hands them over; `fate` is what became of them. */
  add: (rows: string, signal?: Signal) => Promise<{ fate: Promise<Fate>; sequence: number }>
  idle: () => Promise<void>
}

export interface Setting {
  parent: string
  clickhouse: TestClickHouse
  limits?: Partial<DrainLimits>
  options?: Partial<LogOptions>
  disk?: TestDisk
  /** Resolves once rows that went to quarantine are in the books. */
  books?: () => Promise<void>
  /** What was told before, by a process that died. */
  told?: World['told']
}

/** A collector's log and drain, as after a start. */
export async function open({
  parent,
  clickhouse,
  limits,
  options,
  disk = new TestDisk(),
  books = () => Promise.resolve(),
  told = nothingTold(),
}: Setting): Promise<World> {
  const clock = new TestClock(() => disk.isBusy)
  const onLost = (lost: Lost) => told.lost.push(lost)
  const { log, recovery } = await openLog(parent, { durable: true, files: disk.files, onLost, ...options })
  const drain = new Drain({
    log,
    recovery,
    write: clickhouse.write,
    split: splitBlock,
    clock,
    chance: () => 1,
    ...(limits && { limits }),
    reports: {
      stored({ rows, metas }) {
        told.stored += rows
        told.metas.push(...metas)
      },
      quarantined({ token, kept }) {
        const path = join(parent, String(log.slot), 'quarantine', kept ?? '')
        told.quarantined.set(token, rowsOf(readFileSync(path)))
        return books()
      },
      troubled: (cause) => told.troubled.push(cause),
    },
  })
  const add: World['add'] = async (text, signal = 'traces') => {
    const rows = text.split(' ')
    const payload = [blockOf(rows)]
    const meta = { text }
    const ref = await log.append({ signal, rows: rows.length, meta, payload }, { durable: true })
    return { fate: drain.add({ ref, meta, payload }), sequence: ref.sequence }
  }
  const confirm = () => {
    for (const { id } of told.lost) log.confirmLost(id)
  }
  return { log, drain, disk, clock, told, add, confirm, idle: () => clock.until(drain.idle()) }
}

/** The same in a place of its own. */
export async function start(limits?: Partial<DrainLimits>, options?: Partial<LogOptions>): Promise<Setting & World> {
  const setting = { parent: temporaryDirectory(), clickhouse: new TestClickHouse(), ...(limits && { limits }) }
  return { ...setting, ...(await open({ ...setting, ...(options && { options }) })) }
}

export function nothingTold(): World['told'] {
  return { stored: 0, quarantined: new Map(), troubled: [], lost: [], metas: [] }
}
