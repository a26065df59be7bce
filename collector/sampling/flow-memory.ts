// Which runs have shown trouble lately: their later spans are kept with them. Two generations take turns, so that what is
// forgotten is the oldest and nothing is ever searched for it.

/** Runs that are remembered together, at most; 2 MiB of hashes. */
export const remembered = { runsMax: 100_000, turnMs: 120_000 }

const slots = 1 << 17

interface Generation {
  /** Open addressing, high and low half side by side; both 0 is free. */
  readonly hashes: Int32Array
  size: number
}

/** A set of flow hashes that forgets: each is known for two to four minutes, or shorter when more than its bound come. */
export class FlowMemory {
  /** Runs that were forgotten before their time, since too many others came. */
  forgottenEarly = 0
  readonly #runsMax: number
  #young = emptyGeneration()
  #old = emptyGeneration()
  #turnedMs = -Infinity

  constructor(runsMax = remembered.runsMax) {
    this.#runsMax = Math.min(runsMax, remembered.runsMax)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Lets time pass. */
  advance(nowMs: number): void {
    const elapsedMs = nowMs - this.#turnedMs
    // A clock that was set back begins a turn anew.
    if (elapsedMs >= 0 && elapsedMs < remembered.turnMs) return
    if (elapsedMs >= 2 * remembered.turnMs) this.#turn()
    this.#turn()
    this.#turnedMs = nowMs
  }

  remember(high: number, low: number): void {
    const { hashes } = this.#young
    const own = low === 0 && high === 0 ? 1 : low
    const slot = slotOf(hashes, high, own)
    if (hashes[slot] === high && hashes[slot + 1] === own) return
    hashes[slot] = high
    hashes[slot + 1] = own
    this.#young.size += 1
    if (this.#young.size * 2 < this.#runsMax) return
    this.forgottenEarly += this.#old.size
    this.#turn()
  }

  knows(high: number, low: number): boolean {
    const own = low === 0 && high === 0 ? 1 : low
    return isIn(this.#young, high, own) || isIn(this.#old, high, own)
  }

  #turn(): void {
    const forgotten = this.#old
    this.#old = this.#young
    if (forgotten.size > 0) forgotten.hashes.fill(0)
    forgotten.size = 0
    this.#young = forgotten
  }
}

function emptyGeneration(): Generation {
  return { hashes: new Int32Array(2 * slots), size: 0 }
}

function isIn({ hashes, size }: Generation, high: number, low: number): boolean {
  if (size === 0) return false
  const slot = slotOf(hashes, high, low)
  return hashes[slot] === high && hashes[slot + 1] === low
}

/** Where the hash is, or would be. A generation is never more than half full. */
function slotOf(hashes: Int32Array, high: number, low: number): number {
  let slot = low & (slots - 1)
  for (;;) {
    const [at, next] = [2 * slot, 2 * slot + 1]
    if ((hashes[at] === high && hashes[next] === low) || (hashes[at] === 0 && hashes[next] === 0)) return at
    slot = (slot + 1) & (slots - 1)
  }
}
