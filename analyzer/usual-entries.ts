import type { UsualEntry } from '@headwater/store'
import { bucketMiddle, bucketOf, countAbove, quantileNs } from '@headwater/vocabulary'
import { slowAbove } from './detect.ts'
import { parameters } from './parameters.ts'
import type { Picture } from './picture.ts'

/**
 * From when on a run of each entry is slow, and how many of its runs fail or are slow anyway. A run is slow well above the normal
 * 99th percentile of its entry, or well beyond the bulk where a few slow calls have raised that. Beside errors alone none is.
 */
export function usualEntriesOf(known: Picture, { isSlowness }: { isSlowness: boolean }): UsualEntry[] {
  return [...known.operations.values()]
    .filter(({ isRoot, calls }) => isRoot && calls > 0)
    .map(({ service, operation, calls, errors, duration }) => {
      const slowNs = Math.min(
        bucketMiddle(slowAbove(duration, parameters.slowBulk)),
        Math.max((quantileNs(duration, 0.99) ?? 0) * parameters.slowRunFactor, 1),
      )
      if (!isSlowness) return { service, operation, slowNs: 0, badShare: errors / calls }
      // A run that fails and is slow counts twice here, which is less than what is not known of it.
      const bad = errors + countAbove(duration, bucketOf(slowNs))
      return { service, operation, slowNs, badShare: Math.min(1, bad / calls) }
    })
}
