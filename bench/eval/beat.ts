import type { Store } from '@headwater/store'

/** A collector lived all the time: what is silent is silent by itself. */
export async function beat(
  store: Store,
  { fromMs, toMs, collectorId }: { fromMs: number; toMs: number; collectorId: string },
): Promise<void> {
  await store.clickhouse.command({
    query: `INSERT INTO collector_heartbeats
      SELECT fromUnixTimestamp64Milli(toInt64({from:Int64} + number * 5000)), {id:String}, 1 FROM numbers({beats:UInt32})`,
    query_params: { from: fromMs, id: collectorId, beats: Math.ceil((toMs - fromMs) / 5_000) },
  })
}
