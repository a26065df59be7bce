// How many records a second the keys of one name may send. A request is asked before its body is read, when nobody knows how
// many records it bears, so the balance may fall below zero: what was taken too much is paid by waiting.

import type { KeyFile } from './key-file.ts'

export type QuotaCheck = { ok: true } | { ok: false; retryAfterS: number; reason: string }

export interface Quota {
  /** Asks before a body is read. A name without a limit, the open door's '' among them, always may. */
  check(name: string, nowMs: number): QuotaCheck
  /** Takes what the body turned out to bear. */
  spend(name: string, records: number, nowMs: number): void
}

/**
 * What an idle sender may send at once: SDKs keep spans for five seconds and then send them together, and several
 * processes with the same key do so at the same moment. It need not hold the largest request, which any balance above zero
 * lets in.
 */
const burstS = 5

/** Senders give up on longer waits; whoever owes more is told so again. */
const retryAfterMaxS = 60

interface Bucket {
  balance: number
  atMs: number
}

/** Keeps the balance of each name in the file, and forgets names that have left it. */
export function createQuota({ keys }: { keys: () => KeyFile | undefined }): Quota {
  const buckets = new Map<string, Bucket>()
  let known: KeyFile | undefined
  let rates = new Map<string, number>()

  /** The bucket as it is now, or nothing where nothing limits. */
  function bucketOf(name: string, nowMs: number): { bucket: Bucket; rate: number } | undefined {
    const file = keys()
    if (file !== known) {
      known = file
      rates = ratesOf(file)
      for (const each of buckets.keys()) if (!rates.has(each)) buckets.delete(each)
    }
    const rate = rates.get(name)
    if (rate === undefined) return undefined
    const before = buckets.get(name) ?? { balance: rate * burstS, atMs: nowMs }
    const bucket = refilled(before, rate, nowMs)
    buckets.set(name, bucket)
    return { bucket, rate }
  }

  return {
    check(name, nowMs) {
      const found = bucketOf(name, nowMs)
      if (found === undefined || found.bucket.balance > 0) return { ok: true }
      const { bucket, rate } = found
      return {
        ok: false,
        retryAfterS: retryAfterS(bucket.balance, rate),
        reason: `The keys of "${name}" may send ${rate} records a second and have sent more; send these again later`,
      }
    },
    spend(name, records, nowMs) {
      const found = bucketOf(name, nowMs)
      if (found !== undefined) found.bucket.balance -= records
    },
  }
}

function ratesOf(file: KeyFile | undefined): Map<string, number> {
  const limited = file?.keys.flatMap(({ name, recordsPerSecond }): [string, number][] =>
    recordsPerSecond === undefined ? [] : [[name, recordsPerSecond]],
  )
  return new Map(limited)
}

/** A clock that jumps back gives nothing and takes nothing. */
function refilled({ balance, atMs }: Bucket, rate: number, nowMs: number): Bucket {
  const earned = (rate * Math.max(0, nowMs - atMs)) / 1_000
  return { balance: Math.min(rate * burstS, balance + earned), atMs: nowMs }
}

/** Whole seconds until the balance is above zero; at zero exactly it is there within the first one. */
function retryAfterS(balance: number, rate: number): number {
  return Math.min(retryAfterMaxS, Math.max(1, Math.floor(-balance / rate) + 1))
}
