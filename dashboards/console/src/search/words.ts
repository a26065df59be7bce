// What is searched for, as words: `service:math status:error >250ms user:alice http.route=/evaluate timeout`. The same filter is
// in the address, one parameter each, so that it can be sent to somebody and read by them.

export interface Filter {
  flow?: string
  service?: string
  operation?: string
  user?: string
  status?: 'ok' | 'error'
  minMs?: number
  maxMs?: number
  attribute?: string[]
  text?: string
}

const names = ['flow', 'service', 'operation', 'user'] as const
type Name = (typeof names)[number]

const units: Readonly<Record<string, number>> = { us: 0.001, µs: 0.001, ms: 1, s: 1_000, m: 60_000, min: 60_000 }

/** A word, or `name:"words between quotes"`, or `name="…"`. */
const wordForm = /(?:[^\s"]|"[^"]*"?)+/g
const durationForm = /^([<>])=?(\d+(?:\.\d+)?)(us|µs|ms|s|min|m)?$/

/** Reads words. What has no meaning of its own is text to look for. */
export function readWords(words: string): Filter {
  const filter: Filter = {}
  const text: string[] = []
  const attributes: string[] = []
  for (const [word] of words.matchAll(wordForm)) {
    const duration = durationForm.exec(word)
    const named = /^([a-z]+):(.+)$/s.exec(word)
    const attribute = /^([^=\s"<>]+)=(.+)$/s.exec(word)
    const value = unquoted(named?.[2] ?? '')
    if (duration !== null) {
      const limit = Number(duration[2]) * (units[duration[3] ?? 'ms'] ?? 1)
      if (duration[1] === '>') filter.minMs = limit
      else filter.maxMs = limit
    } else if (named?.[1] === 'status' && (value === 'ok' || value === 'error')) filter.status = value
    else if (named !== null && isName(named[1]) && value !== '') filter[named[1]] = value
    else if (attribute !== null) attributes.push(`${attribute[1]}=${unquoted(attribute[2] ?? '')}`)
    else text.push(unquoted(word))
  }
  if (attributes.length > 0) filter.attribute = attributes
  if (text.length > 0) filter.text = text.join(' ')
  return filter
}

/** The inverse of {@link readWords}. */
export function writeWords({ attribute = [], text, status, minMs, maxMs, ...named }: Filter): string {
  const words = names.flatMap((name) => (named[name] === undefined ? [] : [`${name}:${quoted(named[name])}`]))
  if (status !== undefined) words.push(`status:${status}`)
  if (minMs !== undefined) words.push(`>${minMs}ms`)
  if (maxMs !== undefined) words.push(`<${maxMs}ms`)
  for (const each of attribute) {
    const at = each.indexOf('=')
    words.push(`${each.slice(0, at)}=${quoted(each.slice(at + 1))}`)
  }
  if (text !== undefined) words.push(text)
  return words.join(' ')
}

/** The filter of an address. */
export function filterOf(search: URLSearchParams): Filter {
  const filter: Filter = {}
  for (const name of names) {
    const value = search.get(name)
    if (value !== null && value !== '') filter[name] = value
  }
  const status = search.get('status')
  if (status === 'ok' || status === 'error') filter.status = status
  for (const name of ['minMs', 'maxMs'] as const) {
    const value = search.get(name)
    if (value !== null && /^\d{1,9}(\.\d{1,6})?$/.test(value)) filter[name] = Number(value)
  }
  const attributes = search.getAll('attribute').filter((each) => each.indexOf('=') > 0)
  if (attributes.length > 0) filter.attribute = attributes
  const text = search.get('q')
  if (text !== null && text !== '') filter.text = text
  return filter
}

function isName(name: string | undefined): name is Name {
  return names.some((each) => each === name)
}

function unquoted(text: string): string {
  return text.replaceAll('"', '')
}

function quoted(text: string): string {
  return /\s/.test(text) ? `"${text}"` : text
}
