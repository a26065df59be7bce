// A block is safe once the log has it or once ClickHouse has it, as configured. Here it goes from one to the other.

import type { SealedBlock } from './block-builder.ts'
import { type KeptSignal, type Line, type LineOptions, openLine } from './line.ts'
import { LogFull } from './log/errors.ts'
import { orphanedSlots } from './log/slots.ts'
import { openLog, openSlot } from './log/write-ahead-log.ts'
import { Refusal } from './refusal.ts'

/** When a request is acknowledged: once its rows are in ClickHouse, or once its block is in the log. */
export type Acknowledgement = 'stored' | 'logged'

export interface KeeperOptions extends Omit<LineOptions, 'durable'> {
  /** The collectors of one machine have a slot each below this directory. */
  directory: string
  acknowledgement: Acknowledgement
  logBytesMax: number
}

/** Takes blocks, and stores them sooner or later. */
export interface Keeper {
  /** Resolves once the block is safe; refuses with 503 when it cannot be made so now. */
  keep(signal: KeptSignal, block: SealedBlock): Promise<void>
  /** Why nothing can be kept just now, so that bodies need not be read in vain. */
  refusal(): Refusal | undefined
  /** Resolves once nothing is pending. */
  idle(): Promise<void>
  /** Stores what it can within so many milliseconds; the rest is in the log. Senders that wait for ClickHouse are sent away. */
  stop(withinMs: number): Promise<void>
}

const retryAfterS = { away: 2, full: 5, broken: 5 }
/** The log is full when the next large block might not fit. */
const roomBytes = (logBytesMax: number): number => Math.min(8 * 1024 * 1024, logBytesMax / 10)
/** Of the time to stop, what an insert on its way may still take. */
const lastInsertShare = 0.5
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
  const lineOptions = { ...options, durable }
  const own = await openLine(lineOptions, (onLost) => openLog(directory, { ...logOptions, onLost }))
  if (own === undefined) throw new Error(`Cannot open a log in ${directory}`)
  const { wal, drain } = own
  const adopted = new Set<Line>()
  /** Slots that cannot be opened; they are told once. */
  const unreadable = new Set<number>()
  let adopting = adoptOrphans()
  const adoption = setInterval(() => {
    adopting = adopting.then(adoptOrphans)
  }, adoptEveryMs)
  await adopting

  async function adoptOrphans(): Promise<void> {
    const slots = await orphanedSlots(directory).catch((cause: unknown) => {
      log(`Cannot look for logs that others left in ${directory}: ${String(cause)}`)
      return []
    })
    for (const slot of slots) if (!unreadable.has(slot)) await adopt(slot)
  }

  async function adopt(slot: number): Promise<void> {
    try {
      const line = await openLine(lineOptions, (onLost) => openSlot(directory, slot, { ...logOptions, onLost }))
      if (line === undefined) return
      log(`The log ${slot} in ${directory} was left with ${line.drain.pending.rows} records: they are stored now`)
      adopted.add(line)
      void endOnceIdle(line)
    } catch (cause) {
      unreadable.add(slot)
      metrics.add('headwater_log_troubles_total')
      log(`Cannot take over the log ${slot} that another collector left in ${directory}: ${reasonOf(cause)}`)
    }
  }

  async function endOnceIdle(line: Line): Promise<void> {
    await line.idle()
    if (adopted.delete(line)) await end(line, 0)
  }

  async function end(line: Line, withinMs: number): Promise<void> {
    try {
      await line.end(withinMs)
    } catch (cause) {
      log(`Cannot close the log ${line.wal.slot} in ${directory}: ${reasonOf(cause)}`)
    }
  }

  function observe(): void {
    metrics.set('headwater_log_bytes', wal.bytes)
    metrics.set('headwater_log_blocks', wal.blocks)
    metrics.set('headwater_log_quarantine_bytes', wal.quarantineBytes)
  }

  function full(cause?: unknown): Refusal {
    metrics.add('headwater_log_refusals_total', 1, { reason: 'full' })
    const message = `The log is full: ${wal.bytes} bytes are in it and more wait for the disk; send these records again later`
    return new Refusal(503, message, { retryAfterS: retryAfterS.full, cause })
  }

  /** Why the log did not take a block, as its senders hear it. */
  function refusalOf(cause: unknown): Refusal {
    if (cause instanceof LogFull) return full(cause)
    metrics.add('headwater_log_refusals_total', 1, { reason: 'broken' })
    log(`The log cannot be written, senders are asked to come again: ${reasonOf(cause)}`)
    const message = 'The log cannot be written now; send these records again later'
    return new Refusal(503, message, { retryAfterS: retryAfterS.broken, cause })
  }

  return {
    async keep(signal, { rows, payload, account: meta }) {
      const ref = await wal.append({ signal, rows, meta, payload }, { durable }).catch((cause: unknown) => {
        const refusal = refusalOf(cause)
        ledger.refuse(signal, meta, String(refusal.status))
        throw refusal
      })
      ledger.take(signal, meta)
      const fate = drain.add({ ref, meta, payload })
      observe()
      if (durable) return
      const met = await fate
      switch (met.kind) {
        case 'stored':
          return
        case 'quarantined':
          throw new Refusal(
            400,
            `ClickHouse cannot hold some of the records that came together: ${reasonOf(met.cause)}`,
          )
        // Their senders have them still.
        case 'kept':
        case 'lost':
          throw away()
      }
    },
    refusal() {
      observe()
      if (durable) return wal.bytes + roomBytes(logBytesMax) > logBytesMax ? full() : undefined
      return drain.isAway ? away() : undefined
    },
    async idle() {
      await Promise.all([own, ...adopted].map((line) => line.idle()))
    },
    async stop(withinMs) {
      clearInterval(adoption)
      const lines = [own, ...adopted]
      adopted.clear()
      const insertMs = withinMs * lastInsertShare
      const waited = new Promise((resolve) => setTimeout(resolve, withinMs - insertMs))
      await Promise.race([Promise.all([adopting, ...lines.map((line) => line.drain.idle())]), waited])
      await Promise.all(lines.map((line) => end(line, insertMs)))
    },
  }
}

function away(): Refusal {
  return new Refusal(503, 'ClickHouse does not take records now; send them again later', {
    retryAfterS: retryAfterS.away,
  })
}

/** The error and what it goes back to. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.cause instanceof Error ? `${cause.message} (${cause.cause.message})` : cause.message
}
