// Every place of the console has an address that says all of it, so that it can be sent to somebody.

/** A query string of what is given; empty without any. */
export function query(
  parameters: Readonly<Record<string, string | number | readonly string[] | null | undefined>>,
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || value === undefined || value === '') continue
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

export const incidentPath = (id: string): string => `/incidents/${encodeURIComponent(id)}`
export const runPath = (id: string, spanId?: string): string =>
  `/runs/${encodeURIComponent(id)}${query({ span: spanId })}`
export const servicePath = (name: string, more: { operation?: string } = {}): string =>
  `/service${query({ name, ...more })}`
export const flowPath = (name: string): string => `/flow${query({ name })}`
export const searchPath = (filter: Parameters<typeof query>[0]): string => `/search${query(filter)}`
