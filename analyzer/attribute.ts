// What bad calls have in common and good ones do not: one value of an attribute, or up to three values that only do harm together.
import { type Cause, shareInterval } from '@headwater/vocabulary'
import type { Breakdown } from '@headwater/store'
import { nameOf } from './cause.ts'
import { parameters } from './parameters.ts'
import { betaBinomialTail } from './stats/beta-binomial.ts'

/** The likeliest reason first: one bad version explains each of its instances, and who calls with what is seldom to blame itself. */
const attributes: readonly { name: string; valueOf: (row: Breakdown) => string; told: (value: string) => string }[] = [
  { name: 'service.version', valueOf: ({ version }) => version, told: (version) => version },
  { name: 'service.instance.id', valueOf: ({ instance }) => instance, told: (instance) => instance },
  { name: 'caller', valueOf: ({ caller }) => caller, told: nameOf },
  { name: 'flow.name', valueOf: ({ flow }) => flow, told: (flow) => flow },
]

/** These few are tried in any case, so each is judged as if it were the only one. */
const triedAlways = 2

/**
 * The value that tells bad calls from good ones, if one does, or the values that do so together: bad calls are common with it and rare
 * without it. The value of an earlier attribute goes before one of a later one and a simple condition before a longer one, unless what it
 * takes in beyond the other is clearly less bad.
 *
 * Conditions are scored by 2sc / (s + c) with s = P(condition | bad), c = P(bad | condition), and longer ones are looked for from the
 * best of the shorter ones on (beam search: Lowerre, The HARPY Speech Recognition System, 1976). Each value of a longer one must be needed:
 * calls that have all of the others without it are clearly less bad, beyond what chance makes of as many conditions as were tried.
 */
export function tellingAttribute(breakdown: readonly Breakdown[]): Cause['attribute'] | undefined {
  const { lengthMax, beamMax } = parameters.attributes
  const all = count(breakdown)
  const telling: Condition[] = []
  let beam: Condition[] = [{ values: [], rows: breakdown, ...all, score: 0 }]
  for (let length = 1; length <= lengthMax && beam.length > 0; length += 1) {
    const tried = distinct(beam.flatMap((shorter) => extend(shorter, all.bad))).toSorted(byScore)
    beam = tried.slice(0, beamMax)
    const always = tried.filter(({ values }) => length === 1 && values.every(({ at }) => at < triedAlways))
    telling.push(
      ...always.filter((condition) => isNeeded(condition, breakdown, 1)),
      ...beam.filter((condition) => !always.includes(condition) && isNeeded(condition, breakdown, tried.length)),
    )
  }
  const first = telling.toSorted(bySimplicity)[0]
  if (first === undefined) return undefined
  const better = telling.filter(
    (other) => other.score > first.score && isLessBad(without(first.rows, other), other, telling.length),
  )
  return toAttribute(better.toSorted(byScore)[0] ?? first, all)
}

interface Counts {
  calls: number
  bad: number
  /** Calls that were kept, however many each stands for. */
  kept: number
}

interface Condition extends Counts {
  /** By attribute. */
  values: readonly { at: number; value: string }[]
  /** What meets it. */
  rows: readonly Breakdown[]
  score: number
}

function count(rows: readonly Breakdown[]): Counts {
  const counts = { calls: 0, bad: 0, kept: 0 }
  for (const { calls, bad, kept } of rows) {
    counts.calls += calls
    counts.bad += bad
    counts.kept += kept
  }
  return counts
}

/** With one value more, of which calls that meet it are bad. */
function extend({ values, rows, calls }: Condition, badOfAll: number): Condition[] {
  return attributes.flatMap(({ valueOf }, at) => {
    if (values.some((one) => one.at === at)) return []
    return [...Map.groupBy(rows, valueOf)].flatMap(([value, having]) => {
      const counts = count(having)
      if (value === '' || counts.bad === 0 || counts.calls === calls) return []
      const [support, share] = [counts.bad / badOfAll, counts.bad / counts.calls]
      const longer = [...values, { at, value }].toSorted((a, b) => a.at - b.at)
      return [{ values: longer, rows: having, ...counts, score: (2 * support * share) / (support + share) }]
    })
  })
}

/** The same values may be found in any order. */
function distinct(conditions: readonly Condition[]): Condition[] {
  return [...new Map(conditions.map((condition) => [keyOf(condition), condition])).values()]
}

function keyOf({ values }: Condition): string {
  return JSON.stringify(values.map(({ at, value }) => [at, value]))
}

function byScore(a: Condition, b: Condition): number {
  return b.score - a.score || a.values.length - b.values.length || (keyOf(a) < keyOf(b) ? -1 : 1)
}

function bySimplicity(a: Condition, b: Condition): number {
  const ofAttribute = a.values.length === 1 ? (a.values[0]?.at ?? 0) - (b.values[0]?.at ?? 0) : 0
  return a.values.length - b.values.length || ofAttribute || byScore(a, b)
}

function isNeeded(condition: Condition, breakdown: readonly Breakdown[], tried: number): boolean {
  return condition.values.every((value) => {
    const others = condition.values.filter((other) => other !== value)
    const rest = breakdown.filter((row) => others.every((other) => meets(row, other)) && !meets(row, value))
    return isLessBad(rest, condition, tried)
  })
}

function without(rows: readonly Breakdown[], { values }: Condition): Breakdown[] {
  return rows.filter((row) => !values.every((value) => meets(row, value)))
}

function meets(row: Breakdown, { at, value }: { at: number; value: string }): boolean {
  return attributes[at]?.valueOf(row) === value
}

/** Whether there are other calls, and fewer of these are bad, by more than chance in so many tries. */
function isLessBad(rest: readonly Breakdown[], { calls, bad }: Counts, tried: number): boolean {
  const { shareRiseMin, pValueMax } = parameters.attributes
  const others = count(rest)
  if (others.calls === 0 || bad / calls < others.bad / others.calls + shareRiseMin) return false
  const chance = betaBinomialTail({ k: bad, n: calls, badBefore: others.bad, callsBefore: others.calls })
  return chance <= pValueMax / tried
}

function toAttribute({ values, calls, bad, kept }: Condition, all: Counts): Cause['attribute'] {
  const [first, ...others] = values.map(({ at, value }) => ({
    name: attributes[at]?.name ?? '',
    value: attributes[at]?.told(value) ?? value,
  }))
  if (first === undefined) return undefined
  const badShare = bad / calls
  const { low, high } = shareInterval(badShare * kept, kept)
  return {
    ...first,
    ...(others.length === 0 ? {} : { and: others }),
    badShare: round(badShare),
    goodShare: round((all.bad - bad) / (all.calls - calls)),
    lift: Math.round((10 * badShare) / (all.bad / all.calls)) / 10,
    low: round(low),
    high: round(high),
  }
}

function round(share: number): number {
  return Math.round(share * 1_000) / 1_000
}
