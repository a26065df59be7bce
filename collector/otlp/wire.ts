// Protobuf's wire format, read in place: every length is checked against the message around it, so that no byte beyond is
// ever taken for a part of it. https://protobuf.dev/programming-guides/encoding/

/** The bytes are no protobuf message. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** Groups may be nested; nobody sends any, so this deep is enough to skip them. */
const groupsMax = 100

/** A place in the bytes of a message, and how to read on from there. */
export class Wire {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly buffer: Buffer
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** The low 32 bits of an integer. */
  varint(end: number): number {
    const { bytes } = this
    let at = this.at
    let value = 0
    for (let shift = 0; at < end && shift < 70; shift += 7) {
      const byte = bytes[at++] as number
      if (shift < 32) value |= (byte & 127) << shift
      if (byte < 128) {
        this.at = at
        return value >>> 0
      }
    }
    throw new WireError(at < end ? `an integer at byte ${this.at} is longer than ten bytes` : pastEnd(this.at))
  }

  /** A 64-bit integer. */
  varint64(end: number): bigint {
    const start = this.at
    this.varint(end)
    let value = 0n
    for (let at = this.at - 1; at >= start; at -= 1) value = (value << 7n) | BigInt((this.bytes[at] as number) & 127)
    return BigInt.asIntN(64, value)
  }

  /** The number and the wire type of the field that comes. */
  tag(end: number): number {
    const byte = this.bytes[this.at] as number
    // Fields up to the 15th have one byte, and nearly all are of these.
    if (byte < 128 && this.at < end) {
      this.at += 1
      return byte
    }
    return this.#varint32(end, 'a tag')
  }

  /** Reads the length of a field; it ends where this says, and begins at `at`. */
  fieldEnd(end: number): number {
    const byte = this.bytes[this.at] as number
    let length = byte
    // Lengths below 128 are one byte, and nearly all are.
    if (byte < 128 && this.at < end) this.at += 1
    else length = this.#varint32(end, 'a length')
    const fieldEnd = this.at + length
    if (fieldEnd > end) throw new WireError(`a field of ${length} bytes at byte ${this.at} ends beyond its message`)
    return fieldEnd
  }

  /** Tags and lengths have at most 32 bits in at most five bytes: of a larger one the low bits would be another field. */
  #varint32(end: number, what: string): number {
    const start = this.at
    const value = this.varint(end)
    const count = this.at - start
    if (count > 5 || (count === 5 && (this.bytes[this.at - 1] as number) > 15)) {
      throw new WireError(`${what} at byte ${start} has more than 32 bits`)
    }
    return value
  }

  /** Steps over a fixed number of bytes and says where they began. */
  fixed(count: number, end: number): number {
    const start = this.at
    this.at += count
    if (this.at > end) throw new WireError(pastEnd(start))
    return start
  }

  /** Steps over the field whose tag was read. */
  skip(tag: number, end: number, depth = 0): void {
    if (tag >>> 3 === 0) throw new WireError(`there is no field 0, before byte ${this.at}`)
    switch (tag & 7) {
      case 0:
        this.varint(end)
        return
      case 1:
        this.fixed(8, end)
        return
      case 2:
        this.at = this.fieldEnd(end)
        return
      case 3:
        if (depth === groupsMax) throw new WireError(`groups are nested deeper than ${groupsMax}`)
        for (;;) {
          const inner = this.tag(end)
          if ((inner & 7) === 4) {
            if (inner >>> 3 === tag >>> 3) return
            throw new WireError(`a group ends that did not begin, before byte ${this.at}`)
          }
          this.skip(inner, end, depth + 1)
        }
      case 5:
        this.fixed(4, end)
        return
      default:
        throw new WireError(`wire type ${tag & 7} before byte ${this.at} is none`)
    }
  }
}

function pastEnd(at: number): string {
  return `a value at byte ${at} goes on beyond its message`
}
