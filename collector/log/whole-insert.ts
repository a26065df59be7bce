import { giveBack } from '../give-back.ts'
import type { Desk, Waiting, Work } from './desk.ts'

/** What becomes of the batch next: nothing, the same again, or it has to be inserted in pieces. */
export type Outcome = 'ended' | 'again' | 'refused'

/** Tries to insert a batch as it is; its blocks are loaded. */
export async function insertWhole(desk: Desk, work: Work): Promise<Outcome> {
  const { batch, blocks } = work
  const loaded = blocks.flatMap((waiting) => waiting.loaded ?? [])
  const rows = blocks.reduce((sum, { ref }) => sum + ref.rows, 0)
  const metas = loaded.map(({ meta }) => meta)
  const { token, signal } = batch
  const answer = await desk.insert({ token, signal, blocks: loaded.flatMap(({ payload }) => payload), rows, metas })
  if (desk.isStopped) return 'again'
  switch (answer.kind) {
    case 'stored':
      for (const waiting of blocks) desk.settle(waiting, { kind: 'stored' })
      desk.log.end(batch)
      desk.reports.stored({ signal, rows, metas })
      // An insert that failed before may have left a socket that is not closed yet.
      if (work.failures === 0) for (const { payload } of loaded) for (const part of payload) giveBack(part)
      desk.saveSoon()
      return 'ended'
    case 'away':
      desk.retry(work)
      return 'again'
    case 'unstorable':
      goInPieces(desk, work)
      return 'refused'
  }
}

/** Never as a whole again, also not after a crash: some of it may be stored by then. */
export function goInPieces(desk: Desk, work: Work): void {
  work.batch.position = startOf(work.blocks)
  Object.assign(work, desk.untried())
}

/** Where a batch begins that goes in pieces: its first block, whole. */
export function startOf([first]: readonly Waiting[]): NonNullable<Work['batch']['position']> {
  return { sequence: first?.ref.sequence ?? 0, path: '', storedRows: 0, quarantinedRows: 0 }
}
