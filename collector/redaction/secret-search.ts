// Finds what is secret by its form in the UTF-8 bytes of a text, in one pass from left to right. Each byte is read a
// bounded number of times, whatever the text: nothing here goes back and tries again.
//
//   scheme://user:password@     what stands between // and @
//   name=value, "name":"value"  the value, when the name is in the table of secret names
//   Bearer x, Basic x           x
//   4111 1111 1111 1111         the number

import { byte, isAlphanumeric, isDigit, isEscape, isLetter } from './bytes.ts'
import { cardNumberEnd, digitsEnd, mayBeginCard } from './card-number.ts'
import { isMark } from './mark.ts'
import { nameKind, parameterKind } from './parameter-name.ts'
import { queryValueBytesMin } from './secret-names.ts'

/** A shorter word behind "Bearer" or "Basic" is no credential. */
const credentialBytesMin = 8

/** `?`, `$1`, `%s`, `:id`: where a statement's value will stand. */
const placeholderBytesMax = 3

const ordinary = 0
const digit = 1
const equals = 2
const colon = 3
const space = 4
const percent = 5
const classes = new Uint8Array(256)
classes.fill(digit, 0x30, 0x3a)
classes[byte.equals] = equals
classes[byte.colon] = colon
classes[byte.space] = space
classes[byte.percent] = percent

// Byte by byte: what ends the part of a URL that names user and host, what ends a value without quotes, what a place
// for a value begins with, what a credential is made of (token68, RFC 9110).
const endsAuthority = table('/?#\\"\'<>`')
const endsValue = table('&;,"\'<>)]}`')
const beginsPlaceholder = table('?$%:{@')
const credentialBytes = table('-._~+/=')
const wordBytes = new Uint8Array(256)
classes.forEach((_, code) => {
  if (code <= byte.space) endsAuthority[code] = endsValue[code] = 1
  if (isAlphanumeric(code)) credentialBytes[code] = wordBytes[code] = 1
})

const noBytes = new Uint8Array(0)
const bearer = new TextEncoder().encode('bearer')
const basic = new TextEncoder().encode('basic')

/** Goes from secret to secret of one text. It owns the place it has come to, so that the search makes no objects. */
export class SecretSearch {
  /** Of the secret found last. */
  from = 0
  to = 0
  isCard = false

  #bytes: Uint8Array = noBytes
  #start = 0
  #end = 0

  /** Begins anew with the text that lies from `start` to `end`. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.to = start
  }

  /** Lets go of the bytes, which may be a part of something large. */
  close(): void {
    this.open(noBytes, 0, 0)
  }

