// The bytes of a column as ClickHouse's Native format has them, growing as rows come. Writers ask for room once and then
// write without further checks: they are the hot path of the collector.

/** The first size of a column that holds something; most columns of most blocks fit. */
const firstBytes = 4_096

/** Bytes that grow at the end. `bytes` is longer than what is written: `length` says how much is. */
export class ByteColumn {
  bytes: Uint8Array
  length = 0

  #view: DataView | undefined

  constructor(bytes: Uint8Array = new Uint8Array(firstBytes)) {
    this.bytes = bytes
  }

  /** Makes room for so many bytes more. What `bytes` was before may be another array afterwards. */
  reserve(more: number): void {
    if (this.length + more > this.bytes.length) this.#grow(this.length + more)
  }

  /** A view of `bytes`, as they are now. */
  get view(): DataView {
    return (this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length))
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.#view = undefined
  }

  u8(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  u32(value: number): void {
    this.reserve(4)
    this.view.setUint32(this.length, value, true)
    this.length += 4
  }

  /** A 64-bit integer that is below 2^53. */
  u64(value: number): void {
    this.reserve(8)
    const { view } = this
    view.setUint32(this.length, value, true)
    view.setUint32(this.length + 4, value / 0x1_0000_0000, true)
    this.length += 8
  }

  /** An unsigned integer in groups of seven bits, as both ClickHouse and protobuf write lengths. */
  varint(value: number): void {
    this.reserve(5)
    let rest = value
    while (rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.bytes[this.length++] = rest
  }

  /** Bytes as they are. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start
    this.reserve(count)
    // A call costs as much as a short copy.
    if (count > 128) this.bytes.set(source.subarray(start, end), this.length)
    else {
      const { bytes } = this
      let at = this.length
      for (let from = start; from < end; from += 1) bytes[at++] = source[from] as number
    }
    this.length += count
  }

  /** A String value. */
  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.varint(length)
    this.reserve(length)
    asBuffer(this.bytes).write(value, this.length, length, 'utf8')
    this.length += length
  }

  get byteSize(): number {
    return this.length
  }

  /** A String value that is an integer below 2^31, in decimal. */
  digits(value: number): void {
    this.reserve(11)
    let count = 1
    for (let bound = 10; bound <= value && count < 10; bound *= 10) count += 1
    const { bytes } = this
    bytes[this.length] = count
    this.length += count + 1
    let rest = value
    for (let at = this.length - 1; count > 0; count -= 1, at -= 1) {
      const tenth = (rest / 10) | 0
      bytes[at] = 48 + rest - tenth * 10
      rest = tenth
    }
  }

  get memoryBytes(): number {
    return this.length
  }

  /** Lets go of everything; memory beyond `keepBytes` too, so that one large block does not stay for ever. */
  clear(keepBytes: number): void {
    this.length = 0
    if (this.bytes.length <= keepBytes) return
    this.bytes = new Uint8Array(firstBytes)
    this.#view = undefined
  }
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
