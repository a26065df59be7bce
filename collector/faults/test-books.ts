// Whether the books add up: received = stored + rejected + shed + duplicate + lost, and pending where something is.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@headwater/store'
import { z } from 'zod'

const fates = ['stored', 'rejected', 'shed', 'duplicate', 'lost'] as const
const outcomes = ['received', ...fates] as const

/** Records by what became of them. */
export type Books = Record<(typeof outcomes)[number] | 'pending', number>

/** What a Prometheus text says, by key and signal. */
export function booksOf(metricsText: string): Map<string, Books> {
  const books = new Map<string, Books>()
  for (const line of metricsText.split('\n')) {
    const [, name, labelText = '', value] =
      /^(headwater_ingest_(?:records_total|pending_records))\{(.*)\} (\S+)$/.exec(line) ?? []
    if (name === undefined) continue
    const labels = Object.fromEntries(
      [...labelText.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]),
    )
    const outcome = name.endsWith('pending_records') ? 'pending' : z.enum(outcomes).parse(labels['outcome'])
    add(books, { key: labels['key'] ?? '', signal: labels['signal'] ?? '' }, { outcome, records: Number(value) })
  }
  return books
}

/** What ClickHouse has of all collectors' books. */
export async function readBooks(store: Store): Promise<Map<string, Books>> {
  const answer = await store.clickhouse.query({
    query: `SELECT Key AS key, Signal AS signal, Outcome AS outcome, sum(Records) AS records FROM collector_ledger GROUP BY key, signal, outcome`,
    format: 'JSONEachRow',
  })
  const row = z.object({ key: z.string(), signal: z.string(), outcome: z.enum(outcomes), records: z.coerce.number() })
  const books = new Map<string, Books>()
  for (const { key, signal, outcome, records } of z.array(row).parse(await answer.json())) {
    add(books, { key, signal }, { outcome, records })
  }
  return books
}

function add(
  books: Map<string, Books>,
  { key, signal }: { key: string; signal: string },
  { outcome, records }: { outcome: keyof Books; records: number },
): void {
  const name = `${signal} of "${key}"`
  const sums = books.get(name) ?? emptyBooks()
  sums[outcome] += records
  books.set(name, sums)
}

function emptyBooks(): Books {
  return { received: 0, stored: 0, rejected: 0, shed: 0, duplicate: 0, lost: 0, pending: 0 }
}

/** All keys and signals together. */
export function sumOf(books: ReadonlyMap<string, Books>): Books {
  const sums = emptyBooks()
  for (const each of books.values())
    for (const outcome of [...outcomes, 'pending'] as const) sums[outcome] += each[outcome]
  return sums
}

/** Where the books do not add up, one line each. */
export function imbalances(books: ReadonlyMap<string, Books>): string[] {
  return [...books].flatMap(([name, sums]) => {
    const explained = fates.reduce((sum, fate) => sum + sums[fate], sums.pending)
    return explained === sums.received
      ? []
      : [`${name}: ${sums.received} received, ${explained} explained by ${JSON.stringify(sums)}`]
  })
}

/** Looks at a living collector's books again and again, whatever happens to it meanwhile. */
export interface BookWatch {
  end(): Promise<{ looks: number; imbalances: string[] }>
}

const lookEveryMs = 100

export function watchBooks(url: string): BookWatch {
  const found = { looks: 0, imbalances: [] as string[] }
  const ending = new AbortController()
  const watching = (async () => {
    while (!ending.signal.aborted) {
      const text = await readMetrics(url).catch(() => undefined)
      if (text !== undefined) {
        found.looks += 1
        found.imbalances.push(...imbalances(booksOf(text)))
      }
      await sleep(lookEveryMs)
    }
  })()
  return {
    async end() {
      ending.abort()
      await watching
      return found
    },
  }
}

export async function readMetrics(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })
  return await response.text()
}

const drainsWithinMs = 120_000

/** Resolves once a collector has nothing pending. */
export async function drained(url: string): Promise<Books> {
  const endsAtMs = performance.now() + drainsWithinMs
  for (let quiet = 0; ;) {
    const books = sumOf(booksOf(await readMetrics(url)))
    quiet = books.pending === 0 ? quiet + 1 : 0
    // What was only noted waits some milliseconds for its block.
    if (quiet === 3) return books
    if (performance.now() > endsAtMs) throw new Error(`${url} does not drain: ${JSON.stringify(books)}`)
    await sleep(50)
  }
}
