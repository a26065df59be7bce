import { type Histogram, quantileNs } from '@headwater/vocabulary'

/** A quantile in milliseconds with three decimals, or null without calls: how the API shows it. */
export function quantileMs(histogram: Histogram, q: number): number | null {
  const ns = quantileNs(histogram, q)
  return ns === undefined ? null : Math.round(ns / 1e3) / 1e3
}
