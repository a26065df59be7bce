import type { Histogram } from '@headwater/vocabulary'
import { normalTail } from './normal-tail.ts'

/**
 * How far the calls of now lie beyond those of before: the share of them that is more than `buckets` above a call of before
 * picked at random, beyond the share that would be if nothing had changed. 0 where nothing moved, 1 where every call did.
 *
 * With `buckets` = 0 it is Mann and Whitney's U over n·m, rescaled (1947; Vargha & Delaney 2000 call it A); the margin asks for
 * a change that matters, since buckets are a factor apart. The p-value is that of a normal variable, taking the histogram of before
 * for the whole truth, with a variance of no less than U's, 1/12.
 *
 * exceedance({ 10: 4 }, { 1: 9, 20: 1 }, 3): 9 of 10 calls of before are beaten, 0.09 would be by chance, so the share is
 * (0.9 − 0.09) / (1 − 0.09) = 0.89.
 */
export function exceedance(now: Histogram, before: Histogram, buckets: number): { share: number; pValue: number } {
  const recent = sorted(now)
  const usual = sorted(before)
  const calls = countOf(recent)
  if (calls === 0 || usual.length === 0) return { share: 0, pValue: 1 }
  const seen = shareBeyond(recent, usual, buckets)
  const expected = shareBeyond(usual, usual, buckets)
  if (seen <= expected || expected === 1) return { share: 0, pValue: 1 }
  const deviation = Math.sqrt(Math.max(expected * (1 - expected), 1 / 12) / calls)
  return { share: (seen - expected) / (1 - expected), pValue: normalTail((seen - expected) / deviation) }
}

type Counts = readonly { bucket: number; calls: number }[]

/** The chance that a call of the first lies more than `buckets` above one of the second; just as far counts half. */
function shareBeyond(first: Counts, second: Counts, buckets: number): number {
  let below = 0
  let at = 0
  let beyond = 0
  for (const { bucket, calls } of first) {
    for (let other = second[at]; other !== undefined && other.bucket + buckets < bucket; other = second[at]) {
      below += other.calls
      at += 1
    }
    const tied = second[at]
    beyond += calls * (below + (tied !== undefined && tied.bucket + buckets === bucket ? tied.calls / 2 : 0))
  }
  return beyond / (countOf(first) * countOf(second))
}

function sorted(histogram: Histogram): Counts {
  return Object.entries(histogram)
    .map(([bucket, calls]) => ({ bucket: Number(bucket), calls }))
    .filter(({ calls }) => calls > 0)
    .toSorted((a, b) => a.bucket - b.bucket)
}

function countOf(counts: Counts): number {
  return counts.reduce((sum, { calls }) => sum + calls, 0)
}
