// Stories of the shop on real engines: spans of eight minutes, settled and judged step by step as the analyzer's loop does.
import { startTestEngines, type TestEngines } from '@headwater/embedded/testing'
import {
  connectStore,
  type Lease,
  migrateClickHouse,
  migratePostgres,
  settleTick,
  type SpanInsert,
  type Store,
  takeLease,
} from '@headwater/store'
import { LastingEffects } from './read-lasting.ts'
import { parameters } from './parameters.ts'
import { settleRules } from './start.ts'
import { step, type StepReport } from './step.ts'
import { type FaultTime, type ShopFault, type ShopRun, shopTime } from './test-shop.ts'

// Five healthy minutes of the past, a minute of trouble, and what comes after.
const startMs = Math.floor((Date.now() - 900_000) / 10_000) * 10_000
export const endS = 480
export const faultS = { from: 300, to: 360 }

export const msAt = (second: number): number => startMs + second * 1_000
export const secondOf = (rfc3339: string): number => (Date.parse(rfc3339) - startMs) / 1_000

export function during(fault: ShopFault): FaultTime {
  return { fault, fromMs: msAt(faultS.from), toMs: msAt(faultS.to) }
}

interface Told {
  faults?: FaultTime[]
  collectorIsAlive?: boolean
  seed?: number
  /** When version 2.0.0 of payments came; both of its instances had 1.0.0 before. */
  deployedS?: number
  /** So many more healthy seconds before. */
  earlierS?: number
  /** What happens to spans on their way. */
  spoil?: (spans: SpanInsert[]) => SpanInsert[]
}

const written = [
  'otel_traces',
  'settled_spans',
  'settled_flows',
  'settled_tree',
  'chain_dependency_events',
  'chain_health_metrics',
  'chain_health_metrics_10s',
  'chain_execution_traces',
  'chain_anomalies',
  'incident_events',
  'collector_heartbeats',
]

export class Stories {
  readonly store: Store
  readonly lease: Lease
  readonly #engines: TestEngines
  #tick = 0
  #settledS = 0

  private constructor(engines: TestEngines, store: Store, lease: Lease) {
    this.#engines = engines
    this.store = store
    this.lease = lease
  }

  static async start(): Promise<Stories> {
    const engines = await startTestEngines()
    const store = connectStore(engines)
    await Promise.all([migrateClickHouse(engines.clickhouseUrl), migratePostgres(store.postgres)])
    const lease = await takeLease(store.postgres, { holder: 'test', ttlMs: 3_600_000 })
    if (lease === undefined) throw new Error('Cannot take the lease')
    return new Stories(engines, store, lease)
  }

  async stop(): Promise<void> {
    await this.store.close()
    await this.#engines.stop()
  }

  async forget(): Promise<void> {
    for (const table of written) await this.store.clickhouse.command({ query: `TRUNCATE TABLE ${table}` })
    await this.store.postgres.deleteFrom('incidents').execute()
    await this.store.postgres.deleteFrom('changes').execute()
  }

  /** A story of the shop in the store, of which nothing is settled yet. */
  async receive({
    faults = [],
    collectorIsAlive = true,
    seed = 1,
    deployedS = 0,
    earlierS = 0,
    spoil = (spans) => spans,
  }: Told = {}): Promise<ShopRun[]> {
    const { spans, runs } = shopTime({ fromMs: msAt(-earlierS), toMs: msAt(endS), faults, seed })
    if (earlierS > 0) this.#settledS = -earlierS
    for (const { Timestamp, ResourceAttributes } of spans) {
      if (ResourceAttributes?.['service.version'] === '2.0.0' && Number(Timestamp) * 1_000 < msAt(deployedS))
        ResourceAttributes['service.version'] = '1.0.0'
    }
    await this.store.clickhouse.insert({ table: 'otel_traces', format: 'JSONEachRow', values: spoil(spans) })
    if (!collectorIsAlive) return runs
    const beats = Array.from({ length: endS / 5 }, (_, i) => ({
      At: (msAt(i * 5) / 1_000).toFixed(3),
      Collector: 'test',
      SpansReceived: i,
    }))
    await this.store.clickhouse.insert({ table: 'collector_heartbeats', format: 'JSONEachRow', values: beats })
    return runs
  }

  /** As if the collector had died, and its spans had never come. */
  async keepOnly({ untilS }: { untilS: number }): Promise<void> {
    const later = `>= fromUnixTimestamp64Milli(${msAt(untilS)})`
    await this.store.clickhouse.command({ query: `DELETE FROM otel_traces WHERE ReceivedAt ${later}` })
    await this.store.clickhouse.command({ query: `DELETE FROM collector_heartbeats WHERE At ${later}` })
  }

  /** Settles what came up to a second. */
  async settle(untilS: number): Promise<void> {
    if (untilS - parameters.lagMs / 1_000 < this.#settledS) this.#settledS = 0
    this.#tick += 1
    await settleTick(this.store, { tick: this.#tick, fromMs: msAt(this.#settledS), toMs: msAt(untilS) }, settleRules)
    this.#settledS = untilS
  }

  /** Settles as the loop does, so far ahead of the step, then judges it. */
  async judge(second: number, lasting = new LastingEffects(this.store)): Promise<StepReport> {
    await this.settle(second + parameters.lagMs / 1_000)
    return await step(this.store, this.lease, msAt(second), { lasting })
  }

  async rows(query: string): Promise<unknown[]> {
    return await (await this.store.clickhouse.query({ query, format: 'JSONEachRow' })).json()
  }
}
