import type { Cause } from '@headwater/vocabulary'
import type { Breakdown } from '@headwater/store'
import { betaBinomialTail } from './stats/beta-binomial.ts'

/**
 * The attribute value that tells bad calls from good ones, if one does: bad calls are common with it and rare without it.
 * Values are scored by 2sc / (s + c) with s = P(value | bad), c = P(bad | value); version goes before instance, because one
 * bad version explains each of its instances.
 */
export function tellingAttribute(breakdown: Breakdown[]): Cause['attribute'] | undefined {
  return (
    telling('service.version', breakdown, ({ version }) => version) ??
    telling('service.instance.id', breakdown, ({ instance }) => instance)
  )
}

function telling(
  name: string,
  breakdown: Breakdown[],
  valueOf: (row: Breakdown) => string,
): Cause['attribute'] | undefined {
  const byValue = new Map<string, { calls: number; bad: number }>()
  const all = { calls: 0, bad: 0 }
  for (const row of breakdown) {
    const value = byValue.get(valueOf(row)) ?? { calls: 0, bad: 0 }
    byValue.set(valueOf(row), { calls: value.calls + row.calls, bad: value.bad + row.bad })
    all.calls += row.calls
    all.bad += row.bad
  }
  let best: { attribute: NonNullable<Cause['attribute']>; score: number } | undefined
  for (const [value, { calls, bad }] of byValue) {
    const others = { calls: all.calls - calls, bad: all.bad - bad }
    if (value === '' || bad === 0 || others.calls === 0) continue
    const badShare = bad / calls
    const goodShare = others.bad / others.calls
    const chance = betaBinomialTail({ k: bad, n: calls, badBefore: others.bad, callsBefore: others.calls })
    if (badShare < goodShare + 0.3 || chance > 1e-3) continue
    const support = bad / all.bad
    const score = (2 * support * badShare) / (support + badShare)
    if (score > (best?.score ?? 0))
      best = { attribute: { name, value, badShare: round(badShare), goodShare: round(goodShare) }, score }
  }
  return best?.attribute
}

function round(share: number): number {
  return Math.round(share * 1_000) / 1_000
}
