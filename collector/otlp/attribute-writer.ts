// Writes attributes straight from the bytes of a request into a column of maps. Nothing is made of them on the way: names
// are looked up by their bytes, texts are copied, and one look at each byte while it is copied tells whether a text is
// UTF-8 as it stands and whether it may hold a secret.

import { isUtf8 } from 'node:buffer'
import type { ByteColumn, Entries, TextTable } from '@headwater/store'
import type { Redaction } from '../redaction/redaction.ts'
import { readAnyValueText } from './any-value-text.ts'
import type { Places } from './places.ts'
import type { Wire } from './wire.ts'

/** What is known of a name: its rule, or that its bytes are no UTF-8. */
const fact = { unknown: 0, keep: 1, drop: 2, hash: 3, mask: 4, repair: 5 } as const

/** Digits count one each; signs that stand in URLs with credentials, in parameters and in JSON count far above them. */
const byteClass = new Uint16Array(256)
for (let digit = 0x30; digit <= 0x39; digit += 1) byteClass[digit] = 1
const sign = 1 << 13
for (const letter of '=@"') byteClass[letter.charCodeAt(0)] = sign
/** So many bytes at a time, or the digits would count as a sign. */
const chunkBytes = sign - 1
/** Up to here a text is copied byte by byte. */
const shortBytes = 256
/** A card number has as many. */
const suspiciousDigits = 13

/** Where the values of attributes of interest ended up in the column's bytes, by their place in the list of names. */
export interface Noted {
  starts: Int32Array
  ends: Int32Array
}

/** Writes attributes into maps whose names are in one table. */
export class AttributeWriter {
  readonly #keys: TextTable
  readonly #redaction: Redaction
  readonly #notedNames: readonly string[]
  readonly noted: Noted
  #wire: Wire
  #facts = new Uint8Array(256)
  /** Place in the list of noted names + 1, by number of the name. */
  #notes = new Uint8Array(256)
  /** The row in which a name was seen last. */
  #seen = new Uint32Array(256)
  readonly #redactsByPattern: boolean
  /** Texts that people and programs write freely may hold what no sign gives away. */
  #looksAtEveryText: boolean
  #row = 0
  #generation = 0
  /** Of the text that was copied last: whether its bytes ask for a second look. */
  #digits = 0
  #hasSign = false
  #highBits = 0
  #hasNotes = false
  #numbers = new Int32Array(64)
  readonly #guesses = new Int32Array(64)

  constructor(keys: TextTable, redaction: Redaction, wire: Wire, notedNames: readonly string[] = []) {
    this.#keys = keys
    this.#redaction = redaction
    this.#redactsByPattern = redaction.looksAtEveryText
    this.#looksAtEveryText = redaction.looksAtEveryText
    this.#wire = wire
    this.#notedNames = notedNames
    this.noted = { starts: new Int32Array(notedNames.length), ends: new Int32Array(notedNames.length) }
    this.#forget()
  }

