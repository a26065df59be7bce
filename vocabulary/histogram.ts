// Log-histograms of durations: minutes add up, and a quantile is right within 2.5 %. ClickHouse fills them by the same formula.

/** Calls per bucket; bucket of d ns is ⌊ln(d + 1) / ln 1.05⌋. Keys are text because JSON's are. */
export type Histogram = Record<string, number>

const growth = Math.log(1.05)

/** The bucket of a duration. bucketOf(0) is 0. */
export function bucketOf(ns: number): number {
  return Math.floor(Math.log(ns + 1) / growth)
}

/** The middle of a bucket in ns. */
export function bucketMiddle(bucket: number): number {
  return Math.exp((bucket + 0.5) * growth) - 1
}

export function addHistogram(into: Histogram, from: Histogram): void {
  for (const [bucket, calls] of Object.entries(from)) into[bucket] = (into[bucket] ?? 0) + calls
}

export function countCalls(histogram: Histogram): number {
  return Object.values(histogram).reduce((sum, calls) => sum + calls, 0)
}

/** The bucket in which the `q`-quantile lies; `undefined` for an empty histogram. quantileBucket({ 3: 1, 7: 1 }, 0.5) is 3. */
export function quantileBucket(histogram: Histogram, q: number): number | undefined {
  const buckets = Object.entries(histogram)
    .map(([bucket, calls]) => ({ bucket: Number(bucket), calls }))
    .toSorted((a, b) => a.bucket - b.bucket)
  const target = q * countCalls(histogram)
  let seen = 0
  for (const { bucket, calls } of buckets) {
    seen += calls
    if (calls > 0 && seen >= target) return bucket
  }
  return undefined
}

/** The `q`-quantile in ns; `undefined` for an empty histogram. */
export function quantileNs(histogram: Histogram, q: number): number | undefined {
  const bucket = quantileBucket(histogram, q)
  return bucket === undefined ? undefined : bucketMiddle(bucket)
}

/** Calls in buckets above the given one. */
export function countAbove(histogram: Histogram, bucket: number): number {
  return Object.entries(histogram).reduce((sum, [at, calls]) => (Number(at) > bucket ? sum + calls : sum), 0)
}
