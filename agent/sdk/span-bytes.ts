import type { Attributes } from '@opentelemetry/api'
import type { ReadableSpan } from './types.ts'

// Of spans on the SDK 1.x and 2.x under Node 26: 950 bytes each, and 37 for an attribute with a short text.
const [spanBytes, partBytes] = [1_000, 50]

/** How much memory a span holds at most, roughly: texts may take two bytes a character. */
export function bytesOf({ name, attributes, events, links, status }: ReadableSpan): number {
  return (
    spanBytes +
    2 * (name.length + (status.message?.length ?? 0)) +
    bytesOfAttributes(attributes) +
    events.reduce(
      (sum, event) => sum + 2 * partBytes + 2 * event.name.length + bytesOfAttributes(event.attributes),
      0,
    ) +
    links.reduce((sum, link) => sum + 4 * partBytes + bytesOfAttributes(link.attributes), 0)
  )
}

function bytesOfAttributes(attributes: Attributes | undefined): number {
  return Object.values(attributes ?? {}).reduce<number>((sum, value) => sum + partBytes + bytesOfValue(value), 0)
}

function bytesOfValue(value: unknown): number {
  if (typeof value === 'string') return 2 * value.length
  if (!Array.isArray(value)) return 8
  const parts: readonly unknown[] = value
  return parts.reduce<number>((sum, part) => sum + 8 + (typeof part === 'string' ? 2 * part.length : 0), 0)
}
