import type { Desk, Trial, Work } from './desk.ts'
import type { MendingLane } from './mending-lane.ts'
import { insertWhole } from './whole-insert.ts'

/** How the batch begins that follows. */
type Start = Pick<Trial, 'failuresBefore' | 'dueAtMs'>

export const atOnce: Start = { failuresBefore: 0, dueAtMs: 0 }

/**
 * Tries the batch at the head of a lane. It leaves once it is stored or refused, or has failed often: the next one tells
 * whether ClickHouse is away or only this batch does not go in. Undefined as long as it stays.
 */
export async function tryHead(desk: Desk, mending: MendingLane, work: Work): Promise<Start | undefined> {
  const { batch } = work
  if (batch.position !== undefined) return mending.take(work) ? atOnce : undefined
  switch (await insertWhole(desk, work)) {
    case 'ended':
      return atOnce
    case 'refused':
      return mending.take(work) ? atOnce : undefined
    case 'again': {
      if (desk.isStopped) return undefined
      const { failures, failuresBefore, dueAtMs } = work
      if (failures < desk.limits.failuresMax || !mending.take(work)) {
        desk.note(batch.signal, 'away')
        return undefined
      }
      // Somebody has to be let in for the next try.
      desk.note(batch.signal, 'unknown')
      return { failuresBefore: failuresBefore + failures, dueAtMs }
    }
  }
}
