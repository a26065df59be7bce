/** Who a service is: staging never mixes with production, nor one namespace's `api` with another's. */
export interface ServiceIdentity {
  name: string
  /** `service.namespace`; empty when it has none. */
  namespace: string
  /** `deployment.environment.name`; empty when it has none. */
  environment: string
}

/**
 * One string for a service: `namespace/name@environment`, where absent parts are left out and `%`, `/`, `@` inside a
 * part are percent-encoded. ClickHouse computes the same in `otel_traces.Service`.
 */
export function formatService({ name, namespace, environment }: ServiceIdentity): string {
  return (
    (namespace === '' ? '' : `${encode(namespace)}/`) +
    encode(name) +
    (environment === '' ? '' : `@${encode(environment)}`)
  )
}

/** The inverse of {@link formatService}. */
export function parseService(key: string): ServiceIdentity {
  const slash = key.indexOf('/')
  const at = key.lastIndexOf('@')
  const nameEnd = at === -1 ? key.length : at
  return {
    namespace: slash === -1 ? '' : decode(key.slice(0, slash)),
    name: decode(key.slice(slash + 1, nameEnd)),
    environment: at === -1 ? '' : decode(key.slice(at + 1)),
  }
}

function encode(part: string): string {
  return part.replaceAll('%', '%25').replaceAll('/', '%2F').replaceAll('@', '%40')
}

function decode(part: string): string {
  return part.replaceAll('%40', '@').replaceAll('%2F', '/').replaceAll('%25', '%')
}
