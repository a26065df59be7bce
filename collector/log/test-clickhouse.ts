import type { Answer, Clock, Insert } from './desk.ts'

/**
 * Blocks of the tests are lines, a row each; ClickHouse of the tests refuses blocks in which a row ends in `!`, and is away
 * for those in which one ends in `?`. Blocks have memory of their own, as large ones do: what is given back too early is gone.
 */
export function blockOf(rows: readonly string[]): Uint8Array {
  return Uint8Array.from(Buffer.from(rows.map((row) => `${row}\n`).join('')))
}

export function rowsOf(block: Uint8Array): string[] {
  return Buffer.from(block).toString().split('\n').slice(0, -1)
}

export function splitBlock(block: Uint8Array): [Uint8Array, Uint8Array] | undefined {
  const rows = rowsOf(block)
  const half = Math.ceil(rows.length / 2)
  return rows.length < 2 ? undefined : [blockOf(rows.slice(0, half)), blockOf(rows.slice(half))]
}

/** Remembers tokens, as ClickHouse does; may be away, and may store without its answer arriving. */
export class TestClickHouse {
  readonly inserts: string[] = []
  readonly tokens = new Set<string>()
  readonly rows: string[] = []
  awayTimes = 0
  lostAnswers = 0
  refuses: (row: string) => boolean = (row) => row.endsWith('!')
  chokesOn: (row: string) => boolean = (row) => row.endsWith('?')
  #held: Promise<void> | undefined

  /** Inserts wait until what is returned is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    return () => {
      this.#held = undefined
      resolve()
    }
  }

  readonly write = async ({ token, blocks }: Insert): Promise<Answer> => {
    const rows = blocks.flatMap((block) => rowsOf(block))
    this.inserts.push(rows.join(' '))
    await this.#held
    if (this.awayTimes > 0) {
      this.awayTimes -= 1
      return { kind: 'away', cause: new Error('gone') }
    }
    if (!this.tokens.has(token)) {
      if (rows.some((row) => this.chokesOn(row))) return { kind: 'away', cause: new Error('too long') }
      if (rows.some((row) => this.refuses(row))) return { kind: 'unstorable', cause: new Error('bad row') }
      this.tokens.add(token)
      this.rows.push(...rows)
    }
    if (this.lostAnswers === 0) return { kind: 'stored' }
    this.lostAnswers -= 1
    return { kind: 'away', cause: new Error('no answer') }
  }
}

/** Time that passes only when it is told to. */
export class TestClock implements Clock {
  #nowMs = 0
  readonly #isBusy: () => boolean
  readonly #timers = new Map<object, { atMs: number; action: () => void }>()

  /** Time does not pass while the disk is busy: however slow it is, a test runs the same. */
  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, action: () => void): () => void {
    const key = {}
    this.#timers.set(key, { atMs: this.#nowMs + ms, action })
    return () => this.#timers.delete(key)
  }

  /** Lets time pass, and what is due happen, with its reads and writes or in the midst of them. */
  async pass(ms: number, { midst = false } = {}): Promise<void> {
    this.#nowMs += ms
    for (const [key, { atMs, action }] of this.#timers) {
      if (atMs > this.#nowMs) continue
      this.#timers.delete(key)
      action()
    }
    await turn()
    if (midst) return
    while (this.#isBusy()) await turn()
  }

  /** Lets time pass until something has happened. */
  async until<Result>(happened: Promise<Result>): Promise<Result> {
    const progress = { isDone: false }
    const noting = happened.finally(() => {
      progress.isDone = true
    })
    while (!progress.isDone) await this.pass(20)
    return noting
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
