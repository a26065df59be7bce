// Which services log something else than usual. It is told from log records alone, which are far fewer than spans, so that the
// spans of a busy time need be read only of those.
import type { Store } from './connect.ts'
import { bindLoggedTime, isWithin, type LoggedTime, shareOf } from './logged-time.ts'

/** How many lines of one kind a service has logged, in what was looked at. */
export interface LinesOfKind {
  /** The name of its resource, and its canonical key. */
  serviceName: string
  service: string
  kind: string
  lines: number
}

/** What was logged in a time. */
export interface LoggedKinds {
  kinds: LinesOfKind[]
  /** The share of the time's records that was looked at. */
  share: number
  /** By service: of the whole time. */
  calls: ReadonlyMap<string, number>
}

/** How much the log of a service has changed; not more than chance makes of it up to 0. */
export interface LogChange {
  serviceName: string
  service: string
  change: number
}

/** Kinds that are read at most; the most frequent come first. */
const kindsMax = 50_000

/** Where in the code a line is written, else its text without its numbers and ids. */
export const patternOf = `if(LogAttributes['code.line.number'] != '',
  concat(ScopeName, ':', LogAttributes['code.line.number']),
  concat(ScopeName, ' ', replaceRegexpAll(substringUTF8(Body, 1, 80), '[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*', '#')))`

/** The lines of each service by kind; of more records than `recordsMax` only a part, chosen by the chance of their spans' IDs. */
export async function readLoggedKinds(
  store: Store,
  time: LoggedTime,
  { recordsMax }: { recordsMax: number },
): Promise<LoggedKinds> {
  const [counted] = await ask<{ records: number }>(
    store,
    `SELECT count() AS records FROM otel_logs WHERE SpanId != '' AND ${isWithin(time)}`,
    bindLoggedTime(time),
  )
  const part = Math.max(1, Math.ceil((counted?.records ?? 0) / recordsMax))
  const kinds = await ask<LinesOfKind>(
    store,
    `SELECT ServiceName AS serviceName, Service AS service, toString(cityHash64(${patternOf})) AS kind, count() AS lines
     FROM otel_logs WHERE SpanId != '' AND ${isWithin(time)} AND cityHash64(SpanId) % {part:UInt32} = 0
     GROUP BY serviceName, service, kind ORDER BY lines DESC, service, kind LIMIT ${kindsMax}`,
    { ...bindLoggedTime(time), part },
  )
  return { kinds, share: shareOf(time) / part, calls: time.calls }
}

/**
 * Services by how many more or fewer lines of one kind they log for each of their calls, beyond three standard errors: those that
 * changed most first. A finding speaks of a share of spans, so this is a change for each call and not of lines, by which the
 * busiest would be first whatever they log.
 */
export function byLogChange(recent: LoggedKinds, usual: LoggedKinds): LogChange[] {
  const linesBefore = new Map(usual.kinds.map((line) => [keyOf(line), line.lines]))
  const linesNow = new Map(recent.kinds.map((line) => [keyOf(line), line.lines]))
  const changes = new Map<string, LogChange>()
  for (const line of [...recent.kinds, ...usual.kinds]) {
    const { serviceName, service } = line
    const callsNow = (recent.calls.get(service) ?? 0) * recent.share
    const callsBefore = (usual.calls.get(service) ?? 0) * usual.share
    // Without calls, then or now, nobody can tell.
    if (callsNow === 0 || callsBefore === 0) continue
    const [now, before] = [linesNow.get(keyOf(line)) ?? 0, linesBefore.get(keyOf(line)) ?? 0]
    const standardError = Math.sqrt((now + 1) / callsNow ** 2 + (before + 1) / callsBefore ** 2)
    const change = Math.abs(now / callsNow - before / callsBefore) - 3 * standardError
    const key = [serviceName, service].join('\u0000')
    const known = changes.get(key)
    if (known === undefined || known.change < change) changes.set(key, { serviceName, service, change })
  }
  return [...changes.values()].toSorted((a, b) => b.change - a.change || (a.service < b.service ? -1 : 1))
}

async function ask<Row>(store: Store, query: string, parameters: Record<string, unknown>): Promise<Row[]> {
  const answer = await store.clickhouse.query({
    query,
    query_params: parameters,
    format: 'JSONEachRow',
    clickhouse_settings: { max_bytes_before_external_group_by: '104857600' },
  })
  return await answer.json<Row>()
}

function keyOf({ serviceName, service, kind }: LinesOfKind): string {
  return [serviceName, service, kind].join('\u0000')
}
