import { formatService, parseService } from '@headwater/vocabulary'

/** Which services are meant: by plain name, and by namespace and environment where they are given. */
export interface ServiceFilter {
  service: string
  namespace?: string | undefined
  environment?: string | undefined
}

/** A regular expression (RE2) over ClickHouse's `Service` keys for the services that a filter means. */
export function servicePattern({ service, namespace, environment }: ServiceFilter): string {
  // A full key, such as `shop/checkout@staging`, means just this one.
  const identity = parseService(service)
  const wanted = {
    name: identity.name,
    namespace: namespace ?? (identity.namespace || undefined),
    environment: environment ?? (identity.environment || undefined),
  }
  const name = literal(formatService({ name: wanted.name, namespace: '', environment: '' }))
  return `^${part(wanted.namespace, (text) => `${text}/`, '([^/]*/)?')}${name}${part(wanted.environment, (text) => `@${text}`, '(@[^@]*)?')}$`
}

function part(text: string | undefined, around: (text: string) => string, any: string): string {
  if (text === undefined) return any
  return text === '' ? '' : around(literal(formatService({ name: text, namespace: '', environment: '' })))
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, (character) => `\\${character}`)
}
