// A block that ClickHouse refuses is halved until the rows that spoil it stand alone. A path names a piece: '' is the
// block, '0' its first half, '01' the second half of that. Pieces go in order, so a path says all: the pieces before it
// are done, those that contain it were refused. After a crash the path alone leads back to where the work was.

/** Halves a Native block by rows, the first half with one more if they are odd; undefined for a single row. */
export type Split = (block: Uint8Array) => [Uint8Array, Uint8Array] | undefined

export interface Piece {
  block: Uint8Array
  rows: number
}

/** The piece after the one at `path` and all that it contains; undefined when that was the last. */
export function pathAfter(path: string): string | undefined {
  const turn = path.lastIndexOf('0')
  return turn === -1 ? undefined : `${path.slice(0, turn)}1`
}

/** The pieces of one block that are still needed: never more than the path is long, and one. */
export class Halves {
  readonly #split: Split
  readonly #whole: Piece
  readonly #pieces = new Map<string, Piece>()

  constructor(whole: Piece, split: Split) {
    this.#split = split
    this.#whole = whole
    this.#pieces.set('', whole)
  }

  /** The piece at a path; undefined when the block cannot be halved that way. */
  at(path: string): Piece | undefined {
    if (!this.#pieces.has(path)) {
      this.#pieces.clear()
      this.#pieces.set('', this.#whole)
      for (let length = 0; length < path.length; length += 1) if (!this.halve(path.slice(0, length))) return undefined
    }
    return this.#pieces.get(path)
  }

  /** Puts the halves in the place of a piece; false when it is a single row. */
  halve(path: string): boolean {
    const piece = this.#pieces.get(path)
    const halves = piece && piece.rows > 1 ? this.#splitOrNot(piece.block) : undefined
    if (piece === undefined || halves === undefined) return false
    const rows = Math.ceil(piece.rows / 2)
    this.#pieces.delete(path)
    this.#pieces.set(`${path}0`, { block: halves[0], rows })
    this.#pieces.set(`${path}1`, { block: halves[1], rows: piece.rows - rows })
    return true
  }

  /** Bytes that are no block at all cannot be halved either. */
  #splitOrNot(block: Uint8Array): [Uint8Array, Uint8Array] | undefined {
    try {
      return this.#split(block)
    } catch {
      return undefined
    }
  }

  /** Lets go of a piece that is done. */
  drop(path: string): void {
    this.#pieces.delete(path)
  }
}
