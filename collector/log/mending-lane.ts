import type { Desk, Lane, Waiting, Work } from './desk.ts'
import { Halves, pathAfter } from './halves.ts'
import { loadBlocks, readAgainAfterMs } from './loading.ts'
import type { Batch, Position } from './progress.ts'
import { goInPieces, insertWhole, startOf } from './whole-insert.ts'

/** A batch that is being mended, with what is known of the block that it is at. */
interface Case extends Work {
  /** Pieces of the block that did not go in. */
  inserts: number
  /** Why ClickHouse refused the rows that went to quarantine. */
  cause: unknown
}

/** The block at work. */
interface Mended {
  waiting: Waiting
  meta: unknown
  halves: Halves
}

/**
 * Batches of one signal that do not go in. Those that ClickHouse refused go block by block and then by halves, so that what
 * can be stored is stored and only the rows that spoil it go to quarantine. Each piece has a token of its own, made of the
 * batch's and its path, and the path is on disk before the piece is inserted: a crash in the middle repeats one piece.
 *
 * Those that failed again and again are repeated whole, under their token, for ClickHouse may be away and may have them
 * already. Only when it takes others before each of so many failures are they, and then their pieces, treated as refused;
 * rows are given up only when those others were of the same signal. Should an insert have been stored although no answer
 * ever said so, its spans come twice, which settling and queries take once.
 */
export class MendingLane implements Lane {
  readonly #desk: Desk
  readonly #cases: Case[] = []
  #mended: Mended | undefined
  /** While ClickHouse seems to be away, one of the batches asks for all. */
  #restsUntilMs = 0

  constructor(desk: Desk) {
    this.#desk = desk
  }

  get hasRoom(): boolean {
    return this.#cases.length < this.#desk.limits.mendingBatchesMax
  }

  /** Takes a batch over, if there is room. */
  take(work: Work): boolean {
    if (!this.hasRoom) return false
    this.add(work)
    return true
  }

  /** Takes a batch that was in pieces already when the log was left. */
  add(work: Work): void {
    for (const waiting of work.blocks) this.#desk.release(waiting)
    this.#cases.push({ ...work, failuresBefore: 0, inserts: 0, cause: undefined })
  }

  waiting(): Waiting[] {
    return this.#cases.flatMap(({ blocks }) => blocks)
  }

  dueAtMs(): number {
    return Math.max(this.#restsUntilMs, Math.min(...this.#cases.map(({ dueAtMs }) => dueAtMs)))
  }

  async step(): Promise<void> {
    const each = this.#next()
    if (each === undefined) return
    if (each.batch.position === undefined) await this.#tryWhole(each)
    else await this.#tryPiece(each)
  }

  /** Whole ones first, one insert may be all that they need; then those that have waited longest. */
  #next(): Case | undefined {
    const nowMs = this.#desk.clock.nowMs()
    const due = this.#cases.filter(({ dueAtMs }) => dueAtMs <= nowMs).toSorted((a, b) => a.dueAtMs - b.dueAtMs)
    return due.find(({ batch }) => batch.position === undefined) ?? due[0]
  }

  async #tryWhole(each: Case): Promise<void> {
    const desk = this.#desk
    const loaded = await loadBlocks(desk, each.blocks)
    if (desk.isStopped) return
    if (loaded === 'late') {
      each.dueAtMs = desk.clock.nowMs() + readAgainAfterMs
      return
    }
    each.blocks = loaded
    try {
      if (loaded.length === 0) desk.log.end(each.batch)
      else if ((await insertWhole(desk, each)) !== 'ended') {
        if (this.#isToBlame(each)) goInPieces(desk, each)
        return
      }
      this.#cases.splice(this.#cases.indexOf(each), 1)
    } finally {
      for (const waiting of loaded) desk.release(waiting)
    }
  }

