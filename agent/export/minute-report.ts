import { counters } from '../counters.ts'

const againAfterMs = 60_000

/** Tells the operator, at most once a minute, what becomes of spans that the collector has not got. */
export interface MinuteReport {
  /** The collector takes no spans, for that reason. */
  refused: (reason: string) => void
  /** It has taken some: told is only what was lost meanwhile. */
  taken: () => void
}

/** One for each collector; `say` writes a line. */
export function minuteReport(say: (line: string) => void, nowMs: () => number): MinuteReport {
  let saidAtMs = Number.NEGATIVE_INFINITY
  let lostSaid = 0

  const lostSince = () => counters.spansLost + counters.spansDropped - lostSaid

  function tell(line: (lost: string | undefined) => string): void {
    if (nowMs() - saidAtMs < againAfterMs) return
    const lost = lostSince()
    const since = saidAtMs === Number.NEGATIVE_INFINITY ? '' : ' since the last line'
    saidAtMs = nowMs()
    lostSaid += lost
    const text = line(lost > 0 ? `${lost} ${lost === 1 ? 'span' : 'spans'} lost${since}` : undefined)
    say(`${text}, the service is not affected`)
  }

  return {
    refused: (reason) => tell((lost) => `the collector takes no spans (${reason}); ${lost ?? 'spans wait'}`),
    taken() {
      const why = 'there was no room for them, they were too large, or refused'
      if (lostSince() > 0) tell((lost) => `${lost}: ${why}`)
    },
  }
}