  /** Goes on to the next secret; false when there is none. */
  next(): boolean {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.to
    while (at < end) {
      switch (classes[bytes[at]!]!) {
        case ordinary:
          do at += 1
          while (at < end && classes[bytes[at]!] === ordinary)
          break
        case digit: {
          const to = digitsEnd(bytes, at, end)
          if (mayBeginCard(to - at)) {
            const cardEnd = cardNumberEnd(bytes, { at, to, start: this.#start, end })
            if (cardEnd > 0) return this.#found(at, cardEnd, true)
          }
          // Nothing begins within a word, and hex ids are long ones.
          at = to
          while (at < end && wordBytes[bytes[at]!] === 1) at += 1
          break
        }
        case equals:
          if (this.#isSecretValue(at, at + 1, false)) return true
          at += 1
          break
        case percent:
          if (isEscape(bytes, { at, end, hex: '3D' }) && this.#isSecretValue(at, at + 3, true)) return true
          at += 1
          break
        case colon:
          if (this.#isUserInfo(at) || this.#isSecretMember(at)) return true
          at += 1
          break
        case space:
          if (this.#isCredential(at)) return true
          at += 1
          break
        default:
          throw new Error(`Cannot search byte ${bytes[at]}: it has no class`)
      }
    }
    return false
  }

  #found(from: number, to: number, isCard: boolean): boolean {
    this.from = from
    this.to = to
    this.isCard = isCard
    return true
  }

  #isUserInfo(at: number): boolean {
    const bytes = this.#bytes
    if (bytes[at + 1] !== byte.slash || bytes[at + 2] !== byte.slash || at + 3 > this.#end) return false
    if (at === this.#start || !isAlphanumeric(bytes[at - 1]!)) return false
    const from = at + 3
    let lastAt = 0
    let hasColon = false
    let sawColon = false
    for (let place = from; place < this.#end; place += 1) {
      const code = bytes[place]!
      if (endsAuthority[code] === 1) break
      if (code === byte.colon) sawColon = true
      // A password may hold an @ itself: the last one ends it.
      if (code === byte.at) {
        lastAt = place
        hasColon = sawColon
      }
    }
    return hasColon && !isMark(bytes, from, lastAt) && this.#found(from, lastAt, false)
  }

  #isSecretValue(nameEnd: number, at: number, isEscaped: boolean): boolean {
    const kind = parameterKind(this.#bytes, this.#start, nameEnd)
    if (kind === nameKind.plain) return false
    const bytes = this.#bytes
    const end = this.#end
    // == compares, => assigns.
    if (bytes[at] === byte.equals) return false
    let from = at < end && bytes[at] === byte.greater ? at + 1 : at
    // name = value; but in "name= other=1" the value is empty.
    if (from < end && bytes[from] === byte.space && nameEnd > this.#start && bytes[nameEnd - 1] === byte.space)
      from += 1
    const quoted = this.#quotedFrom(from)
    const to = quoted > 0 ? this.#quotedEnd(quoted) : this.#valueEnd(from, isEscaped)
    if (quoted > 0) from = quoted
    if (to <= from || isMark(bytes, from, to)) return false
    if (kind === nameKind.inQuery && to - from < queryValueBytesMin) return false
    if (to - from <= placeholderBytesMax && beginsPlaceholder[bytes[from]!] === 1) return false
    return this.#found(from, to, false)
  }

  // What else stands behind a colon is no text, or a text that means more than one secret.
  #isSecretMember(at: number): boolean {
    const bytes = this.#bytes
    const last = at > this.#start ? bytes[at - 1] : undefined
    if (last !== byte.quote && last !== byte.apostrophe) return false
    if (parameterKind(bytes, this.#start, at) !== nameKind.secret) return false
    const from = this.#quotedFrom(at + 1 < this.#end && bytes[at + 1] === byte.space ? at + 2 : at + 1)
    if (from === 0) return false
    const to = this.#quotedEnd(from)
    return to > from && !isMark(bytes, from, to) && this.#found(from, to, false)
  }

  /** Behind the quote that opens at `at`; 0 when none does. */
  #quotedFrom(at: number): number {
    const bytes = this.#bytes
    const quote = at < this.#end && bytes[at] === byte.backslash ? at + 1 : at
    return quote < this.#end && (bytes[quote] === byte.quote || bytes[quote] === byte.apostrophe) ? quote + 1 : 0
  }

  #quotedEnd(from: number): number {
    const bytes = this.#bytes
    const quote = bytes[from - 1]
    const isBackslashed = bytes[from - 2] === byte.backslash
    for (let at = from; at < this.#end; at += 1) {
      const isClosing = bytes[at] === (isBackslashed ? byte.backslash : quote)
      if (isClosing) return this.#behindQuote(at, isBackslashed ? at + 2 : at + 1)
      if (bytes[at] === byte.backslash) at += 1
    }
    return this.#end
  }

  // A quote that a word follows at once opens what it seems to close: the one before was left open.
  #behindQuote(quote: number, at: number): number {
    return at < this.#end && wordBytes[this.#bytes[at]!] === 1 ? this.#wordEnd(at, false) : quote
  }

  #valueEnd(from: number, isEscaped: boolean): number {
    const to = this.#wordEnd(from, isEscaped)
    // authorization=Bearer x: the scheme alone is not the secret.
    return to < this.#end && this.#bytes[to] === byte.space && this.#isScheme(to)
      ? this.#wordEnd(to + 1, isEscaped)
      : to
  }

  #wordEnd(from: number, isEscaped: boolean): number {
    const bytes = this.#bytes
    const end = this.#end
    let at = from
    // [FILTERED] and our own mark are values of their own; elsewhere a bracket closes what stands around the value.
    if (at < end && bytes[at] === byte.openBracket) {
      while (at < end && bytes[at] !== byte.closeBracket && bytes[at]! > byte.space) at += 1
      if (at < end && bytes[at] === byte.closeBracket) at += 1
    }
    for (; at < end; at += 1) {
      const code = bytes[at]!
      if (endsValue[code] === 1) return at
      if (code === byte.backslash && at + 1 < end && endsValue[bytes[at + 1]!] === 1) return at
      if (isEscaped && isEscape(bytes, { at, end, hex: '26' })) return at
    }
    return end
  }

  #isCredential(at: number): boolean {
    if (!this.#isScheme(at)) return false
    const bytes = this.#bytes
    const from = at + 1
    let to = from
    let isWord = true
    for (; to < this.#end && credentialBytes[bytes[to]!] === 1; to += 1) {
      const code = bytes[to]!
      // "basic authentication" is English; what was drawn at random has digits or capitals in it.
      if (to > from && (isDigit(code) || (isLetter(code) && code < 0x60))) isWord = false
    }
    return to - from >= credentialBytesMin && !isWord && this.#found(from, to, false)
  }

  /** Whether "Bearer" or "Basic" ends at `at`. */
  #isScheme(at: number): boolean {
    const last = at > this.#start ? this.#bytes[at - 1]! | 0x20 : 0
    const scheme = last === 0x72 ? bearer : last === 0x63 ? basic : undefined
    if (scheme === undefined) return false
    const from = at - scheme.length
    if (from < this.#start || (from > this.#start && isAlphanumeric(this.#bytes[from - 1]!))) return false
    for (let place = 0; place < scheme.length; place += 1) {
      if ((this.#bytes[from + place]! | 0x20) !== scheme[place]) return false
    }
    return true
  }
}

function table(characters: string): Uint8Array {
  const set = new Uint8Array(256)
  for (const character of characters) set[character.charCodeAt(0)] = 1
  return set
}