  async #tryPiece(each: Case): Promise<void> {
    const mended = await this.#load(each)
    if (mended === undefined || this.#desk.isStopped) return
    const position = this.#positionIn(each)
    const piece = mended.halves.at(position.path)
    if (piece === undefined) {
      // The path is from an earlier life, and the block is not halved today as it was then.
      await this.#refuse(each, { mended, position, cause: new Error('Cannot halve the block as before') })
      return
    }
    const { signal } = each.batch
    const answer = await this.#desk.insert({
      token: tokenOf(each.batch, position),
      signal,
      blocks: [piece.block],
      rows: piece.rows,
      metas: [mended.meta],
      piece: { startRow: startRowOf(position) },
    })
    if (this.#desk.isStopped) return
    switch (answer.kind) {
      case 'stored':
        this.#desk.reports.stored({
          signal,
          rows: piece.rows,
          metas: [mended.meta],
          startRow: startRowOf(position),
        })
        this.#goOn(each, { mended, position: { ...position, storedRows: position.storedRows + piece.rows } })
        return
      case 'away':
        this.#desk.retry(each)
        if (!this.#isToBlame(each)) return
        break
      case 'unstorable':
    }
    const { mendingInsertsMax, blamedMax } = this.#desk.limits
    if (each.inserts < mendingInsertsMax && mended.halves.halve(position.path)) {
      each.inserts += 1
      this.#moveTo(each, { ...position, path: `${position.path}0` })
    } else if (answer.kind === 'unstorable' || each.blamedInSignal >= blamedMax) {
      await this.#refuse(each, { mended, position, cause: answer.cause })
    }
  }

  /** ClickHouse does not take this one although it takes others. */
  #isToBlame({ failures, blamed, dueAtMs }: Case): boolean {
    if (failures > 0 && blamed === 0) this.#restsUntilMs = dueAtMs
    return blamed >= this.#desk.limits.blamedMax
  }

  #positionIn({ batch, blocks }: Case): Position {
    const { position } = batch
    // The block of a position that was saved may be lost meanwhile.
    const isHere = position !== undefined && position.sequence === blocks[0]?.ref.sequence
    return (batch.position = isHere ? position : startOf(blocks))
  }

  async #load(each: Case): Promise<Mended | undefined> {
    const [waiting] = each.blocks
    if (waiting === undefined) return undefined
    if (this.#mended?.waiting === waiting) return this.#mended
    this.#mended = undefined
    const loaded = await loadBlocks(this.#desk, [waiting])
    if (loaded === 'late') each.dueAtMs = this.#desk.clock.nowMs() + readAgainAfterMs
    else if (waiting.loaded === undefined) this.#leave(each)
    else {
      const { meta, payload } = waiting.loaded
      const halves = new Halves({ block: Buffer.concat(payload), rows: waiting.ref.rows }, this.#desk.split)
      this.#desk.release(waiting)
      this.#mended = { waiting, meta, halves }
    }
    return this.#mended
  }

  /** The rows at the position go to quarantine. */
  async #refuse(
    each: Case,
    { mended, position, cause }: { mended: Mended; position: Position; cause: unknown },
  ): Promise<void> {
    const { log, reports } = this.#desk
    const { batch } = each
    const { signal } = batch
    const { sequence, path } = position
    const piece = mended.halves.at(path) ?? mended.halves.at('')
    if (piece === undefined) return
    const startRow = startRowOf(position)
    const rowsLeft = mended.waiting.ref.rows - startRow
    const rows = mended.halves.at(path) === undefined ? rowsLeft : piece.rows
    const why = { signal, sequence, path, rows, error: String(cause) }
    const name = `${signal}-${sequence}${path && `-${path}`}`
    const kept = await log.keepRefused(name, { payload: piece.block, why })
    const { meta } = mended
    const token = tokenOf(batch, position)
    // The position goes on only once the loss is in the books.
    await reports.quarantined({ token, signal, rows, meta, piece: { startRow }, cause, kept })
    if (this.#desk.isStopped) return
    each.inserts += 1
    each.cause = cause
    this.#goOn(each, { mended, position: { ...position, quarantinedRows: position.quarantinedRows + rows } })
  }

  /** After a piece: the next one, the next block, or the end. */
  #goOn(each: Case, { mended, position }: { mended: Mended; position: Position }): void {
    const { waiting, halves } = mended
    const { quarantinedRows } = position
    halves.drop(position.path)
    const path = startRowOf(position) >= waiting.ref.rows ? undefined : pathAfter(position.path)
    if (path !== undefined) {
      this.#moveTo(each, { ...position, path })
      return
    }
    const { cause } = each
    this.#desk.settle(
      waiting,
      quarantinedRows > 0 ? { kind: 'quarantined', rows: quarantinedRows, cause } : { kind: 'stored' },
    )
    this.#leave(each)
  }

  #moveTo(each: Case, position: Position): void {
    each.batch.position = position
    Object.assign(each, this.#desk.untried())
  }

  #leave(each: Case): void {
    this.#mended = undefined
    each.blocks.shift()
    each.inserts = 0
    each.cause = undefined
    if (each.blocks.length > 0) this.#moveTo(each, startOf(each.blocks))
    else {
      this.#cases.splice(this.#cases.indexOf(each), 1)
      this.#desk.log.end(each.batch)
    }
    this.#desk.saveSoon()
  }
}

function tokenOf({ token }: Batch, { sequence, path }: Position): string {
  return `${token}/${sequence}${path && `.${path}`}`
}

/** Pieces go in order: all rows before this one are done. */
function startRowOf({ storedRows, quarantinedRows }: Position): number {
  return storedRows + quarantinedRows
}
