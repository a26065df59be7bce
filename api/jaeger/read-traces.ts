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
  if (ids.length === 0) return { traces: [], leftOut: new Set(), warnings: [] }
  // Nearly always there is room for all, and counting them would cost as much as reading them.
  const all = await readSpans(store, ids)
  if (!all.truncated || ids.length === 1) return { ...byTrace(ids, all), leftOut: new Set() }
  const { chosen, leftOut } = choose(ids, await countSpansOf(store, ids))
  return { ...byTrace(chosen, await readSpans(store, chosen)), leftOut }
}

/** Which traces have room; those without spans are neither. */
function choose(ids: readonly string[], sizes: ReadonlyMap<string, number>) {
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
  return { chosen, leftOut }
}

function byTrace(
  ids: readonly string[],
  { spans, truncated }: { spans: StoredSpan[]; truncated: boolean },
): Pick<ReadTraces, 'traces' | 'warnings'> {
  const groups = Map.groupBy(spans, ({ traceId }) => traceId)
  return {
    traces: ids.flatMap((traceId) => {
      const own = groups.get(traceId)
      return own === undefined ? [] : [{ traceId, spans: own }]
    }),
    warnings: truncated
      ? [`This is cut: at most ${spansMax} spans and ${exceptionsMax} exceptions of the log are shown`]
      : [],
  }
}
