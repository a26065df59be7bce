// The name before a "=" or a ":" is read backwards, byte by byte, along a tree of all secret names spelled backwards: the many
// names that are no secret cost a step or two, and no text is made of them.

import { byte, isAlphanumeric, isEscape, isLetter } from './bytes.ts'
import { secretNameEndings, secretQueryNames, wholeSecretNames } from './secret-names.ts'

/** Which values a name makes secret: none, any, or long ones in a query string. */
export const nameKind = { plain: 0, secret: 1, inQuery: 2 } as const
export type NameKind = (typeof nameKind)[keyof typeof nameKind]

/** With the dashes and underscores that do not count. */
const nameBytesMax = 48

const lettersCount = 26
const letterA = 0x61
/** At the node where a name is complete. */
const complete = { no: 0, ending: 1, whole: 2, query: 3 } as const

const { steps, marks } = spelledBackwards()

/** The kind of the parameter whose name stands before `sign`, and begins at `floor` or later. */
export function parameterKind(bytes: Uint8Array, floor: number, sign: number): NameKind {
  let at = nameEnd(bytes, floor, sign)
  const stop = Math.max(floor, at - nameBytesMax)
  for (let node = 0; at > stop; at -= 1) {
    const code = bytes[at - 1]!
    if (code === byte.dash || code === byte.underscore) continue
    if (!isLetter(code)) return nameKind.plain
    node = steps[node * lettersCount + (code | 0x20) - letterA]!
    if (node === 0) return nameKind.plain
    const mark = marks[node]!
    if (mark === complete.ending) return nameKind.secret
    if (mark === complete.whole && beginsAt(bytes, floor, at - 1)) return nameKind.secret
    if (mark === complete.query && beginsInQuery(bytes, floor, at - 1)) return nameKind.inQuery
  }
  return nameKind.plain
}

// name=, name =, user[name]=, user%5Bname%5D=, "name"=>, "name":, \"name\":
function nameEnd(bytes: Uint8Array, floor: number, sign: number): number {
  let at = sign
  if (at > floor && bytes[at - 1] === byte.space) at -= 1
  if (at - 3 >= floor && bytes[at - 3] === byte.percent) {
    return isEscape(bytes, { at: at - 3, end: at, hex: '5D' }) ? at - 3 : at
  }
  const last = at > floor ? bytes[at - 1] : undefined
  if (last === byte.closeBracket) return at - 1
  if (last !== byte.quote && last !== byte.apostrophe) return at
  return at - 2 >= floor && bytes[at - 2] === byte.backslash ? at - 2 : at - 1
}

function beginsAt(bytes: Uint8Array, floor: number, at: number): boolean {
  let before = at - 1
  while (before >= floor && (bytes[before] === byte.dash || bytes[before] === byte.underscore)) before -= 1
  if (before < floor || !isAlphanumeric(bytes[before]!)) return true
  // The last digit of an escape, as of ? in %3Ftoken%3D.
  return before - 2 >= floor && bytes[before - 2] === byte.percent
}

function beginsInQuery(bytes: Uint8Array, floor: number, at: number): boolean {
  if (at === floor) return true
  const before = bytes[at - 1]
  if (before === byte.question || before === byte.ampersand) return true
  const escape = { at: at - 3, end: at }
  return at - 3 >= floor && (isEscape(bytes, { ...escape, hex: '3F' }) || isEscape(bytes, { ...escape, hex: '26' }))
}

function spelledBackwards(): { steps: Uint16Array; marks: Uint8Array } {
  const kinds = [
    { names: wholeSecretNames, mark: complete.whole },
    { names: secretNameEndings, mark: complete.ending },
    { names: secretQueryNames, mark: complete.query },
  ]
  const nodesMax = 1 + kinds.flatMap(({ names }) => names).join('').length
  const tree = { steps: new Uint16Array(nodesMax * lettersCount), marks: new Uint8Array(nodesMax) }
  let nodes = 1
  for (const { names, mark } of kinds) {
    for (const name of names) {
      let node = 0
      for (let at = name.length - 1; at >= 0; at -= 1) {
        const step = node * lettersCount + name.charCodeAt(at) - letterA
        const next = tree.steps[step]
        node = next === undefined || next === 0 ? nodes : next
        if (node === nodes) nodes += 1
        tree.steps[step] = node
      }
      tree.marks[node] = mark
    }
  }
  return tree
}
