import type { Desk, Waiting } from './desk.ts'
import { DamagedRecord } from './errors.ts'

/** How long to wait when the log cannot be read for a reason that may pass. */
export const readAgainAfterMs = 1_000

/** Reads blocks back; what is missing from the result is lost. `late` when the log cannot be read now: then nothing is. */
export async function loadBlocks(desk: Desk, blocks: readonly Waiting[]): Promise<Waiting[] | 'late'> {
  const loaded: Waiting[] = []
  const damaged: [Waiting, DamagedRecord][] = []
  for (const waiting of blocks) {
    try {
      const { meta, payload } = await desk.log.read(waiting.ref)
      waiting.loaded = { meta, payload: [payload] }
      loaded.push(waiting)
    } catch (cause) {
      if (cause instanceof DamagedRecord) {
        damaged.push([waiting, cause])
        continue
      }
      for (const each of loaded) desk.release(each)
      desk.reports.troubled(cause)
      return 'late'
    }
  }
  for (const [waiting, cause] of damaged) await desk.lose(waiting, cause)
  return loaded
}
