import type { BlockPart } from './block.ts'

/** All that the columns of a block consist of, found among the fields of their holder. */
export function partsOf(holder: object): BlockPart[] {
  return Object.values(holder).flatMap((value: unknown) => {
    if (typeof value !== 'object' || value === null) return []
    if ('parts' in value) return value.parts as BlockPart[]
    return 'clear' in value ? [value as BlockPart] : []
  })
}
