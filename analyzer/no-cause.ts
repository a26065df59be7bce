import { nameOf } from './cause.ts'
import type { Finding } from './detect.ts'

/** Places that are named at most. */
const placesMax = 3

/** Why no cause is told of what departs from normal, in words. */
export function noCauseReason(findings: readonly Finding[]): string {
  const missing = findings.filter(({ signal }) => signal === 'traffic')
  if (missing.length > 0 && missing.length === findings.length) {
    const told = missing.slice(0, placesMax).map(({ service, operation, seen, expected }) => {
      return `${nameOf(service)} ${operation} took ${Math.round(seen)} calls where ${Math.round(expected)} are usual at this time`
    })
    const others = missing.length > placesMax ? ` and ${missing.length - placesMax} more` : ''
    return `Not enough data to name a cause: ${told.join(', ')}${others}; why fewer come in does not show in the spans.`
  }
  const places = [...new Set(findings.map(({ service, operation }) => `${nameOf(service)} ${operation}`.trim()))]
  if (places.length === 0) return 'Not enough data to name a cause: nothing departs from normal any more.'
  const more = places.length > placesMax ? ` and ${places.length - placesMax} more` : ''
  return (
    `Not enough data to name a cause: ${places.slice(0, placesMax).join(', ')}${more} ${places.length === 1 ? 'departs' : 'depart'} ` +
    'from normal only as those do who wait for something else, or fail with it; what that is does not show in the spans.'
  )
}
