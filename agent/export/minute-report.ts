import { counters } from '../counters.ts'

const againAfterMs = 60_000

/** Tells the operator why the collector takes no spans, at most once a minute, and how many were lost meanwhile. */
export function minuteReport(say: (line: string) => void, nowMs: () => number): (reason: string) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY
  let lostSaid = 0

  return (reason) => {
    if (nowMs() - saidAtMs < againAfterMs) return
    const isFirst = saidAtMs === Number.NEGATIVE_INFINITY
    saidAtMs = nowMs()
    const lostInAll = counters.spansLost + counters.spansDropped
    const lost = lostInAll - lostSaid
    lostSaid = lostInAll
    const howMany = `${lost} ${lost === 1 ? 'span' : 'spans'} lost${isFirst ? '' : ' since the last line'}`
    say(`the collector takes no spans (${reason}); ${lost > 0 ? howMany : 'spans wait'}, the service is not affected`)
  }
}
