/** In milliseconds. */
export interface Latency {
  p50: number
  p99: number
  max: number
}

/** How long most, nearly all and all requests took. latencyOf([3, 1, 2]) has 2 in its middle. */
export function latencyOf(latenciesMs: readonly number[]): Latency {
  const sorted = Float64Array.from(latenciesMs).toSorted()
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
