/** More attributes, events or links of one thing are dropped, and counted with those that the SDK dropped. */
export const placesMax = 8_192

/** Where the repeated parts of a message are. Kept from message to message. */
export class Places {
  starts = new Int32Array(64)
  ends = new Int32Array(64)
  count = 0
  /** Parts above the bound. */
  dropped = 0

  clear(): void {
    this.count = 0
    this.dropped = 0
  }

  /** How many bytes the parts have together. */
  get bytes(): number {
    let bytes = 0
    for (let at = 0; at < this.count; at += 1) bytes += (this.ends[at] as number) - (this.starts[at] as number)
    return bytes
  }

  add(start: number, end: number): void {
    const at = this.count
    if (at === this.starts.length) {
      if (at === placesMax) {
        this.dropped += 1
        return
      }
      this.starts = doubled(this.starts)
      this.ends = doubled(this.ends)
    }
    this.starts[at] = start
    this.ends[at] = end
    this.count = at + 1
  }
}

function doubled(places: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const twice = new Int32Array(places.length * 2)
  twice.set(places)
  return twice
}
