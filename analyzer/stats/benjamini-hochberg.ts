/**
 * The p-values to reject such that the expected share of false ones among them is at most `q` (Benjamini & Hochberg 1995).
 * Gives the largest p-value rejected, 0 when none is. benjaminiHochberg([0.001, 0.02, 0.9], 0.05) is 0.02.
 *
 * Where there were more `tests` than p-values are given, the rest count as 1: so those above `q` may be left out.
 */
export function benjaminiHochberg(pValues: number[], q: number, tests = pValues.length): number {
  const sorted = pValues.toSorted((a, b) => a - b)
  for (let i = sorted.length - 1; i >= 0; i -= 1) {
    const p = sorted[i] ?? 1
    if (p <= (q * (i + 1)) / tests) return p
  }
  return 0
}
