// Protobuf written from its end to its beginning: when the head of a message is due, its length is known, so nothing is
// measured before and nothing moved after. Whoever writes begins with what shall stand last.

const firstBytes = 4_096

/** The bytes of a message, growing towards their beginning. */
export class ProtobufWriter {
  #bytes: Buffer
  /** Where the written bytes begin. */
  #at: number

  constructor(sizeHint = firstBytes) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(sizeHint, firstBytes))
    this.#at = this.#bytes.length
  }

  /** How many bytes are written. */
  get size(): number {
    return this.#bytes.length - this.#at
  }

  /** What is written; nothing may be written afterwards. */
  finish(): Buffer {
    return this.#bytes.subarray(this.#at)
  }

  /** An unsigned integer below 2^53, without a tag. */
  varint(value: number): void {
    if (value < 128) {
      this.#room(1)
      this.#bytes[this.#at] = value
      return
    }
    let count = 1
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) count += 1
    this.#room(count)
    let rest = value
    for (let index = 0; index < count; index += 1) {
      this.#bytes[this.#at + index] = (rest % 128) | (index < count - 1 ? 128 : 0)
      rest = Math.floor(rest / 128)
    }
  }

  /** A field of an integer of 64 bits, signed or not. */
  integer(field: number, value: bigint): void {
    const unsigned = BigInt.asUintN(64, value)
    if (unsigned <= BigInt(Number.MAX_SAFE_INTEGER)) this.varint(Number(unsigned))
    else {
      let count = 1
      for (let rest = unsigned; rest >= 128n; rest >>= 7n) count += 1
      this.#room(count)
      let rest = unsigned
      for (let index = 0; index < count; index += 1) {
        this.#bytes[this.#at + index] = Number(rest & 127n) | (index < count - 1 ? 128 : 0)
        rest >>= 7n
      }
    }
    this.varint(field * 8)
  }

  fixed64(field: number, value: bigint): void {
    this.#room(8)
    this.#bytes.writeBigUInt64LE(value, this.#at)
    this.varint(field * 8 + 1)
  }

  double(field: number, value: number): void {
    this.#room(8)
    this.#bytes.writeDoubleLE(value, this.#at)
    this.varint(field * 8 + 1)
  }

  fixed32(field: number, value: number): void {
    this.#room(4)
    this.#bytes.writeUInt32LE(value, this.#at)
    this.varint(field * 8 + 5)
  }

  bytes(field: number, value: Uint8Array): void {
    const before = this.size
    this.#room(value.length)
    this.#bytes.set(value, this.#at)
    this.message(field, before)
  }

  text(field: number, value: string): void {
    const before = this.size
    const length = Buffer.byteLength(value)
    this.#room(length)
    this.#bytes.write(value, this.#at, length, 'utf8')
    this.message(field, before)
  }

  /** Makes a field of what was written since the size was `sizeBefore`. */
  message(field: number, sizeBefore: number): void {
    this.varint(this.size - sizeBefore)
    this.varint(field * 8 + 2)
  }

  #room(count: number): void {
    if (count > this.#at) {
      const size = this.size
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, size + count))
      this.#bytes.copy(grown, grown.length - size, this.#at)
      this.#bytes = grown
      this.#at = grown.length - size
    }
    this.#at -= count
  }
}
