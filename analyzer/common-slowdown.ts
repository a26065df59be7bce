// What slows everything down at once, a busy machine or network that all share, is no single service's doing, and accuses nobody.
import { readTimesAtPlaces, type Store, type TimeAtPlace, type Windows } from '@headwater/store'
import { parameters } from './parameters.ts'

/**
 * By what factor everything is slower than usual: the median over places (services by their own time, peers by how long they
 * are waited for) of time spent over usual time, which a few faulty ones cannot move; at least 1, and 1 where places are too
 * few to tell.
 */
export function commonSlowdown(times: readonly TimeAtPlace[]): number {
  const { placesMin, callsMin, factorMax } = parameters.commonSlowdown
  const factors = times
    .filter(({ calls, usualNs }) => calls >= callsMin && usualNs > 0)
    .map(({ ns, usualNs }) => ns / usualNs)
    .toSorted((a, b) => a - b)
  const lower = factors[Math.floor((factors.length - 1) / 2)]
  const upper = factors[Math.ceil((factors.length - 1) / 2)]
  if (factors.length < placesMin || lower === undefined || upper === undefined) return 1
  return Math.min(Math.max(1, (lower + upper) / 2), factorMax)
}

/** {@link commonSlowdown} of some windows against those before. */
export async function readCommonSlowdown(
  store: Store,
  compared: { recent: Windows; baseline: Windows },
): Promise<number> {
  return commonSlowdown(await readTimesAtPlaces(store, { ...compared, seriesCallsMin: parameters.seriesCallsMin }))
}
