/** In milliseconds. */
export interface Latency {
  p50: number
  p99: number
  max: number
}

/** How long most, nearly all and all requests took. latencyOf([3, 1, 2]) has 2 in its middle. */
export function latencyOf(latenciesMs: readonly number[]): Latency {
  return { p50: shareOf(latenciesMs, 0.5), p99: shareOf(latenciesMs, 0.99), max: shareOf(latenciesMs, 1) }
}

/** What a share of the values is not above. shareOf([3, 1, 2], 0.5) is 2. */
export function shareOf(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
