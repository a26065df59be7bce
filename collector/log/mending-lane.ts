import type { Desk, Lane, Waiting, Work } from './desk.ts'
import { DamagedRecord } from './errors.ts'
import { Halves, pathAfter } from './halves.ts'
import type { Position } from './progress.ts'
import { startOf } from './whole-insert.ts'

/** The block at work. */
interface Mended {
  waiting: Waiting
  meta: unknown
  halves: Halves
  inserts: number
  /** Why ClickHouse refused the rows that went to quarantine. */
  cause: unknown
}

/**
 * Batches of one signal that ClickHouse refused, block by block and then by halves, so that what can be stored is stored
 * and only the rows that spoil it go to quarantine. Each piece has a token of its own, made of the batch's and its path,
 * and the path is on disk before the piece is inserted: a crash in the middle repeats one piece.
 */
export class MendingLane implements Lane {
  readonly #desk: Desk
  readonly #works: Work[] = []
  #mended: Mended | undefined

  constructor(desk: Desk) {
    this.#desk = desk
  }

  get hasRoom(): boolean {
    return this.#works.length < this.#desk.limits.mendingBatchesMax
  }

  /** Takes a refused batch over, if there is room. */
  take(work: Work): boolean {
    if (!this.hasRoom) return false
    this.resume(work)
    return true
  }

  /** Takes a batch that was in pieces already when the log was left. */
  resume(work: Work): void {
    for (const waiting of work.blocks) this.#desk.release(waiting)
    this.#works.push({ ...work, failures: 0, dueAtMs: 0 })
  }

  waiting(): Waiting[] {
    return this.#works.flatMap(({ blocks }) => blocks)
  }

  dueAtMs(): number {
    return this.#works[0]?.dueAtMs ?? Infinity
  }

  async step(): Promise<void> {
    const [work] = this.#works
    if (work === undefined) return
    const mended = (this.#mended ??= await this.#load(work))
    if (mended === undefined || this.#desk.isStopped) return
    const position = this.#positionIn(work)
    const piece = mended.halves.at(position.path)
    if (piece === undefined) {
      // The path is from an earlier life, and the block is not halved today as it was then.
      await this.#refuse(work, { mended, position, cause: new Error('Cannot halve the block as before') })
      return
    }
    const { token, signal } = work.batch
    const answer = await this.#desk.insert({
      token: `${token}/${position.sequence}${position.path && `.${position.path}`}`,
      signal,
      blocks: [piece.block],
      rows: piece.rows,
      metas: [mended.meta],
      piece: pieceAt(position.path),
    })
    if (this.#desk.isStopped) return
    switch (answer.kind) {
      case 'stored':
        work.failures = 0
        this.#goOn(work, { mended, position: { ...position, storedRows: position.storedRows + piece.rows } })
        return
      case 'away':
        this.#desk.retry(work, answer.cause)
        return
      case 'unstorable':
        work.failures = 0
        mended.inserts += 1
        if (mended.inserts < this.#desk.limits.mendingInsertsMax && mended.halves.halve(position.path)) {
          work.batch.position = { ...position, path: `${position.path}0` }
        } else await this.#refuse(work, { mended, position, cause: answer.cause })
    }
  }

  #positionIn(work: Work): Position {
    const { position } = work.batch
    // The block of a position that was saved may be lost meanwhile.
    const isHere = position !== undefined && position.sequence === work.blocks[0]?.ref.sequence
    return (work.batch.position = isHere ? position : startOf(work.blocks))
  }

  async #load(work: Work): Promise<Mended | undefined> {
    const [waiting] = work.blocks
    if (waiting === undefined) return undefined
    try {
      const { meta, payload } = await this.#desk.log.read(waiting.ref)
      const halves = new Halves({ block: payload, rows: waiting.ref.rows }, this.#desk.split)
      return { waiting, meta, halves, inserts: 0, cause: undefined }
    } catch (cause) {
      if (cause instanceof DamagedRecord) {
        await this.#desk.lose(waiting, cause)
        this.#leave(work)
      } else this.#desk.retry(work, cause)
      return undefined
    }
  }

  /** The rows at the position go to quarantine. */
  async #refuse(
    work: Work,
    { mended, position, cause }: { mended: Mended; position: Position; cause: unknown },
  ): Promise<void> {
    const { signal } = work.batch
    const { sequence, path } = position
    const piece = mended.halves.at(path) ?? mended.halves.at('')
    if (piece === undefined) return
    const rows = mended.halves.at(path) === undefined ? mended.waiting.ref.rows - position.storedRows : piece.rows
    const why = { signal, sequence, path, rows, error: String(cause) }
    const name = `${signal}-${sequence}${path && `-${path}`}`
    const kept = await this.#desk.log.keepRefused(name, { payload: piece.block, why })
    this.#desk.reports.quarantined({ signal, rows, meta: mended.meta, piece: pieceAt(path), cause, kept })
    mended.cause = cause
    this.#goOn(work, { mended, position: { ...position, quarantinedRows: position.quarantinedRows + rows } })
  }

  /** After a piece: the next one, the next block, or the end. */
  #goOn(work: Work, { mended, position }: { mended: Mended; position: Position }): void {
    const { waiting, meta, halves, cause } = mended
    const { storedRows, quarantinedRows } = position
    halves.drop(position.path)
    const path = storedRows + quarantinedRows >= waiting.ref.rows ? undefined : pathAfter(position.path)
    if (path !== undefined) {
      work.batch.position = { ...position, path }
      return
    }
    if (storedRows > 0) this.#desk.reports.stored({ signal: work.batch.signal, rows: storedRows, metas: [meta] })
    const fate = quarantinedRows > 0 ? { kind: 'quarantined' as const, rows: quarantinedRows, cause } : undefined
    this.#desk.settle(waiting, fate ?? { kind: 'stored' })
    this.#leave(work)
  }

  #leave(work: Work): void {
    this.#mended = undefined
    work.blocks.shift()
    if (work.blocks.length > 0) work.batch.position = startOf(work.blocks)
    else {
      this.#works.shift()
      this.#desk.log.end(work.batch)
    }
    this.#desk.saveSoon()
  }
}

/** Pieces go in order, so the first of a block has no turn to the right in its path. */
function pieceAt(path: string): { isFirst: boolean } {
  return { isFirst: !path.includes('1') }
}
