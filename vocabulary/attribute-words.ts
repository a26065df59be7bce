import type { TellingAttribute } from './incident.ts'

/** What a call has in common with the bad ones, in words: `service.version = 2.0.0 and caller = orders`. */
export function attributeWords({ name, value, and = [] }: Pick<TellingAttribute, 'name' | 'value' | 'and'>): string {
  return [{ name, value }, ...and].map((one) => `${one.name} = ${one.value}`).join(' and ')
}
