import type { OutgoingHttpHeaders, RequestOptions } from 'node:http'

/**
 * Headers as an object. Node also takes them as a flat list of names and values, as `rawHeaders` has them, or as a list of
 * pairs; the instrumentation would take either for an object. What comes several times is sent several times.
 */
export function headersAsObject(headers: RequestOptions['headers']): OutgoingHttpHeaders {
  if (!isList(headers)) return { ...headers }
  const object: OutgoingHttpHeaders = {}
  const spellings = new Map<string, string>()
  for (const [name, value] of isListOfPairs(headers) ? headers : pairsOf(headers)) {
    const spelling = spellings.get(name.toLowerCase())
    if (spelling === undefined) {
      spellings.set(name.toLowerCase(), name)
      object[name] = value
    } else object[spelling] = [object[spelling], value].flat().map(String)
  }
  return object
}

type Pair = readonly [name: string, value: string | string[]]

function isList(headers: RequestOptions['headers']): headers is readonly string[] {
  return Array.isArray(headers)
}

/** Node's types do not know of this form, but Node does. */
function isListOfPairs(headers: readonly unknown[]): headers is readonly Pair[] {
  return Array.isArray(headers[0])
}

function pairsOf(headers: readonly string[]): Pair[] {
  const pairs: Pair[] = []
  for (let index = 0; index + 1 < headers.length; index += 2)
    pairs.push([headers[index] ?? '', headers[index + 1] ?? ''])
  return pairs
}
