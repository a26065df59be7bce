/** Counts per bucket, as JSONEachRow gives a Map(UInt16, UInt64). Bucket of d ns: ⌊ln(d + 1) / ln 1.05⌋. */
export type Histogram = Readonly<Record<string, number>>

const growth = 1.05

/** Nanoseconds in the middle of a bucket, on the logarithmic scale. */
export function bucketMiddleNs(bucket: number): number {
  return growth ** (bucket + 0.5) - 1
}

/**
 * The value below which a share `q` of the calls lies, right within 2.5 %; undefined without calls.
 * quantileNs({ 0: 9, 100: 1 }, 0.5) is in bucket 0, so about 0 ns.
 */
export function quantileNs(histogram: Histogram, q: number): number | undefined {
  const buckets = Object.entries(histogram)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .toSorted((a, b) => a.bucket - b.bucket)
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return undefined
  let seen = 0
  for (const { bucket, count } of buckets) {
    seen += count
    if (seen >= q * total) return bucketMiddleNs(bucket)
  }
  return undefined
}

/** Milliseconds with three decimals, or null: how the API shows quantiles. */
export function quantileMs(histogram: Histogram, q: number): number | null {
  const ns = quantileNs(histogram, q)
  return ns === undefined ? null : Math.round(ns / 1e3) / 1e3
}

/** How many of the histogram's calls took at most `limitNs`. */
export function countUpTo(histogram: Histogram, limitNs: number): number {
  let count = 0
  for (const [bucket, n] of Object.entries(histogram)) if (bucketMiddleNs(Number(bucket)) <= limitNs) count += n
  return count
}
