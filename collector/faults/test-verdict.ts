// The verdict on what was sent: what the senders know is held against what every table and query says. Pure; reading is
// beside it.

import { type Books, imbalances, sumOf } from './test-books.ts'
import { apart, callsOf, type SentSpan } from './test-traffic.ts'
import type { Sent } from './test-senders.ts'

/** What the store has of one traffic. */
export interface Facts {
  /** Rows of otel_traces by span. */
  copies: ReadonlyMap<string, number>
  /** Calls of chain_dependency_events by trace, as they stand, and how many of these rows count in rollups. */
  calls: ReadonlyMap<string, { rows: number; spans: number; counted: number }>
  /** Rows of chain_execution_traces by trace, and the spans they tell of. */
  runs: ReadonlyMap<string, { rows: number; spans: number }>
  /** Calls by minutes and by ten seconds: of whole traces, and of those that came in two requests. */
  minutes: { whole: number; apart: number }
  tenSeconds: { whole: number; apart: number }
  /** Calls into services as the API lists them. */
  services: ReadonlyMap<string, number>
  /** Spans of some traces as the API shows them. */
  shown: ReadonlyMap<string, readonly string[]>
}

export interface Verdict {
  requests: number
  /** Spans of requests that were answered 200, less those that the answer called rejected. */
  acknowledged: number
  rejected: number
  /** Acknowledged and in no row. */
  lost: number
  /** Counted more often than they are, added up over all queries and rollups. */
  twice: number
  /** Rows that are there more than once. */
  copies: number
  /** What is wrong, one line each; the first ones. */
  complaints: string[]
}

const complaintsMax = 20

/** Judges what was sent; `lostByLedger` spans may be missing, and have to be. */
export function judge(
  sent: readonly Sent[],
  facts: Facts,
  { lostByLedger = 0 }: { lostByLedger?: number } = {},
): Verdict {
  const complaints: string[] = []
  const complain = (line: string): void => {
    if (complaints.length < complaintsMax) complaints.push(line)
  }
  const verdict = { requests: sent.length, ...judgeStored(sent, facts, complain), twice: 0 }
  if (verdict.lost !== lostByLedger)
    complain(`${verdict.lost} acknowledged spans are missing, the ledger says ${lostByLedger}`)
  const stored = sent.flatMap(({ request }) => request.spans).filter(({ spanId }) => facts.copies.has(spanId))
  verdict.twice += judgeTraces(stored, facts, complain)
  verdict.twice += judgeRollups(stored, facts, complain)
  verdict.twice += judgeQueries(stored, facts, complain)
  return { ...verdict, complaints }
}

/** The books of all collectors add up, and tell of every row. */
export function judgeBooks(books: ReadonlyMap<string, Books>, rows: number): string[] {
  const { stored } = sumOf(books)
  const missing = stored === rows ? [] : [`the ledger tells of ${stored} stored spans, ${rows} rows are there`]
  return [...imbalances(books), ...missing]
}

type Complain = (line: string) => void

/** Every span of an acknowledged request is stored, or is one of those that the answer called rejected. */
export function judgeStored(
  sent: readonly Sent[],
  { copies }: Pick<Facts, 'copies'>,
  complain: Complain,
): Pick<Verdict, 'acknowledged' | 'rejected' | 'lost' | 'copies'> {
  const sums = { acknowledged: 0, rejected: 0, lost: 0, copies: 0 }
  const known = new Set<string>()
  for (const { request, outcome } of sent) {
    const missing = request.spans.filter(({ spanId }) => !copies.has(spanId))
    for (const { spanId } of request.spans) known.add(spanId)
    if (outcome.kind === 'refused') complain(`a request was refused for good: ${outcome.status} ${outcome.message}`)
    if (outcome.kind === 'unknown') complain(`a request of ${request.spans.length} spans was never answered`)
    if (outcome.kind !== 'acknowledged') continue
    sums.acknowledged += request.spans.length - outcome.rejected
    sums.rejected += outcome.rejected
    sums.lost += Math.max(0, missing.length - outcome.rejected)
    if (missing.length < outcome.rejected)
      complain(`${outcome.rejected} spans were called rejected, and some of them are stored`)
  }
  for (const [spanId, count] of copies) {
    sums.copies += count - 1
    if (!known.has(spanId)) complain(`span ${spanId} is stored and was never sent`)
  }
  return sums
}

/** Each trace is one run of its spans, and makes the calls that it makes. */
function judgeTraces(stored: readonly SentSpan[], { calls, runs }: Facts, complain: Complain): number {
  let twice = 0
  for (const [traceId, spans] of Map.groupBy(stored, (span) => span.traceId)) {
    const run = runs.get(traceId) ?? { rows: 0, spans: 0 }
    if (run.rows !== 1 || run.spans !== spans.length) {
      complain(`trace ${traceId} of ${spans.length} spans has ${run.rows} rows of runs with ${run.spans} spans`)
    }
    const expected = callsOf(spans).calls
    const told = calls.get(traceId) ?? { rows: 0, spans: 0, counted: 0 }
    if (told.rows !== expected || told.spans !== expected) {
      complain(`trace ${traceId} makes ${expected} calls and has ${told.rows} rows of them, by ${told.spans} spans`)
    }
    twice += Math.max(0, run.rows - 1, run.spans - spans.length) + Math.max(0, told.rows - expected)
  }
  return twice
}

/**
 * Whole traces are in the rollups exactly. Of a trace that came in two parts a call may be left out, when the second came
 * after its window had closed; it is never in there more than once.
 */
function judgeRollups(stored: readonly SentSpan[], facts: Facts, complain: Complain): number {
  const [inParts, whole] = [true, false].map((isApart) =>
    stored.filter(({ service }) => service.includes(apart) === isApart),
  )
  const expected = { whole: callsOf(whole ?? []).calls, apart: callsOf(inParts ?? []).calls }
  const counted = [...facts.calls.values()].reduce((sum, trace) => sum + trace.counted, 0) - expected.whole
  let twice = 0
  for (const name of ['minutes', 'tenSeconds'] as const) {
    const told = facts[name]
    if (told.whole !== expected.whole)
      complain(`${name}: ${told.whole} calls of whole traces, ${expected.whole} were made`)
    if (told.apart > expected.apart || told.apart < Math.min(counted, expected.apart)) {
      complain(`${name}: ${told.apart} calls of traces in parts, ${expected.apart} were made, ${counted} should count`)
    }
    twice += Math.max(0, told.whole - expected.whole) + Math.max(0, told.apart - expected.apart)
  }
  return twice
}

/** What the API answers. */
function judgeQueries(stored: readonly SentSpan[], { services, shown }: Facts, complain: Complain): number {
  let twice = 0
  for (const [service, expected] of callsOf(stored).entries) {
    const told = services.get(service) ?? 0
    const isExact = !service.includes(apart)
    if (told > expected || (isExact && told < expected))
      complain(`the API tells of ${told} calls of ${service}, ${expected} were made`)
    twice += Math.max(0, told - expected)
  }
  const byTrace = Map.groupBy(stored, (span) => span.traceId)
  for (const [traceId, spanIds] of shown) {
    const expected = (byTrace.get(traceId) ?? []).map(({ spanId }) => spanId).toSorted()
    if (spanIds.toSorted().join() !== expected.join()) {
      complain(`the API shows ${spanIds.length} spans of trace ${traceId}, which has ${expected.length}`)
    }
    twice += Math.max(0, spanIds.length - expected.length)
  }
  return twice
}
