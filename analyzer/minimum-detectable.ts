// The smallest departure that a series could have shown: "nothing seen" means more where little would have been enough.
import type { SmallestEffect } from '@headwater/vocabulary'
import { bucketMiddle, bucketOf, countAbove, type Histogram } from '@headwater/vocabulary'
import { type Finding, slowAbove } from './detect.ts'
import { parameters } from './parameters.ts'
import { operationKey, type Picture } from './picture.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'
import { negativeBinomialAtMost } from './stats/negative-binomial.ts'

/**
 * The smallest effect that a finding's series could have shown, with its calls now and before and the gates of detect.ts;
 * `undefined` where that is not known. The false discovery rate is the most that the step's threshold for p-values can be:
 * it is this generous where much is wrong, and stricter where little is.
 */
export function smallestEffect(finding: Finding, known: Picture): SmallestEffect | undefined {
  const { signal, unit, expected, calls, baselineCalls, smallest } = finding
  const lasts = finding.compared !== undefined
  if (smallest !== undefined) return smallest
  if (signal === 'silence') return smallestSilence(expected)
  // What is logged, and calls that are made more often, tell who is to blame; they raise no alarm that could have shown more.
  if (signal === 'logs' || signal === 'fan-out' || signal === 'cache-misses' || signal === 'traffic') return undefined
  if (unit === 'share') {
    const share = smallestShare({
      calls,
      badBefore: expected * baselineCalls,
      baselineCalls,
      ...(lasts ? parameters.lasting : {}),
    })
    return share === undefined ? undefined : { value: share, share }
  }
  const before = timesOf(finding, known)
  if (before === undefined || finding.slowNs === undefined) return undefined
  const slowBucket = bucketOf(finding.slowNs)
  const recentRule = slowBucket >= slowAbove(before, parameters.slowTail) ? parameters.slowTail : parameters.slowBulk
  const { shareRiseMin } = lasts ? parameters.lasting.slow : recentRule
  const share = smallestShare({
    calls,
    badBefore: countAbove(before, slowBucket),
    baselineCalls,
    ...(lasts ? parameters.lasting : {}),
    shareRiseMin,
  })
  return share === undefined ? undefined : { value: bucketMiddle(slowBucket), share }
}

/**
 * The least share of bad calls that is a finding; `undefined` where even all of them bad would be none. Of 10 calls, with none
 * of 100 bad before, it is 0.4: fewer than four bad calls are never a finding. Of 1,000 calls, with 10 of 1,000 bad before, it is
 * 0.09: the share has to rise by 0.08.
 */
export function smallestShare({
  calls,
  badBefore,
  baselineCalls,
  shareRiseMin = parameters.shareRiseMin,
  pValueMax = parameters.falseDiscoveryRate,
}: {
  calls: number
  badBefore: number
  baselineCalls: number
  shareRiseMin?: number
  pValueMax?: number
}): number | undefined {
  if (calls < 1 || baselineCalls < parameters.seriesCallsMin) return undefined
  const usual = (calls * badBefore) / baselineCalls
  const rise = Math.max(parameters.badCallsMin, calls * shareRiseMin)
  // What is told of a share is a quotient, so that a hair is lost on the way.
  let few = Math.ceil(usual + rise - 1e-9 * calls)
  let many = Math.floor(calls)
  const isFinding = (bad: number): boolean =>
    betaBinomialTail({ k: bad, n: calls, badBefore, callsBefore: baselineCalls }) <= pValueMax
  if (few > many || !isFinding(many)) return undefined
  // The more are bad, the less likely it is.
  while (few < many) {
    const middle = Math.floor((few + many) / 2)
    if (isFinding(middle)) many = middle
    else few = middle + 1
  }
  return many / calls
}

/**
 * The most calls of those due that would still be silence. Of 100 due it is 19, a loss of 81 %; of 20 none may come; of fewer,
 * chance alone may keep all of them away, and silence is never told.
 */
export function smallestSilence(due: number): SmallestEffect | undefined {
  if (due < parameters.silenceCallsMin) return undefined
  const isSilence = (calls: number): boolean =>
    negativeBinomialAtMost({ k: calls, expected: due, dispersion: parameters.callsDispersion }) <=
    parameters.silencePValueMax
  // The more come, the more likely it is.
  const most = mostThat(isSilence, Math.floor(due * parameters.silenceShareMax))
  return most < 0 ? undefined : { value: most, share: 1 - most / due }
}

/** The largest number up to `limit` that passes, where all smaller ones do, too; -1 where not even none does. */
export function mostThat(passes: (calls: number) => boolean, limit: number): number {
  let most = -1
  let none = limit + 1
  while (none - most > 1) {
    const middle = Math.floor((most + none) / 2)
    if (passes(middle)) most = middle
    else none = middle
  }
  return most
}

/** How long the calls of a finding's series took before. */
function timesOf(
  { signal, service, operation, caller, callerOperation }: Finding,
  known: Picture,
): Histogram | undefined {
  if (caller !== undefined) {
    const edge = known.edges.get(`${caller}\u0000${callerOperation ?? ''}\u0000${service}`)
    return signal === 'wire-time' ? edge?.wire : edge?.duration
  }
  const series = known.operations.get(operationKey(service, operation))
  return signal === 'self-time' ? series?.self : series?.duration
}
