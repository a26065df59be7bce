import type { Component, Interval } from './departure.ts'

const minute = 60_000

/**
 * Intervals of five minutes from what each says: `100 calls, 20 ms, 3 failed`, or `4 x 100 calls, 20 ms` for four that are
 * alike but for a wave of ±2 %. The mean time is that of each call. The first starts at `startMs`.
 */
export function intervalsIn(text: string, startMs = 0): Interval[] {
  const told = text.split(';').flatMap((part) => {
    const count = (fact: RegExp): number => Number(fact.exec(part)?.[1] ?? 0)
    const times = count(/(\d+) x/) || 1
    return Array.from({ length: times }, (_, at) => {
      const calls = count(/(\d+) calls/)
      const wave = times === 1 ? 1 : 1 + 0.02 * Math.sin(at)
      return { calls, failed: count(/(\d+) failed/), durationNs: calls * count(/([\d.]+) ms/) * 1e6 * wave }
    })
  })
  return told.map((interval, at) => ({ startMs: startMs + at * 5 * minute, ...interval }))
}

/** A component of which two days are known before the time that is judged. */
export function component(name: string, before: string, now: string): Component {
  const past = intervalsIn(before)
  return { name, before: past, now: intervalsIn(now, (past.at(-1)?.startMs ?? 0) + 5 * minute) }
}
