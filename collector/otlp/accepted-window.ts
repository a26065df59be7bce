/** Records that began before are older than what is kept, records of after are from a clock that is wrong. Nanoseconds since 1970. */
export interface AcceptedWindow {
  fromNs: bigint
  toNs: bigint
}

/** The window of a moment: what is kept, and a day for clocks that run ahead. */
export function acceptedWindow({ nowMs, retentionDays }: { nowMs: number; retentionDays: number }): AcceptedWindow {
  const dayMs = 86_400_000
  return { fromNs: toNanoseconds(nowMs - retentionDays * dayMs), toNs: toNanoseconds(nowMs + dayMs) }
}

function toNanoseconds(ms: number): bigint {
  return BigInt(Math.trunc(ms)) * 1_000_000n
}

/** A moment in a message to a person. */
export function isoText(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString()
}
