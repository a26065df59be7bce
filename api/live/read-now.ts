import { type EdgeSummary, readEdges, readIncidents, readRecentEdges, type Store, watermarkMs } from '@headwater/store'
import { type Snapshot, snapshotOf } from './snapshot.ts'

const windowMs = 60_000
const hourMs = 3_600_000
/** Who calls whom changes slowly. */
const hourFreshMs = 30_000
/** Open incidents that are shown beside the map. */
const incidentsMax = 50

/** A function that tells what goes on now. Its answers share what they can: many may ask at once. */
export function nowReader({ store, now }: { store: Store; now: () => number }): () => Promise<Snapshot> {
  let hour: { atMs: number; edges: Promise<EdgeSummary[]> } | undefined
  let reading: Promise<Snapshot> | undefined

  async function read(): Promise<Snapshot> {
    const nowMs = now()
    if (hour === undefined || nowMs - hour.atMs >= hourFreshMs) {
      const edges = readEdges(store, { since: new Date(nowMs - hourMs), until: new Date(nowMs + 60_000) })
      hour = { atMs: nowMs, edges }
      // A reading that failed is not kept.
      edges.catch(() => (hour = undefined))
    }
    const settledMs = await watermarkMs(store.postgres)
    const untilMs = Math.floor(Math.min(nowMs, settledMs ?? nowMs) / 10_000) * 10_000
    const sinceMs = untilMs - windowMs
    const [edges, recent, incidents] = await Promise.all([
      hour.edges,
      readRecentEdges(store, { since: new Date(sinceMs), until: new Date(untilMs) }),
      readIncidents(store, { state: 'open', limit: incidentsMax }),
    ])
    return snapshotOf({ hour: edges, recent, incidents: incidents.items, sinceMs, untilMs, nowMs })
  }

  return () => (reading ??= read().finally(() => (reading = undefined)))
}
