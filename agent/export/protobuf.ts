// Protobuf written from its end to its beginning: when the head of a message is due, its length is known, so nothing is
// measured before and nothing moved after. Whoever writes begins with what shall stand last.

/** A message does not fit. */
export class MessageTooLarge extends Error {
  override readonly name = 'MessageTooLarge'
}

const firstBytes = 16_384
/** Shorter texts are cheaper to write one by one than to hand over to native code. */
const nativeCharsMin = 48
/** And fewer bytes to copy so. */
const loopedBytesMax = 128
const [lengthDelimited, fixed64Bits, fixed32Bits] = [2, 1, 5]

/** Bytes that are written again and again. */
export interface KeptBytes {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** A copy of `bytes`. */
export function kept(bytes: Uint8Array): KeptBytes {
  const copy = Uint8Array.from(bytes)
  return { bytes: copy, view: new DataView(copy.buffer) }
}

/** One message at a time, in memory that is used again. */
export class ProtobufWriter {
  readonly #bytesMax: number
  /** The same memory twice: parts of a Buffer cost more than those of a plain array, which cannot write longer texts. */
  #buffer: Buffer
  #bytes: Uint8Array
  #view: DataView
  #at: number
  readonly #double = new Float64Array(1)
  readonly #doubleBytes = new Uint8Array(this.#double.buffer)

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(firstBytes, bytesMax))
    this.#bytes = new Uint8Array(this.#buffer.buffer)
    this.#view = new DataView(this.#buffer.buffer)
    this.#at = this.#bytes.length
  }

  /** Begins a new message. */
  start(): void {
    this.#at = this.#bytes.length
  }

  /** How many bytes are written; what a message began with is the end of a part. */
  get size(): number {
    return this.#bytes.length - this.#at
  }

  /** What is written, until the next message is begun. */
  written(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }

  /** The last part of it, since there were `sizeBefore` bytes. */
  writtenSince(sizeBefore: number): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#bytes.length - sizeBefore)
  }

  /** Bytes that are whole fields, four at a time: that many one by one would cost as much as all else. */
  raw({ bytes, view }: KeptBytes): void {
    const { length } = bytes
    this.#room(length)
    this.#at -= length
    const at = this.#at
    if (length > loopedBytesMax) {
      this.#bytes.set(bytes, at)
      return
    }
    const target = this.#view
    const words = length & ~3
    let index = 0
    for (; index < words; index += 4) target.setUint32(at + index, view.getUint32(index))
    for (; index < length; index += 1) target.setUint8(at + index, view.getUint8(index))
  }

  /** A field whose contents were written since there were `sizeBefore` bytes. */
  message(field: number, sizeBefore: number): void {
    const length = this.size - sizeBefore
    if (length < 0x80 && field < 16 && this.#at > 1) {
      this.#at -= 2
      this.#bytes[this.#at] = field * 8 + lengthDelimited
      this.#bytes[this.#at + 1] = length
      return
    }
    this.varint(length)
    this.varint(field * 8 + lengthDelimited)
  }

  uint(field: number, value: number): void {
    this.varint(value)
    this.varint(field * 8)
  }

  text(field: number, text: string): void {
    const sizeBefore = this.size
    this.#utf8(text)
    this.message(field, sizeBefore)
  }

  /** Bytes given as hex digits in lower case. */
  hex(field: number, digits: string): void {
    const count = digits.length >> 1
    this.#room(count)
    this.#at -= count
    const bytes = this.#bytes
    const at = this.#at
    for (let index = 0; index < count; index += 1) {
      const high = digitValues[digits.charCodeAt(2 * index)] as number
      const low = digitValues[digits.charCodeAt(2 * index + 1)] as number
      bytes[at + index] = (high << 4) | low
    }
    this.varint(count)
    this.varint(field * 8 + lengthDelimited)
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#at -= bytes.length
    this.#bytes.set(bytes, this.#at)
    this.varint(bytes.length)
    this.varint(field * 8 + lengthDelimited)
  }

  double(field: number, value: number): void {
    this.#room(8)
    this.#at -= 8
    this.#double[0] = value
    for (let index = 0; index < 8; index += 1) this.#bytes[this.#at + index] = this.#doubleBytes[index] as number
    this.varint(field * 8 + fixed64Bits)
  }

  /** `high * 2^32 + low`. */
  fixed64(field: number, high: number, low: number): void {
    this.#word(high)
    this.#word(low)
    this.varint(field * 8 + fixed64Bits)
  }

  fixed32(field: number, value: number): void {
    this.#word(value)
    this.varint(field * 8 + fixed32Bits)
  }

  /** A signed integer of 64 bits; a negative one takes ten bytes. */
  int64(field: number, value: bigint): void {
    const digits: number[] = []
    let rest = BigInt.asUintN(64, value)
    do {
      digits.push(Number(rest & 127n))
      rest >>= 7n
    } while (rest > 0n)
    this.#room(digits.length)
    this.#at -= digits.length
    for (const [index, digit] of digits.entries()) {
      this.#bytes[this.#at + index] = index < digits.length - 1 ? digit | 128 : digit
    }
    this.varint(field * 8)
  }

  /** An unsigned integer below 2^53, without a tag. */
  varint(value: number): void {
    this.#room(8)
    const bytes = this.#bytes
    if (value < 0x80) {
      this.#at -= 1
      bytes[this.#at] = value
    } else if (value < 0x4000) {
      this.#at -= 2
      bytes[this.#at] = (value & 127) | 128
      bytes[this.#at + 1] = value >> 7
    } else {
      let count = 1
      for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) count += 1
      this.#at -= count
      let rest = value
      for (let index = 0; index < count; index += 1) {
        bytes[this.#at + index] = (rest % 128) | (index < count - 1 ? 128 : 0)
        rest = Math.floor(rest / 128)
      }
    }
  }

  #word(value: number): void {
    this.#room(4)
    this.#at -= 4
    const bytes = this.#bytes
    bytes[this.#at] = value & 255
    bytes[this.#at + 1] = (value >>> 8) & 255
    bytes[this.#at + 2] = (value >>> 16) & 255
    bytes[this.#at + 3] = (value >>> 24) & 255
  }

  #utf8(text: string): void {
    const chars = text.length
    this.#room(chars)
    if (chars < nativeCharsMin) {
      const start = this.#at - chars
      const bytes = this.#bytes
      let all = 0
      for (let index = 0; index < chars; index += 1) {
        const code = text.charCodeAt(index)
        all |= code
        bytes[start + index] = code
      }
      if (all < 0x80) {
        this.#at = start
        return
      }
    }
    const length = Buffer.byteLength(text)
    this.#room(length)
    this.#at -= length
    this.#buffer.write(text, this.#at, length, 'utf8')
  }

  /** Makes place before what is written. */
  #room(bytes: number): void {
    if (this.#at < bytes) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    const needed = this.size + bytes
    if (needed > this.#bytesMax) throw new MessageTooLarge(`A message has more than ${this.#bytesMax} bytes`)
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, Math.max(needed, 2 * this.#bytes.length)))
    this.#buffer.copy(larger, larger.length - this.size, this.#at)
    this.#at = larger.length - this.size
    this.#buffer = larger
    this.#bytes = new Uint8Array(larger.buffer)
    this.#view = new DataView(larger.buffer)
  }
}

/** What a hex digit stands for, by its character code; anything else is a zero. */
const digitValues = new Uint8Array(256)
for (let value = 0; value < 16; value += 1) digitValues[value.toString(16).charCodeAt(0)] = value
