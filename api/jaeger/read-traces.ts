import {
  countSpansOf,
  exceptionsMax,
  readSpans,
  spansMax,
  type Store,
  type StoredSpan,
  type Window,
} from '@headwater/store'

/** Names are listed of what was sent so lately. */
const namesOfMs = 7 * 86_400_000

/** The window whose names are listed. */
export function lately(nowMs: number): Window {
  return { since: new Date(nowMs - namesOfMs), until: new Date(nowMs + 1) }
}

export interface ReadTraces {
  traces: { traceId: string; spans: StoredSpan[] }[]
  /** For these there was no room. */
  leftOut: ReadonlySet<string>
  warnings: string[]
}

/** These traces in their order, whole, as long as they have room for their spans together; a first one that has not is cut. */
export async function readTraces(store: Store, ids: readonly string[]): Promise<ReadTraces> {
  const sizes = ids.length > 1 ? await countSpansOf(store, ids) : new Map(ids.map((id) => [id, 1]))
  const chosen: string[] = []
  const leftOut = new Set<string>()
  let room = spansMax
  for (const id of ids) {
    const size = sizes.get(id)
    if (size === undefined) continue
    if (size > room && chosen.length > 0) leftOut.add(id)
    else {
      chosen.push(id)
      room -= size
    }
  }
  if (chosen.length === 0) return { traces: [], leftOut, warnings: [] }
  const { spans, truncated } = await readSpans(store, chosen)
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId)
  return {
    traces: chosen.flatMap((traceId) => {
      const own = byTrace.get(traceId)
      return own === undefined ? [] : [{ traceId, spans: own }]
    }),
    leftOut,
    warnings: truncated
      ? [`This is cut: at most ${spansMax} spans and ${exceptionsMax} exceptions of the log are shown`]
      : [],
  }
}
