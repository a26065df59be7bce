const firstMs = 100
const longestMs = 5_000

/** How long to wait after the n-th failure in a row: doubling, up to five seconds, and never in step with others. */
export function backOffMs(failures: number, chance: number): number {
  const wholeMs = Math.min(firstMs * 2 ** (failures - 1), longestMs)
  return wholeMs * (0.5 + chance / 2)
}
