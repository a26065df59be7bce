/** Callers without types hand over anything, and must not be told by an exception. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
