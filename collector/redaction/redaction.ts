// What must not be kept is taken out before anything touches the disk. The decoder asks as little as it can: once for
// each attribute name, and for a text only when its bytes look as if they might hold a secret.

import { createHmac, createSecretKey } from 'node:crypto'
import { attributePattern } from './attribute-pattern.ts'
import { byte } from './bytes.ts'
import { hashDigits, hashPrefix, isHash, masked, maskedCard } from './mark.ts'
import { replacePattern } from './replace-pattern.ts'
import type { Action, RedactionRules } from './rules.ts'
import { isSecretName } from './secret-names.ts'
import { SecretSearch } from './secret-search.ts'

/** Decides over names and texts. */
export interface Redaction {
  /** What happens to the value of an attribute, whatever it is; what is kept is still looked at as text. */
  ofName(name: string): Action
  /** The text without what is secret in it: itself when nothing is, undefined when the attribute goes with it. */
  ofText(text: string): string | undefined
  /** Equal texts have equal hashes, and without the key none is guessed. */
  hash(text: string): string
  /** Stands where a value was masked. */
  readonly masked: string
  /** Whether rules look for patterns, which any text may hold: then every text is given to `ofText`. */
  readonly looksAtEveryText: boolean
  /**
   * Whether the text that lies in these bytes may hold a secret. Asked only for one with an = or @ or at least
   * `suspiciousDigits` digits; it makes no objects.
   */
  mayHoldSecret(bytes: Uint8Array, start: number, end: number): boolean
}

/** With fewer digits, and neither = nor @, no text is changed by the defaults. */
export const suspiciousDigits = 13

/** A shorter key could be found by trying. */
const hashKeyBytesMin = 16

// One pass does it, nearly always: more are for what only shows once its neighbour is a mark.
const passesMax = 8

// A pattern that finds every letter alone would make a text of marks only.
const growthMax = 4
const growthFreeChars = 64

/** Makes the decisions that the rules ask for. */
export function createRedaction(
  rules: RedactionRules,
  { hashKey }: { hashKey: Uint8Array | string | undefined },
): Redaction {
  const { defaults, patterns } = rules
  const names = rules.attributes.map(({ attribute, action }) => ({ fits: attributePattern(attribute), action }))
  const hash = hashing(rules, hashKey)
  const search = new SecretSearch()

  const onePass = (text: string): string | undefined => {
    let rest = text
    for (const { pattern, literal, action } of patterns) {
      if (!rest.includes(literal)) continue
      const replace = action === 'hash' ? hash : () => (action === 'mask' ? masked : undefined)
      const changed = replacePattern(rest, pattern, replace)
      if (changed === undefined) return undefined
      rest = changed
    }
    return defaults && looksSuspicious(rest) ? withoutSecrets(rest, search) : rest
  }

  return {
    masked,
    hash,
    looksAtEveryText: patterns.length > 0,
    ofName(name) {
      const rule = names.find(({ fits }) => fits(name))
      if (rule !== undefined) return rule.action
      return defaults && isSecretName(name) ? 'mask' : 'keep'
    },
    ofText(text) {
      // Until a pass changes nothing: so the result is one that redaction leaves as it is.
      let before = text
      for (let pass = 0; pass < passesMax; pass += 1) {
        const after = onePass(before)
        if (after === undefined) return undefined
        if (after === before) return before
        if (after.length > growthMax * text.length + growthFreeChars) return masked
        before = after
      }
      return masked
    },
    mayHoldSecret(bytes, start, end) {
      if (patterns.length > 0) return true
      if (!defaults) return false
      search.open(bytes, start, end)
      const found = search.next()
      search.close()
      return found
    },
  }
}

function hashing(rules: RedactionRules, hashKey: Uint8Array | string | undefined): (text: string) => string {
  const isNeeded = [...rules.attributes, ...rules.patterns].some(({ action }) => action === 'hash')
  const bytes = Buffer.from(hashKey ?? '')
  if (bytes.length < hashKeyBytesMin && (isNeeded || hashKey !== undefined)) {
    const mend = `give a secret one of at least ${hashKeyBytesMin} bytes`
    throw new Error(`Cannot hash attributes with a key of ${bytes.length} bytes: ${mend}`)
  }
  const key = bytes.length === 0 ? undefined : createSecretKey(bytes)
  return (text) => {
    if (isHash(text)) return text
    if (key === undefined) throw new Error('Cannot hash without a key: no rule asked for one')
    return hashPrefix + createHmac('sha256', key).update(text).digest('hex').slice(0, hashDigits)
  }
}

function looksSuspicious(text: string): boolean {
  let digits = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === byte.equals || code === byte.at) return true
    if (code >= 0x30 && code <= 0x39) digits += 1
  }
  return digits >= suspiciousDigits
}

function withoutSecrets(text: string, search: SecretSearch): string {
  const bytes = Buffer.from(text)
  const parts: string[] = []
  let kept = 0
  search.open(bytes, 0, bytes.length)
  while (search.next()) {
    const mark = search.isCard ? maskedCard(bytes.toString('latin1', search.to - 4, search.to)) : masked
    parts.push(bytes.toString('utf8', kept, search.from), mark)
    kept = search.to
  }
  search.close()
  return kept === 0 ? text : parts.join('') + bytes.toString('utf8', kept)
}
