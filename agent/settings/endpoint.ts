import type { Endpoint } from '../export/post.ts'
import type { Variables } from './settings.ts'

const defaultTracesUrl = 'http://127.0.0.1:4318/v1/traces'
const defaultTimeoutMs = 10_000

/** The OTEL_EXPORTER_OTLP_* variables; those for traces go before those for all signals. */
export function readEndpoint(variables: Variables): {
  endpoint: Endpoint
  compression: 'none' | 'gzip' | 'zstd' | undefined
} {
  const { text, warn } = variables
  const nameOf = (name: string) =>
    [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`].find((each) => text(each) !== undefined)
  const valueOf = (name: string) => {
    const found = nameOf(name)
    return found === undefined ? undefined : text(found)
  }
  const protocol = valueOf('PROTOCOL')
  if (protocol !== undefined && protocol !== 'http/protobuf') {
    const mend = protocol === 'grpc' ? 'point it at port 4318' : 'every receiver of OTLP over HTTP takes it'
    warn(`${nameOf('PROTOCOL')}: "${protocol}" is not supported, http/protobuf is used; ${mend}`)
  }
  const timeoutName = nameOf('TIMEOUT')
  return {
    endpoint: {
      url: readUrl(variables, nameOf('ENDPOINT')),
      headers: { ...headersOf('OTEL_EXPORTER_OTLP_HEADERS'), ...headersOf('OTEL_EXPORTER_OTLP_TRACES_HEADERS') },
      timeoutMs: timeoutName === undefined ? defaultTimeoutMs : variables.count(timeoutName, defaultTimeoutMs, 1),
      certificate: valueOf('CERTIFICATE'),
      clientKey: valueOf('CLIENT_KEY'),
      clientCertificate: valueOf('CLIENT_CERTIFICATE'),
    },
    compression: compressionOf(nameOf('COMPRESSION')),
  }

  function compressionOf(name: string | undefined) {
    return name === undefined ? undefined : variables.oneOf(name, ['gzip', 'zstd', 'none'], 'gzip')
  }

  function headersOf(name: string): Record<string, string> {
    const headers: Record<string, string> = {}
    // What stands there is a secret more often than not, so that its place is told instead.
    const leaveOut = (place: number) => warn(`${name}: member ${place} is no name=value of a header and is left out`)
    for (const [key, value, place] of readPairs(text(name) ?? '', (_pair, at) => leaveOut(at))) {
      const isHeader = /^[\w!#$%&'*+.^`|~-]+$/.test(key) && !/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)
      if (isHeader) headers[key.toLowerCase()] = value
      else leaveOut(place)
    }
    return headers
  }
}

function readUrl({ text, warn }: Variables, name: string | undefined): URL {
  const stated = name === undefined ? undefined : text(name)
  if (stated === undefined || name === undefined) return new URL(defaultTracesUrl)
  if (!/^https?:\/\//i.test(stated) || !URL.canParse(stated)) {
    warn(`${name}: "${stated}" is no URL of HTTP, ${defaultTracesUrl} is used; write it like http://host:4318`)
    return new URL(defaultTracesUrl)
  }
  const url = new URL(stated)
  // The one for all signals is what their paths are below.
  if (!name.includes('TRACES')) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`
  return url
}

/** `key=value,key=value`, percent-encoded, as in OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS; places count from 1. */
export function readPairs(
  text: string,
  malformed: (pair: string, place: number) => void,
): [key: string, value: string, place: number][] {
  return text.split(',').flatMap((pair, index): [string, string, number][] => {
    if (pair.trim() === '') return []
    const equals = pair.indexOf('=')
    try {
      const key = decodeURIComponent(pair.slice(0, Math.max(equals, 0)).trim())
      if (key !== '') return [[key, decodeURIComponent(pair.slice(equals + 1).trim()), index + 1]]
    } catch {
      // Told below.
    }
    malformed(pair.trim(), index + 1)
    return []
  })
}
