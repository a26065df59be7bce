// Watches the busiest flows against their seasons, once a minute. All that it knows is in memory, and read again from the states of
// minutes when the analyzer starts.
import {
  type EntryCounts,
  type EntryOperation,
  readBusiestEntries,
  readEntryCounts,
  type Store,
  type TimeRange,
} from '@headwater/store'
import type { Finding } from './detect.ts'
import { FlowSeason, type SlotCounts, type ToldView } from './flow-season.ts'
import { parameters } from './parameters.ts'
import { operationKey } from './picture.ts'
import { benjaminiHochberg } from './stats/benjamini-hochberg.ts'

const minuteMs = 60_000
const { seasons } = parameters

/** What departs from its season, as of the end of a minute. */
export interface Seasonal {
  findings: Finding[]
  /** Whether flows could be judged; not while the past is read, while no collector lives, or when an engine failed. */
  isJudged: boolean
  /** How many flows are watched, and how many were too many. */
  watched: number
  leftOut: number
  /** Why they could not be judged. */
  failure?: string
}

/** Flows that are watched, and what departs from its season. */
export class Seasons {
  readonly #store: Store
  readonly #pieceMs: number
  #flows = new Map<string, FlowSeason>()
  #leftOut = 0
  /** When the flows were chosen last. */
  #chosenMs: number | undefined
  /** What came before is learned. */
  #learnedMs: number | undefined
  #last: (Seasonal & { toMs: number }) | undefined
  /** Whether there is more of the past to be read. */
  #isBehind = false

  /** `pieceMs` of the past are read at a time. */
  constructor(store: Store, { pieceMs = seasons.pieceMs }: { pieceMs?: number } = {}) {
    this.#store = store
    this.#pieceMs = pieceMs
  }

  /**
   * What departs as of the last whole minute before, and whether nobody has asked for it yet. With no collector alive nothing is said:
   * what is not received is not missing. While the past is read, each call reads a piece of it. It never throws, as small effects that last never do.
   */
  async at(
    atMs: number,
    { collectorWasAlive = true }: { collectorWasAlive?: boolean } = {},
  ): Promise<Seasonal & { isNew: boolean }> {
    const toMs = Math.floor(atMs / minuteMs) * minuteMs
    if (this.#last?.toMs === toMs && !this.#isBehind) return { ...this.#last, isNew: false }
    const found = await this.#judge(toMs, collectorWasAlive).catch((error: unknown) => {
      this.#isBehind = false
      return { findings: [], isJudged: false, failure: error instanceof Error ? error.message : String(error) }
    })
    this.#last = { ...found, toMs, watched: this.#flows.size, leftOut: this.#leftOut }
    return { ...this.#last, isNew: true }
  }

  async #judge(toMs: number, collectorWasAlive: boolean): Promise<{ findings: Finding[]; isJudged: boolean }> {
    if (this.#chosenMs === undefined || toMs - this.#chosenMs >= seasons.chosenForMs) await this.#choose(toMs)
    const slotMs = Math.floor(toMs / seasons.slotMs) * seasons.slotMs
    this.#learnedMs ??= slotMs
    // What came until the last whole slot is learned first; where it is much, in pieces.
    if (this.#learnedMs < slotMs - seasons.slotMs || (this.#learnedMs < slotMs && slotMs !== toMs)) {
      const pieceToMs = Math.min(slotMs, this.#learnedMs + this.#pieceMs)
      await this.#learn({ fromMs: this.#learnedMs, toMs: pieceToMs })
      this.#isBehind = pieceToMs < slotMs
      if (this.#isBehind) return { findings: [], isJudged: false }
    }
    const range = { fromMs: toMs - seasons.slotMs, toMs }
    const counts = await this.#read(range)
    const findings = collectorWasAlive ? this.#follow(range, counts) : []
    if (slotMs === toMs) {
      if (collectorWasAlive) this.#learnSlot(range.fromMs, counts)
      this.#learnedMs = toMs
    }
    return { findings, isJudged: collectorWasAlive }
  }

  /** Whoever is watched already goes on, with all that is known of it, until another is twice as busy. */
  async #choose(toMs: number): Promise<void> {
    const minutesMs = Array.from({ length: seasons.chosenByHours }, (_, hour) => toMs - minuteMs - hour * 60 * minuteMs)
    const { entries, all, firstMs } = await readBusiestEntries(this.#store, {
      minutesMs,
      most: 2 * seasons.flowsMax,
      pastFromMs: toMs - seasons.pastMs,
    })
    const known = this.#flows
    const rank = (entry: EntryOperation & { calls: number }): number => entry.calls * (known.has(keyOf(entry)) ? 2 : 1)
    const chosen = entries.toSorted((a, b) => rank(b) - rank(a)).slice(0, seasons.flowsMax)
    this.#flows = new Map(
      chosen.map((entry) => {
        const key = keyOf(entry)
        return [key, known.get(key) ?? new FlowSeason(entry)]
      }),
    )
    this.#leftOut = all - chosen.length
    this.#chosenMs = toMs
    if (this.#learnedMs !== undefined || firstMs === null) return
    const fromMs = Math.max(firstMs, toMs - seasons.pastMs)
    this.#learnedMs = Math.ceil(fromMs / seasons.slotMs) * seasons.slotMs
  }

