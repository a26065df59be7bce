// An ExportTraceServiceRequest around spans that are encoded already.

import { AttributeList } from '../trace/attribute-list.ts'
import type { Scope } from '../trace/span.ts'
import { writeAttributes } from './attribute-fields.ts'
import { ProtobufWriter } from './protobuf.ts'
import type { SpanGroup } from './span-ring.ts'

const requestFields = { resourceSpans: 1 } as const
const resourceSpansFields = { resource: 1, scopeSpans: 2, schemaUrl: 3 } as const
const resourceFields = { attributes: 1 } as const
const scopeSpansFields = { scope: 1, spans: 2, schemaUrl: 3 } as const
const scopeFields = { name: 1, version: 2 } as const
/** Largest resource or scope. */
const headBytesMax = 262_144

/** Makes requests of `resource`, which is written once. */
export function requestBodies(resource: Readonly<Record<string, unknown>>): (groups: SpanGroup[]) => Buffer {
  const resourceField = encode(() => {
    const attributes = new AttributeList()
    const limits = { countMax: Number.POSITIVE_INFINITY, valueCharsMax: Number.POSITIVE_INFINITY }
    attributes.setAll({ ...resource }, limits)
    writeAttributes(writer, resourceFields.attributes, attributes, limits.valueCharsMax)
    writer.message(resourceSpansFields.resource, 0)
  })
  const scopes = new WeakMap<Scope, ScopeFields>()

  function scopeOf(scope: Scope): ScopeFields {
    const known = scopes.get(scope)
    if (known) return known
    const made = encodeScope(scope)
    scopes.set(scope, made)
    return made
  }

  return (groups) => {
    const parts = groups.flatMap(({ scope, bytes }) => {
      const { head, tail } = scopeOf(scope)
      return [headOf(resourceSpansFields.scopeSpans, head.length + bytes.length + tail.length), head, bytes, tail]
    })
    const length = resourceField.length + parts.reduce((sum, part) => sum + part.length, 0)
    return Buffer.concat([headOf(requestFields.resourceSpans, length), resourceField, ...parts])
  }
}

interface ScopeFields {
  head: Buffer
  tail: Buffer
}

function encodeScope({ name, version, schemaUrl }: Scope): ScopeFields {
  const head = encode(() => {
    if (version !== '') writer.text(scopeFields.version, version)
    writer.text(scopeFields.name, name)
    writer.message(scopeSpansFields.scope, 0)
  })
  const tail = encode(() => {
    if (schemaUrl !== '') writer.text(scopeSpansFields.schemaUrl, schemaUrl)
  })
  return { head, tail }
}

function headOf(field: number, length: number): Buffer {
  return encode(() => {
    writer.varint(length)
    writer.varint(field * 8 + 2)
  })
}

const writer = new ProtobufWriter(headBytesMax)

function encode(write: () => void): Buffer {
  writer.start()
  write()
  return Buffer.from(writer.written())
}
