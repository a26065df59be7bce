// The spans of all traces of a run as one tree, in the order in which a waterfall shows them. Nothing here recurses: a run may
// be one chain of ten thousand spans.
import type { Schemas } from '../api/client.ts'

export type Span = Schemas['SpanOutline']

export interface Row {
  span: Span
  depth: number
  /** Milliseconds since the run began. */
  startMs: number
  endMs: number
  /** When the last of it and of all below it ends. */
  lastMs: number
  /** Rows below it, all levels. */
  below: number
  parent: Row | undefined
  children: Row[]
  failed: boolean
  /** On the chain of spans of which each had to end for the run to end when it did. */
  isCritical: boolean
  /** How long a message lay before this span took it. */
  waitedMs: number
  /** The first of its trace, where the run has several. */
  beginsTrace: boolean
}

export interface Waterfall {
  rows: Row[]
  totalMs: number
}

/** Puts spans under their parents, and those that took a message under those that sent it, over traces. */
export function waterfallOf(traces: readonly { traceId: string; spans: readonly Span[] }[]): Waterfall {
  const spans = traces.flatMap((trace) => trace.spans)
  const first = spans.reduce((earliest, { startTime }) => (startTime < earliest ? startTime : earliest), '~')
  const sinceMs = (time: string): number => msOf(time) - baseMs
  const baseMs = first === '~' ? 0 : msOf(first)
  const byKey = new Map<string, Row>()
  for (const span of spans) {
    const startMs = sinceMs(span.startTime)
    byKey.set(keyOf(span), {
      span,
      depth: 0,
      startMs,
      endMs: startMs + span.durationNs / 1e6,
      lastMs: 0,
      below: 0,
      parent: undefined,
      children: [],
      failed: span.statusCode === 'Error',
      isCritical: false,
      waitedMs: 0,
      beginsTrace: false,
    })
  }
  const roots: Row[] = []
  for (const row of byKey.values()) row.parent = parentOf(row, byKey)
  cutCircles(byKey.values())
  for (const row of byKey.values()) {
    const { parent } = row
    if (parent === undefined) roots.push(row)
    else {
      parent.children.push(row)
      const isTaken = row.span.kind === 'Consumer' || parent.span.kind === 'Producer'
      if (isTaken) row.waitedMs = Math.max(0, row.startMs - parent.endMs)
    }
    row.beginsTrace = traces.length > 1 && parent?.span.traceId !== row.span.traceId
  }
  const rows = inOrder(roots)
  for (const row of rows.toReversed()) {
    row.lastMs = row.children.reduce((most, child) => Math.max(most, child.lastMs), row.endMs)
    row.below = row.children.reduce((sum, child) => sum + 1 + child.below, 0)
  }
  markCritical(roots)
  return { rows, totalMs: rows.reduce((most, { lastMs }) => Math.max(most, lastMs), 0) }
}

/** Spans may say anything, even that two are each other's parents: one of them begins a tree then. */
function cutCircles(rows: Iterable<Row>): void {
  const seenFrom = new Map<Row, Row>()
  for (const start of rows) {
    for (let row: Row | undefined = start; row !== undefined && !seenFrom.has(row); row = row.parent) {
      seenFrom.set(row, start)
      // Met on this same way up: a circle.
      if (row.parent !== undefined && seenFrom.get(row.parent) === start) row.parent = undefined
    }
  }
}

function parentOf(row: Row, byKey: ReadonlyMap<string, Row>): Row | undefined {
  const { traceId, parentSpanId, links } = row.span
  const own = parentSpanId === '' ? undefined : byKey.get(`${traceId}/${parentSpanId}`)
  if (own !== undefined) return own === row ? undefined : own
  for (const link of links) {
    const linked = byKey.get(`${link.traceId}/${link.spanId}`)
    // Within its own trace a link says nothing of where it came from, and could close a circle.
    if (linked !== undefined && linked.span.traceId !== traceId && linked.startMs <= row.startMs) return linked
  }
  return undefined
}

function inOrder(roots: Row[]): Row[] {
  const byStart = (a: Row, b: Row) => a.startMs - b.startMs
  const rows: Row[] = []
  const seen = new Set<Row>()
  const waiting = roots.toSorted(byStart).toReversed()
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    if (seen.has(row)) continue
    seen.add(row)
    row.depth = row.parent === undefined ? 0 : row.parent.depth + 1
    rows.push(row)
    row.children.sort(byStart)
    for (const child of row.children.toReversed()) waiting.push(child)
  }
  return rows
}

/** From the end of the run backwards: the child that ended last, then the one that ended last before that one began. */
function markCritical(roots: readonly Row[]): void {
  const last = roots.reduce<Row | undefined>(
    (most, row) => (most === undefined || row.lastMs > most.lastMs ? row : most),
    undefined,
  )
  const waiting = last === undefined ? [] : [last]
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    row.isCritical = true
    let cursorMs = row.lastMs
    for (const child of row.children.toSorted((a, b) => b.lastMs - a.lastMs)) {
      if (child.lastMs > cursorMs + 1e-6) continue
      waiting.push(child)
      cursorMs = child.startMs
    }
  }
}

/** Rows that are shown: not those below folded ones. */
export function unfolded(rows: readonly Row[], folded: ReadonlySet<string>): Row[] {
  if (folded.size === 0) return [...rows]
  const shown: Row[] = []
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]
    if (row === undefined) break
    shown.push(row)
    if (folded.has(keyOf(row.span))) i += row.below
  }
  return shown
}

export function keyOf({ traceId, spanId }: { traceId: string; spanId: string }): string {
  return `${traceId}/${spanId}`
}

/** Milliseconds, with what RFC 3339's nanoseconds say beyond them. */
export function msOf(time: string): number {
  const [seconds = '', fraction = ''] = time.replace('Z', '').split('.')
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction || '0'}`) * 1_000
}
