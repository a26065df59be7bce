// One log and what drains it, with the books of both.

import { hostname } from 'node:os'
import type { Store } from '@headwater/store'
import { createBatchWriter } from './batch-writer.ts'
import { type BookEntry, lossOf } from './books.ts'
import { keysOfRows, type Ledger, readAccount, readAccountOr } from './ledger.ts'
import { Drain } from './log/drain.ts'
import type { Lost, Recovery } from './log/recovery.ts'
import type { WriteAheadLog } from './log/write-ahead-log.ts'
import { LossBooks } from './loss-books.ts'
import type { CollectorMetrics } from './metrics.ts'
import { splitPayload } from './sampling/counted-payload.ts'

export type KeptSignal = 'traces' | 'logs'

export interface LineOptions {
  store: Store
  /** Whether the log is where senders' records are safe; else ClickHouse is, and they wait for it. */
  durable: boolean
  ledger: Ledger
  metrics: CollectorMetrics
  nowMs: () => number
  log: (line: string) => void
}

export interface Line {
  wal: WriteAheadLog
  drain: Drain
  /** Resolves once nothing waits for ClickHouse. */
  idle(): Promise<void>
  /** Lets what is on its way end within so many milliseconds, and closes the log. */
  end(withinMs: number): Promise<void>
}

interface Opened {
  log: WriteAheadLog
  recovery: Recovery
}

/** Senders wait for inserts of logs that are not durable. */
const storedFlushAfterMs = 10

/** Opens a log and goes on with what it holds; undefined when there is none to open. */
export async function openLine(
  options: LineOptions,
  openLog: (onLost: (lost: Lost) => void) => Promise<Opened | undefined>,
): Promise<Line | undefined> {
  const before: Lost[] = []
  let lose = (lost: Lost): void => void before.push(lost)
  const opened = await openLog((lost) => lose(lost))
  if (opened === undefined) return undefined
  const { log: wal, recovery } = opened
  const { store, ledger, metrics, durable, nowMs, log } = options
  const collector = `${hostname()}/${wal.slot}`
  const losses = new LossBooks(store)
  takeRecovered(recovery, ledger)
  if (recovery.progressWasLost) {
    log(`The log in slot ${wal.slot} does not know what ClickHouse has of it: all of it goes once more`)
    metrics.add('headwater_log_progress_lost_total')
  }

  const drain = new Drain({
    log: wal,
    recovery,
    split: splitPayload,
    write: createBatchWriter({ ...options, collector }),
    limits: durable ? {} : { flushAfterMs: storedFlushAfterMs },
    reports: {
      stored: ({ signal, rows, metas, startRow }) => {
        for (const meta of metas) {
          const account = readAccount(meta)
          const keys = startRow === undefined ? account.rows : keysOfRows(account, { start: startRow, count: rows })
          ledger.settle(signal, 'stored', keys)
        }
      },
      // The log goes on once the loss is booked. Under the piece's own token: should it be stored after all when it is
      // repeated, the ledger takes one of the two.
      quarantined: ({ signal, rows, meta, piece, token, cause, kept }) => {
        log(`ClickHouse refuses ${rows} ${signal} for good (${kept ?? 'no room in quarantine'}): ${String(cause)}`)
        const account = readAccount(meta)
        const { startRow } = piece
        const keys = keysOfRows(account, { start: startRow, count: rows })
        ledger.settle(signal, 'lost', keys, 'unstorable')
        const entries = lossOf(account, { keys, reason: 'unstorable', isFirst: startRow === 0 })
        return new Promise<void>((resolve) => book(signal, token, entries, resolve))
      },
      troubled: (cause) => {
        metrics.add('headwater_log_troubles_total')
        log(`The log has trouble: ${String(cause)}`)
      },
    },
  })

  function book(signal: KeptSignal, token: string, entries: BookEntry[], confirm: () => void): void {
    losses.add({ entries, token, signal, collector, nowMs: nowMs() }, confirm)
  }

  function tell(lost: Lost, wasPending: boolean): void {
    const { id, signal, rows, meta, reason, kept, first, last } = lost
    const many = rows === undefined ? 'an unknown number of' : String(rows)
    log(
      `Blocks ${first} to ${last} of ${signal} in the log are damaged, ${many} records are lost ` +
        `(${kept ?? 'nothing is left of them'}): ${reason}`,
    )
    metrics.add('headwater_log_lost_blocks_total', last - first + 1, { signal })
    const account = readAccountOr(meta, rows ?? 0)
    if (!wasPending) ledger.take(signal, account)
    ledger.settle(signal, 'lost', account.rows, 'damaged')
    const entries = lossOf(account, { keys: account.rows, reason: 'damaged', isFirst: true })
    if (!losses.isFull) book(signal, id, entries, () => wal.confirmLost(id))
  }

  lose = (lost) => tell(lost, true)
  // What was damaged already has waited until there is somebody to tell.
  for (const lost of before) tell(lost, false)
  return {
    wal,
    drain,
    async idle() {
      await drain.idle()
      await losses.idle()
    },
    async end(withinMs) {
      losses.stop()
      await drain.stop(withinMs)
      await wal.close()
    },
  }
}

/** Blocks of an earlier life are taken over: what this process says of itself adds up. */
function takeRecovered({ blocks, batches }: Recovery, ledger: Ledger): void {
  for (const { batch, blocks: ofBatch } of batches) {
    for (const { ref, meta } of ofBatch) {
      const { position } = batch
      const isBegun = position !== undefined && position.sequence === ref.sequence
      const start = isBegun ? position.storedRows + position.quarantinedRows : 0
      const account = readAccount(meta)
      // Of a block that was in pieces the first ones have met their fate in that life.
      if (start === 0) ledger.take(ref.signal, account)
      else {
        const rows = keysOfRows(account, { start, count: ref.rows - start })
        ledger.take(ref.signal, { received: rows, rows, others: [] })
      }
    }
  }
  for (const { ref, meta } of blocks) ledger.take(ref.signal, readAccount(meta))
}
