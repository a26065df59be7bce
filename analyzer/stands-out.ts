// From the counts of a screen: which p-values are significant over all series, and which services have to be looked at in full.
import type { Screen, ScreenedTest, ScreenRules, SuspiciousSeries } from '@headwater/store'
import { isLargeEnough, recentJudging } from './detect.ts'
import { parameters } from './parameters.ts'
import { benjaminiHochberg } from './stats/benjamini-hochberg.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'

const { silenceCallsMin, silenceShareMax, silenceActivityMax } = parameters

/** So much wider than what can be found, since sums are rounded. */
const margin = 1 + 1e-9

export const screenRules: ScreenRules = {
  ...recentJudging,
  trust: parameters.trustedCalls,
  quietShareMax: silenceShareMax * silenceActivityMax * margin,
  quietCallsMin: silenceCallsMin / silenceActivityMax / margin,
}

/** The p-value up to which tests are significant, false discovery controlled over all, and the services of those that tell. */
export function whatStandsOut(
  { tests, suspicious, quiet }: Pick<Screen, 'tests' | 'suspicious' | 'quiet'>,
  shareRiseMin?: number,
): {
  pValueMax: number
  services: Set<string>
  /** Whether slowness is among what tells. */
  isSlow: boolean
  /** Services of which a test tells little, and still more than chance would: something could be beginning. */
  restless: Set<string>
} {
  const judged = suspicious.flatMap((series) =>
    testsOf(series, shareRiseMin).map((test) => ({ ...test, service: series.service })),
  )
  const pValueMax = benjaminiHochberg(
    judged.map(({ pValue }) => pValue),
    parameters.falseDiscoveryRate,
    tests,
  )
  const telling = judged.filter(({ pValue, isLarge }) => isLarge && pValue <= pValueMax)
  const { oncePerSteps, badCallsMin } = parameters.early
  const isRestless = judged.filter(
    ({ pValue, excessCalls }) => excessCalls >= badCallsMin && pValue * tests * oncePerSteps <= 1,
  )
  return {
    pValueMax,
    services: new Set([...telling.map(({ service }) => service), ...quiet]),
    isSlow: telling.some(({ test }) => test === 'latency' || test === 'self-time'),
    restless: new Set(isRestless.map(({ service }) => service)),
  }
}

/** One p-value a test: of slow calls the rule that tells most counts. */
function testsOf(
  { calls, callsBefore, outcomes }: SuspiciousSeries,
  shareRiseMin?: number,
): { test: ScreenedTest; pValue: number; isLarge: boolean; excessCalls: number }[] {
  return Map.groupBy(outcomes, ({ test }) => test)
    .entries()
    .map(([test, ofTest]) => {
      const judged = ofTest.map(({ bad, badBefore }) => {
        const excessCalls = Math.max(0, bad - (calls * badBefore) / callsBefore)
        const pValue = betaBinomialTail({ k: bad, n: calls, badBefore, callsBefore })
        return { pValue, excessCalls, isLarge: isLargeEnough({ calls, excessCalls }, shareRiseMin) }
      })
      return {
        test,
        pValue: Math.min(...judged.map(({ pValue }) => pValue)),
        isLarge: judged.some(({ isLarge }) => isLarge),
        excessCalls: Math.max(...judged.map(({ excessCalls }) => excessCalls)),
      }
    })
    .toArray()
}
