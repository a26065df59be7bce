// The text form of attributes, written from its table in any-value-text.ts. Slow and plain, to be compared with.

import type { Attributed, KeyValue, Value } from './request.ts'

/** What happens to names and texts on the way; as the collector's redaction has it. */
export interface TextRules {
  ofName(name: string): 'keep' | 'drop' | 'hash' | 'mask'
  ofText(text: string): string | undefined
  hash(text: string): string
  readonly masked: string
  /**
   * Called when a value is broken that a later one of the same name replaces. A walker may have read it before it came to the
   * later one, and refused the request, or not.
   */
  onDoubt?: () => void
}

/** Keeps everything. */
export const keepAll: TextRules = { ofName: () => 'keep', ofText: (text) => text, hash: (text) => text, masked: '' }

/** Attributes, events or links of one thing. */
export const partsMax = 8_192
/** What a count can hold. */
export const countMax = 0xffff_ffff
const depthMax = 24
const tooDeep = '[nested deeper than 24]'

/** How many attributes a thing lost, by its sender or because there were too many. */
export function droppedOf(thing: Attributed): number {
  return Math.min(countMax, thing.droppedAttributes + Math.max(0, thing.attributeCount - partsMax))
}

/** The attributes of a thing as texts; of a name that comes twice, the last. */
export function textsOf(thing: Attributed, rules: TextRules): Record<string, string> {
  const last = new Map<string, KeyValue>()
  for (const entry of thing.attributes(partsMax)) {
    const replaced = last.get(entry.key)
    if (replaced !== undefined && isBroken(replaced, rules)) rules.onDoubt?.()
    last.set(entry.key, entry)
  }
  const texts: [string, string][] = []
  for (const [key, entry] of last) {
    const action = rules.ofName(key)
    if (action === 'drop') continue
    if (action === 'mask') {
      texts.push([key, rules.masked])
      continue
    }
    const text = textOf(entry.value, rules)
    if (action === 'hash') texts.push([key, rules.hash(text ?? '')])
    else if (text !== undefined) texts.push([key, text])
  }
  return Object.fromEntries(texts)
}

function isBroken(entry: KeyValue, rules: TextRules): boolean {
  try {
    textOf(entry.value, rules)
    return false
  } catch {
    return true
  }
}

/** The text of a value; undefined when a rule drops it. */
export function textOf(value: Value, rules: TextRules): string | undefined {
  switch (value.kind) {
    case 'none':
      return ''
    case 'string':
      return rules.ofText(value.text)
    case 'int':
      return rules.ofText(String(value.value))
    case 'bytes':
      return Buffer.from(value.bytes).toString('base64')
    case 'bool':
    case 'double':
      return String(value.value)
    case 'list':
    case 'map':
      return nestedText(value, rules, 0)
  }
}

/** JSON, with text for what JSON has no word for. */
function nestedText(value: Value, rules: TextRules, depth: number): string | undefined {
  switch (value.kind) {
    case 'none':
      return 'null'
    case 'string': {
      const text = rules.ofText(value.text)
      return text === undefined ? undefined : JSON.stringify(text)
    }
    case 'double':
      return Number.isFinite(value.value) ? String(value.value) : JSON.stringify(String(value.value))
    case 'int':
    case 'bool':
      return String(value.value)
    case 'bytes':
      return JSON.stringify(Buffer.from(value.bytes).toString('base64'))
    case 'list': {
      if (depth === depthMax) return JSON.stringify(tooDeep)
      const items = value.items.map((item) => nestedText(item, rules, depth + 1))
      return `[${items.filter((item) => item !== undefined).join(',')}]`
    }
    case 'map': {
      if (depth === depthMax) return JSON.stringify(tooDeep)
      const members = new Map<string, string>()
      for (const entry of value.entries) {
        const text = memberText(entry, rules, depth)
        if (text === undefined) members.delete(entry.key)
        else members.set(entry.key, text)
      }
      return `{${Array.from(members, ([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
    }
  }
}

function memberText({ key, value }: KeyValue, rules: TextRules, depth: number): string | undefined {
  const action = rules.ofName(key)
  if (action === 'drop') return undefined
  if (action === 'mask') return JSON.stringify(rules.masked)
  const text = nestedText(value, rules, depth + 1)
  return action === 'hash' && text !== undefined ? JSON.stringify(rules.hash(text)) : text
}
