import { formatService } from '@headwater/vocabulary'

/** What a resource says of its service; empty where it says nothing. */
export interface Identity {
  serviceName: string
  namespace: string
  environment: string
  version: string
  instance: string
  /** The key that `otel_traces.Service` holds. */
  service: string
}

/** The attributes of a resource that make its identity, in the order that `identityOf` takes them. */
export const identityNames = [
  'service.name',
  'service.namespace',
  'deployment.environment.name',
  'deployment.environment',
  'service.version',
  'service.instance.id',
  'host.name',
] as const

/** The identity from the texts of `identityNames`, empty where an attribute is missing. */
export function identityOf([
  name = '',
  namespace = '',
  environmentName = '',
  oldEnvironmentName = '',
  version = '',
  instanceId = '',
  hostName = '',
]: readonly string[]): Identity {
  const serviceName = name || 'unknown_service'
  const environment = environmentName || oldEnvironmentName
  return {
    serviceName,
    namespace,
    environment,
    version,
    instance: instanceId || hostName,
    service: formatService({ name: serviceName, namespace, environment }),
  }
}
