/** The log has no room: the sender has to come again once ClickHouse has taken what waits. */
export class LogFull extends Error {
  override readonly name = 'LogFull'
}

/** The file system did not take a block. Nothing of it is kept; the next one may go well. */
export class LogBroken extends Error {
  override readonly name = 'LogBroken'
}

/** A record is on disk, but its bytes are not those that were written. */
export class DamagedRecord extends Error {
  override readonly name = 'DamagedRecord'
  /** The writer's note, if that is whole. */
  readonly meta: unknown

  constructor(message: string, { meta, cause }: { meta?: unknown; cause?: unknown } = {}) {
    super(message, { cause })
    this.meta = meta
  }
}