  async #read({ fromMs, toMs }: TimeRange): Promise<Map<string, SlotCounts>> {
    const rows = await readEntryCounts(this.#store, { fromMs, toMs, slotMs: toMs - fromMs, entries: this.#entries() })
    return new Map(rows.map((row) => [keyOf(row), row]))
  }

  #entries(): EntryOperation[] {
    return [...this.#flows.values()].map(({ entry }) => entry)
  }

  /** Learns whole slots of the past as if they had been judged one after the other, and tells nothing. */
  async #learn({ fromMs, toMs }: TimeRange): Promise<void> {
    const rows = await readEntryCounts(this.#store, { fromMs, toMs, slotMs: seasons.slotMs, entries: this.#entries() })
    const bySlot = Map.groupBy<number, EntryCounts>(rows, ({ slotMs }) => slotMs)
    for (let slotMs = fromMs; slotMs < toMs; slotMs += seasons.slotMs) {
      const counts = new Map((bySlot.get(slotMs) ?? []).map((row) => [keyOf(row), row]))
      this.#follow({ fromMs: slotMs, toMs: slotMs + seasons.slotMs }, counts)
      this.#learnSlot(slotMs, counts)
    }
    this.#learnedMs = toMs
  }

  /** False discovery is controlled over all series of all flows. */
  #follow({ fromMs, toMs }: TimeRange, counts: ReadonlyMap<string, SlotCounts>): Finding[] {
    const views = [...this.#flows].map(([key, flow]) => ({ flow, views: flow.views(fromMs, counts.get(key) ?? none) }))
    const pValueMax = benjaminiHochberg(
      views.flatMap((one) => one.views.map(({ pValue }) => pValue)),
      seasons.falseDiscoveryRate,
    )
    return views.flatMap((one) =>
      one.flow.follow(toMs, one.views, pValueMax).map((view) => toFinding(one.flow.entry, view, toMs)),
    )
  }

  /** A slot in which nobody called anything is one of which nothing is known. */
  #learnSlot(slotMs: number, counts: ReadonlyMap<string, SlotCounts>): void {
    if (counts.size === 0) return
    for (const [key, flow] of this.#flows) flow.learn(slotMs, counts.get(key) ?? none)
  }
}

const none: SlotCounts = { calls: 0, errors: 0, buckets: 0 }

function keyOf({ service, operation }: EntryOperation): string {
  return operationKey(service, operation)
}

function toFinding({ service, operation }: EntryOperation, view: ToldView, toMs: number): Finding {
  const { aspect, expected, seen, pValue, calls, due, sinceMs } = view
  const common = {
    service,
    operation,
    expected,
    seen,
    pValue,
    calls,
    baselineCalls: Math.round(due),
    excessNs: 0,
    isOfSeason: true as const,
    compared: {
      recent: { fromMs: sinceMs, toMs },
      baseline: { fromMs: toMs - seasons.week.days * dayMs, toMs: sinceMs },
    },
  }
  switch (aspect) {
    case 'traffic':
      return { ...common, signal: 'traffic', unit: 'calls', excessCalls: expected - seen }
    case 'errors':
      return { ...common, signal: 'errors', unit: 'share', excessCalls: (seen - expected) * calls }
    case 'latency':
      return {
        ...common,
        signal: 'latency',
        unit: 'ns',
        excessCalls: calls,
        excessNs: (seen - expected) * calls,
      }
  }
}

const dayMs = 24 * 3_600_000
