// A block is safe once the log has it or once ClickHouse has it, as configured. Here it goes from one to the other.

import type { Store } from '@headwater/store'
import type { SealedBlock } from './block-builder.ts'
import type { Ledger } from './ledger.ts'
import { type KeptSignal, type Line, openLine } from './line.ts'
import { LogBroken, LogFull } from './log/errors.ts'
import { orphanedSlots } from './log/slots.ts'
import { openLog, openSlot } from './log/write-ahead-log.ts'
import type { CollectorMetrics } from './metrics.ts'
import { Refusal } from './refusal.ts'

/** When a request is acknowledged: once its rows are in ClickHouse, or once its block is in the log. */
export type Acknowledgement = 'stored' | 'logged'

export interface KeeperOptions {
  store: Store
  /** The collectors of one machine have a slot each below this directory. */
  directory: string
  acknowledgement: Acknowledgement
  logBytesMax: number
  ledger: Ledger
  metrics: CollectorMetrics
  nowMs: () => number
  log: (line: string) => void
}

/** Takes blocks, and stores them sooner or later. */
export interface Keeper {
  /** Resolves once the block is safe; refuses with 503 when it cannot be made so now. */
  keep(signal: KeptSignal, block: SealedBlock): Promise<void>
  /** Why nothing can be kept just now, so that bodies need not be read in vain. */
  refusal(): Refusal | undefined
  /** Resolves once nothing is pending. */
  idle(): Promise<void>
  /** Stores what it can within so many milliseconds; the rest is in the log. */
  stop(drainMs: number): Promise<void>
}

const retryAfterS = { away: 2, full: 5, broken: 5 }
/** How soon the log of a collector that died is taken over by another of its machine. */
const adoptEveryMs = 30_000

/** Opens the log, goes on with what it holds and with what dead collectors of this machine left, and takes blocks. */
export async function openKeeper(options: KeeperOptions): Promise<Keeper> {
  const { directory, acknowledgement, logBytesMax, ledger, metrics, log } = options
  const durable = acknowledgement === 'logged'
  const logOptions = {
    durable,
    bytesMax: logBytesMax,
    onEvicted: (bytes: number) => metrics.add('headwater_log_quarantine_evicted_bytes_total', bytes),
  }
  const own = await openLine(options, (onLost) => openLog(directory, { ...logOptions, onLost }))
  if (own === undefined) throw new Error(`Cannot open a log in ${directory}`)
  const { wal, drain } = own
  const adopted = new Set<Line>()
  let adopting = adoptOrphans()
  const adoption = setInterval(() => {
    adopting = adopting.then(adoptOrphans)
  }, adoptEveryMs)
  await adopting

  async function adoptOrphans(): Promise<void> {
    try {
      for (const slot of await orphanedSlots(directory)) {
        const line = await openLine(options, (onLost) => openSlot(directory, slot, { ...logOptions, onLost }))
        if (line === undefined) continue
        log(`The log ${slot} in ${directory} was left with ${line.drain.pending.rows} records: they are stored now`)
        adopted.add(line)
        void endOnceIdle(line)
      }
    } catch (cause) {
      log(`Cannot look for logs that others left in ${directory}: ${String(cause)}`)
    }
  }

  async function endOnceIdle(line: Line): Promise<void> {
    await line.drain.idle()
    if (adopted.delete(line)) await line.end()
  }

  function observe(): void {
    metrics.set('headwater_log_bytes', wal.bytes)
    metrics.set('headwater_log_blocks', wal.blocks)
    metrics.set('headwater_log_quarantine_bytes', wal.quarantineBytes)
  }

  /** Why the log did not take a block, as its senders hear it. */
  function refusalOf(cause: unknown): unknown {
    if (cause instanceof LogFull) {
      metrics.add('headwater_log_refusals_total', 1, { reason: 'full' })
      const message = `The log is full with ${wal.bytes} bytes that ClickHouse has not taken yet; send these records again later`
      return new Refusal(503, message, { retryAfterS: retryAfterS.full, cause })
    }
    if (!(cause instanceof LogBroken)) return cause
    metrics.add('headwater_log_refusals_total', 1, { reason: 'broken' })
    log(`The log cannot be written, senders are asked to come again: ${String(cause)}`)
    const message = 'The log cannot be written now; send these records again later'
    return new Refusal(503, message, { retryAfterS: retryAfterS.broken, cause })
  }

  return {
    async keep(signal, { rows, payload, account: meta }) {
      const ref = await wal.append({ signal, rows, meta, payload }, { durable }).catch((cause: unknown) => {
        const refusal = refusalOf(cause)
        ledger.refuse(signal, meta, refusal instanceof Refusal ? String(refusal.status) : '500')
        throw refusal
      })
      ledger.take(signal, meta)
      const fate = drain.add({ ref, meta, payload })
      observe()
      if (durable) return
      const met = await fate
      if (met.kind === 'stored') return
      if (met.kind === 'kept') throw away()
      throw new Refusal(400, `ClickHouse cannot hold some of these records: ${String(met.cause)}`)
    },
    refusal() {
      observe()
      return !durable && drain.isAway ? away() : undefined
    },
    async idle() {
      await Promise.all([own, ...adopted].map((line) => line.drain.idle()))
    },
    async stop(drainMs) {
      clearInterval(adoption)
      await adopting
      const lines = [own, ...adopted]
      adopted.clear()
      const waited = new Promise((resolve) => setTimeout(resolve, drainMs))
      await Promise.race([Promise.all(lines.map((line) => line.drain.idle())), waited])
      await Promise.all(lines.map((line) => line.end()))
    },
  }
}

function away(): Refusal {
  return new Refusal(503, 'ClickHouse does not take records now; send them again later', {
    retryAfterS: retryAfterS.away,
  })
}
