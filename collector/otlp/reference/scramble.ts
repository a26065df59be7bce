// The many ways to write a request: protobuf lets fields come in any order, twice, among unknown ones, with longer integers
// than needed; and what must be UTF-8 may be something else.

import type { KeptSignal } from '../json-to-protobuf.ts'
import type { Chance } from './chance.ts'
import { type FieldNode, messagesOf, putTogether, takeApart } from './message-tree.ts'
import { requestTypes, unknownField } from './mutate.ts'
import { messageType } from './schema.ts'

/** Writes a request in another way; some texts are no UTF-8 afterwards, some fields come twice with different contents. */
export function scramble(signal: KeptSignal, body: Uint8Array, chance: Chance): Buffer {
  const request = takeApart(requestTypes[signal], body)
  for (const message of messagesOf(request)) {
    const schema = messageType(message.type)
    const { fields } = message
    if (chance.oneIn(2)) fields.sort(() => chance.below(3) - 1)
    if (chance.oneIn(6)) fields.splice(chance.below(fields.length + 1), 0, unknownField(chance))
    for (const field of fields) {
      // Tags and lengths may have five bytes.
      if (chance.oneIn(8) && field.field < 2_048) field.padding = chance.below(3)
      if (chance.oneIn(12) && schema.fieldsById[field.field]?.type === 'string') breakText(field, chance)
    }
    if (chance.oneIn(8) && fields.length > 0) {
      const twice = structuredClone(chance.pick(fields))
      if (chance.oneIn(2) && schema.fieldsById[twice.field]?.type === 'string') breakText(twice, chance)
      fields.splice(chance.below(fields.length + 1), 0, twice)
    }
  }
  return putTogether(request)
}

/** Puts a byte into a text that UTF-8 does not have there. */
function breakText(field: FieldNode, chance: Chance): void {
  const { bytes } = field
  const at = chance.below(bytes.length + 1)
  field.bytes = Buffer.concat([
    bytes.subarray(0, at),
    Buffer.of(chance.pick([0x80, 0xc3, 0xed, 0xff])),
    bytes.subarray(at),
  ])
}
