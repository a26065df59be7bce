import type { Attributes } from '@opentelemetry/api'
import type { ReadableSpan } from './types.ts'

// Of spans on the SDK 1.x and 2.x under Node 26: 950 bytes each, and 37 for an attribute with a short text.
const [spanBytes, partBytes] = [950, 30]

/** How much memory a span holds, roughly. */
export function bytesOf({ name, attributes, events, links, status }: ReadableSpan): number {
  return (
    spanBytes +
    bytesOfText(name) +
    bytesOfText(status.message ?? '') +
    bytesOfAttributes(attributes) +
    events.reduce(
      (sum, event) => sum + 2 * partBytes + bytesOfText(event.name) + bytesOfAttributes(event.attributes),
      0,
    ) +
    links.reduce((sum, link) => sum + 4 * partBytes + bytesOfAttributes(link.attributes), 0)
  )
}

function bytesOfAttributes(attributes: Attributes | undefined): number {
  return Object.values(attributes ?? {}).reduce<number>((sum, value) => sum + partBytes + bytesOfValue(value), 0)
}

function bytesOfValue(value: unknown): number {
  if (typeof value === 'string') return bytesOfText(value)
  if (!Array.isArray(value)) return 8
  const parts: readonly unknown[] = value
  return parts.reduce<number>((sum, part) => sum + 8 + (typeof part === 'string' ? bytesOfText(part) : 0), 0)
}

/** V8 keeps Latin-1 in one byte a character, other texts in two. */
function bytesOfText(text: string): number {
  return /[^\0-\xff]/.test(text) ? 2 * text.length : text.length
}
