// Changes requests in JSON: any value may become any other, or go, or come twice; and then characters are changed blindly.

import type { Chance } from './chance.ts'
import { mangle } from './mutate.ts'

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

const strange: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  '',
  '7',
  '-9223372036854775808',
  '18446744073709551616',
  'NaN',
  'ż\uD800',
  'SPAN_KIND_SERVER',
  '4bf92f3577b34da6a3ce929d0e0e4736',
  'AAH+/w==',
  [],
  [[]],
  {},
  { stringValue: 'text' },
  { arrayValue: { values: [{ intValue: 1 }, {}] } },
  { kvlistValue: { values: [{ key: 'a', value: { bytesValue: '_-8=' } }] } },
]

/** A request in JSON that was changed at a few places. */
export function mutateJson(body: Buffer, chance: Chance): Buffer {
  const request = JSON.parse(body.toString()) as Json
  const holders = holdersOf(request)
  for (let changes = chance.below(5); changes > 0; changes -= 1) change(chance.pick(holders), chance)
  let bytes: Buffer = Buffer.from(JSON.stringify(request))
  if (chance.oneIn(4)) bytes = mangle(bytes, chance)
  return bytes
}

type Holder = Json[] | { [name: string]: Json }

/** All objects and lists in a value. */
function holdersOf(value: Json): Holder[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...Object.values(value).flatMap(holdersOf)]
}

function change(holder: Holder, chance: Chance): void {
  if (Array.isArray(holder)) {
    const at = chance.below(holder.length + 1)
    const copy = holder[at]
    if (chance.oneIn(2)) holder.splice(at, 1)
    else holder.splice(at, 0, chance.oneIn(2) && copy !== undefined ? structuredClone(copy) : chance.pick(strange))
    return
  }
  const names = Object.keys(holder)
  if (names.length === 0) return
  const name = chance.pick(names)
  if (chance.oneIn(3)) delete holder[name]
  else holder[name] = structuredClone(chance.pick(strange))
}
