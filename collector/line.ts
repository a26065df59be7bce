// One log and what drains it, with the books of both.

import { hostname } from 'node:os'
import { splitBlock } from '@headwater/store'
import { createBatchWriter } from './batch-writer.ts'
import type { KeeperOptions } from './keeper.ts'
import { type Account, type Entry, keysOfRows, type Ledger, readAccount, tryReadAccount } from './ledger.ts'
import { Drain } from './log/drain.ts'
import type { Lost, Recovery } from './log/recovery.ts'
import type { WriteAheadLog } from './log/write-ahead-log.ts'

export type KeptSignal = 'traces' | 'logs'

export interface Line {
  wal: WriteAheadLog
  drain: Drain
  /** Lets what is on its way end, and closes the log. */
  end(): Promise<void>
}

interface Opened {
  log: WriteAheadLog
  recovery: Recovery
}

/** Senders wait for inserts of logs that are not durable. */
const storedFlushAfterMs = 10

/** Opens a log and goes on with what it holds; undefined when there is none to open. */
export async function openLine(
  options: KeeperOptions,
  openLog: (onLost: (lost: Lost) => void) => Promise<Opened | undefined>,
): Promise<Line | undefined> {
  const before: Lost[] = []
  let lose = (lost: Lost): void => void before.push(lost)
  const opened = await openLog((lost) => lose(lost))
  if (opened === undefined) return undefined
  const { log: wal, recovery } = opened
  const { ledger, metrics, acknowledgement, log } = options
  const durable = acknowledgement === 'logged'
  takeRecovered(recovery, ledger)

  const drain = new Drain({
    log: wal,
    recovery,
    split: splitBlock,
    write: createBatchWriter({ ...options, collector: `${hostname()}/${wal.slot}` }),
    limits: durable ? {} : { flushAfterMs: storedFlushAfterMs },
    reports: {
      stored: ({ signal, rows, metas }) => {
        const all = metas.flatMap((meta) => readAccount(meta).rows)
        ledger.settle(signal, 'stored', metas.length === 1 ? keysOfRows({ rows: all, others: [] }, rows) : all)
      },
      quarantined: ({ signal, rows, meta, piece, cause, kept }) => {
        log(`ClickHouse refuses ${rows} ${signal} for good (${kept ?? 'no room in quarantine'}): ${String(cause)}`)
        const account = readAccount(meta)
        const keys = keysOfRows(account, rows)
        ledger.settle(signal, 'lost', keys, 'unstorable')
        void bookLost(signal, { keys, reason: 'unstorable', others: piece.isFirst ? account.others : [] })
      },
      retried: () => undefined,
      troubled: (cause) => {
        metrics.add('headwater_log_troubles_total')
        log(`The log has trouble: ${String(cause)}`)
      },
    },
  })

  /** What was lost goes into the books by way of the log, like everything else. */
  async function bookLost(
    signal: KeptSignal,
    { keys, reason, others }: { keys: readonly KeyRecords[]; reason: string; others: readonly Entry[] },
  ): Promise<void> {
    const entries = [...keys.map(({ key, records }): Entry => ({ key, outcome: 'lost', reason, records })), ...others]
    if (entries.length === 0) return
    const meta: Account = { rows: [], others: entries }
    try {
      const ref = await wal.append({ signal, rows: 0, meta, payload: [] }, { durable })
      await drain.add({ ref, meta, payload: [] })
    } catch (cause) {
      log(`Cannot book what was lost (${JSON.stringify(entries)}): ${String(cause)}`)
    }
  }

  function book({ signal, rows = 0, meta, reason, kept, first, last }: Lost, wasPending: boolean): void {
    log(
      `Blocks ${first} to ${last} of ${signal} in the log are damaged, ${rows} records are lost ` +
        `(${kept ?? 'nothing is left of them'}): ${reason}`,
    )
    const account = tryReadAccount(meta)
    const keys = keysOfRows(account, rows)
    if (wasPending) ledger.settle(signal, 'lost', keys, 'damaged')
    else for (const each of keys) ledger.only(signal, { ...each, outcome: 'lost', reason: 'damaged' })
    void bookLost(signal, { keys, reason: 'damaged', others: account.others })
  }

  lose = (lost) => book(lost, true)
  // What was damaged already has waited until there is somebody to book it.
  for (const lost of before) book(lost, false)
  return {
    wal,
    drain,
    async end() {
      await drain.stop()
      await wal.close()
    },
  }
}

interface KeyRecords {
  key: string
  records: number
}

/** Blocks of an earlier life are taken over: what this process says of itself adds up. */
function takeRecovered({ blocks, batches }: Recovery, ledger: Ledger): void {
  for (const { ref, meta } of [...batches.flatMap((batch) => batch.blocks), ...blocks]) {
    ledger.take(ref.signal, readAccount(meta))
  }
}