  /** Turns to another request. */
  begin(wire: Wire): void {
    this.#wire = wire
    if (this.#generation !== this.#keys.generation) this.#forget()
  }

  /** Writes attributes that describe what went wrong: each text is looked at closely. */
  writeFreeRow(map: Entries, places: Places): void {
    this.#looksAtEveryText = true
    try {
      this.writeRow(map, places)
    } finally {
      this.#looksAtEveryText = this.#redactsByPattern
    }
  }

  /** Writes the attributes at these places as one row. */
  writeRow(map: Entries, places: Places): void {
    const entries = map.keys.length
    const bytes = map.values.length
    if (!this.#write(map, places, false)) {
      map.keys.length = entries
      map.values.length = bytes
      this.#write(map, places, true)
    }
    map.endRow()
  }

  /** Adds a text that is no attribute, such as a status message: repaired and redacted as attributes are. */
  writeText(column: ByteColumn, start: number, end: number): void {
    const before = column.length
    this.#looksAtEveryText = true
    const isKept = this.#writeText(column, start, end)
    this.#looksAtEveryText = this.#redactsByPattern
    if (isKept) return
    // What a rule drops leaves an empty text.
    column.length = before
    column.u8(0)
  }

  /** Writes a row; false when a name came twice and that was not expected. */
  #write(map: Entries, places: Places, mayRepeat: boolean): boolean {
    if (this.#hasNotes) {
      this.noted.ends.fill(0)
      this.#hasNotes = false
    }
    this.#row += 1
    if (this.#row === 0xffff_ffff) {
      this.#seen.fill(0)
      this.#row = 1
    }
    const { bytes } = this.#wire
    const { count, starts, ends } = places
    if (mayRepeat) this.#markLast(places)
    for (let index = 0; index < count; index += 1) {
      const start = starts[index] as number
      const end = ends[index] as number
      // Nearly always: a name of less than 128 bytes, then the value, then nothing.
      let keyStart = start + 2
      let keyEnd = keyStart + (bytes[start + 1] as number)
      let valueStart = keyEnd + 2
      let valueEnd = end
      if (
        bytes[start] !== 0x0a ||
        keyEnd - keyStart > 127 ||
        keyEnd + 2 > end ||
        bytes[keyEnd] !== 0x12 ||
        bytes[keyEnd + 1] !== end - valueStart ||
        end - valueStart > 127
      ) {
        this.#findParts(start, end)
        keyStart = this.#keyStart
        keyEnd = this.#keyEnd
        valueStart = this.#valueStart
        valueEnd = this.#valueEnd
      }
      let number = mayRepeat ? (this.#numbers[index] as number) : this.#guess(index, keyStart, keyEnd)
      if (mayRepeat && number < 0) continue
      if (number >= this.#facts.length) this.#growTo(number + 1)
      let known = this.#facts[number] as number
      if (known === fact.unknown) known = this.#learn(number)
      if (known === fact.repair) {
        number = this.#keys.numberOfText(this.#keys.text(number))
        if (number >= this.#facts.length) this.#growTo(number + 1)
        known = (this.#facts[number] as number) || this.#learn(number)
      }
      if (!mayRepeat) {
        if (this.#seen[number] === this.#row) return false
        this.#seen[number] = this.#row
      }
      if (known === fact.keep) this.#writeValue(map, number, valueStart, valueEnd)
      else this.#writeRedacted(map, number, valueStart, valueEnd, known)
    }
    return true
  }

  /** The number of a name, which is often that of the name at the same place in the row before. */
  #guess(index: number, start: number, end: number): number {
    const { bytes, view } = this.#wire
    const keys = this.#keys
    const guesses = this.#guesses
    if (index >= guesses.length) return keys.numberOf(bytes, view, start, end)
    const guess = guesses[index] as number
    if (guess < keys.size && keys.isNumberOf(guess, bytes, view, start, end)) return guess
    return (guesses[index] = keys.numberOf(bytes, view, start, end))
  }

  /** Notes which attributes are the last of their name: those that are not get a number below 0. */
  #markLast({ count, starts, ends }: Places): void {
    const { bytes, view } = this.#wire
    if (this.#numbers.length < count) this.#numbers = new Int32Array(count)
    for (let index = count - 1; index >= 0; index -= 1) {
      this.#findParts(starts[index] as number, ends[index] as number)
      let number = this.#keys.numberOf(bytes, view, this.#keyStart, this.#keyEnd)
      if (number >= this.#facts.length) this.#growTo(number + 1)
      if ((this.#facts[number] || this.#learn(number)) === fact.repair) {
        number = this.#keys.numberOfText(this.#keys.text(number))
        if (number >= this.#facts.length) this.#growTo(number + 1)
      }
      this.#numbers[index] = this.#seen[number] === this.#row ? -1 : number
      this.#seen[number] = this.#row
    }
  }

  #keyStart = 0
  #keyEnd = 0
  #valueStart = 0
  #valueEnd = 0

  /** Finds name and value of a KeyValue, in whatever order and however often they come. */
  #findParts(start: number, end: number): void {
    const wire = this.#wire
    this.#keyStart = this.#keyEnd = this.#valueStart = this.#valueEnd = start
    wire.at = start
    while (wire.at < end) {
      const tag = wire.tag(end)
      if (tag === 0x0a) {
        this.#keyEnd = wire.fieldEnd(end)
        this.#keyStart = wire.at
        wire.at = this.#keyEnd
      } else if (tag === 0x12) {
        this.#valueEnd = wire.fieldEnd(end)
        this.#valueStart = wire.at
        wire.at = this.#valueEnd
      } else wire.skip(tag, end)
    }
  }

  #writeValue(map: Entries, number: number, start: number, end: number): void {
    const { bytes } = this.#wire
    const { values } = map
    const before = values.length
    map.keys.add(number)
    const tag = end - start < 2 ? 0 : bytes[start]
    const second = bytes[start + 1] as number
    let isKept = true
    if (tag === 0x0a && second < 128 && start + 2 + second === end) isKept = this.#writeText(values, start + 2, end)
    else if (tag === 0x18 && end - start <= 5) isKept = this.#writeInteger(values, start, end)
    else if (tag === 0x10 && second < 2 && start + 2 === end) values.text(second === 1 ? 'true' : 'false')
    else isKept = this.#writeOther(values, start, end)
    if (!isKept) {
      map.keys.length -= 1
      values.length = before
      return
    }
    const note = this.#notes[number] as number
    if (note !== 0) this.#note(note - 1, values, before)
  }

  /** Remembers where the text of a value of interest is, behind its length. */
  #note(place: number, values: ByteColumn, before: number): void {
    let start = before
    while ((values.bytes[start] as number) > 127) start += 1
    this.noted.starts[place] = start + 1
    this.noted.ends[place] = values.length
    this.#hasNotes = true
  }

  /** Integers of at most 28 bits come in four bytes or fewer. */
  #writeInteger(values: ByteColumn, start: number, end: number): boolean {
    const { bytes } = this.#wire
    let value = 0
    for (let at = end - 1; at > start; at -= 1) {
      const byte = bytes[at] as number
      if (byte < 128 !== (at === end - 1)) return this.#writeOther(values, start, end)
      value = (value << 7) | (byte & 127)
    }
    values.digits(value)
    return true
  }

  #writeOther(values: ByteColumn, start: number, end: number): boolean {
    const wire = this.#wire
    wire.at = start
    // A long text on its own is copied like a short one.
    if (start < end && wire.bytes[start] === 0x0a) {
      wire.at = start + 1
      if (wire.fieldEnd(end) === end) return this.#writeText(values, wire.at, end)
      wire.at = start
    }
    const text = readAnyValueText(wire, end, this.#redaction)
    if (text === undefined) return false
    values.text(text)
    return true
  }

  #writeRedacted(map: Entries, number: number, start: number, end: number, known: number): void {
    if (known === fact.drop) return
    const { values } = map
    const before = values.length
    if (known === fact.mask) values.text(this.#redaction.masked)
    else {
      this.#wire.at = start
      values.text(this.#redaction.hash(readAnyValueText(this.#wire, end, this.#redaction) ?? ''))
    }
    map.keys.add(number)
    const note = this.#notes[number] as number
    if (note !== 0) this.#note(note - 1, values, before)
  }

  /** Copies a text; false when a rule drops it. */
  #writeText(column: ByteColumn, start: number, end: number): boolean {
    const { bytes } = this.#wire
    const length = end - start
    column.reserve(length + 5)
    const before = column.length
    column.varint(length)
    let at = column.length
    const out = column.bytes
    if (length <= shortBytes) {
      let sum = 0
      let bits = 0
      for (let from = start; from < end; from += 1) {
        const byte = bytes[from] as number
        out[at++] = byte
        sum += byteClass[byte] as number
        bits |= byte
      }
      column.length = at
      if (bits < 128 && sum < suspiciousDigits && !this.#looksAtEveryText) return true
      this.#highBits = bits
      this.#digits = sum & (sign - 1)
      this.#hasSign = sum >= sign
    } else this.#copyLong(column, start, end)
    return this.#lookAgain(column, before, start, end)
  }

  #copyLong(column: ByteColumn, start: number, end: number): void {
    const { bytes } = this.#wire
    let bits = 0
    let digits = 0
    let hasSign = false
    for (let from = start; from < end;) {
      const chunkEnd = Math.min(from + chunkBytes, end)
      let sum = 0
      for (; from < chunkEnd; from += 1) {
        const byte = bytes[from] as number
        sum += byteClass[byte] as number
        bits |= byte
      }
      digits += sum & (sign - 1)
      hasSign ||= sum >= sign
    }
    column.copy(bytes, start, end)
    this.#highBits = bits
    this.#digits = digits
    this.#hasSign = hasSign
  }

  /** Repairs and redacts a text that was copied, where that is due. */
  #lookAgain(column: ByteColumn, before: number, start: number, end: number): boolean {
    const { bytes, buffer } = this.#wire
    const redaction = this.#redaction
    const isBroken = this.#highBits >= 128 && !isUtf8(bytes.subarray(start, end))
    const isSuspicious =
      redaction.looksAtEveryText ||
      ((this.#looksAtEveryText || this.#hasSign || this.#digits >= suspiciousDigits) &&
        redaction.mayHoldSecret(bytes, start, end))
    if (!isBroken && !isSuspicious) return true
    // What is no UTF-8 becomes U+FFFD: a span is worth more than one wrong byte in it.
    const text = buffer.toString('utf8', start, end)
    const kept = redaction.ofText(text)
    if (kept === undefined) return false
    if (isBroken || kept !== text) {
      column.length = before
      column.text(kept)
    }
    return true
  }

  #learn(number: number): number {
    const keys = this.#keys
    const isRepaired = !isUtf8(keys.bytes.subarray(keys.startOf(number), keys.endOf(number)))
    const known = isRepaired ? fact.repair : fact[this.#redaction.ofName(keys.text(number))]
    this.#facts[number] = known
    return known
  }

  #growTo(needed: number): void {
    const size = Math.max(needed, this.#facts.length * 2)
    const [facts, notes, seen] = [new Uint8Array(size), new Uint8Array(size), new Uint32Array(size)]
    facts.set(this.#facts)
    notes.set(this.#notes)
    seen.set(this.#seen)
    this.#facts = facts
    this.#notes = notes
    this.#seen = seen
  }

  #forget(): void {
    this.#generation = this.#keys.generation
    this.#facts = new Uint8Array(256)
    this.#notes = new Uint8Array(256)
    this.#seen = new Uint32Array(256)
    this.#row = 0
    for (const [place, name] of this.#notedNames.entries()) this.#notes[this.#keys.numberOfText(name)] = place + 1
  }
}
