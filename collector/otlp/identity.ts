import type { ByteColumn } from '@headwater/store'
import { formatService } from '@headwater/vocabulary'
import type { Noted } from './attribute-writer.ts'
import type { Names } from './names.ts'

/** What a resource says of its service, as numbers of names; the empty name where it says nothing. */
export interface Identity {
  serviceName: number
  namespace: number
  environment: number
  version: number
  instance: number
  /** The key that `otel_traces.Service` holds. */
  service: number
}

/** The attributes of a resource that make its identity. */
export const identityNames = [
  'service.name',
  'service.namespace',
  'deployment.environment.name',
  'deployment.environment',
  'service.version',
  'service.instance.id',
  'host.name',
] as const

const [namePlace, namespacePlace, environmentPlace, oldEnvironmentPlace, versionPlace, instancePlace, hostPlace] =
  identityNames.keys().toArray() as [number, number, number, number, number, number, number]

/** Keys of services that are known by the numbers of what they are made of; with more, all are made anew. */
const servicesMax = 10_000

/** Reads identities without making texts of them: a collector hears from the same services all the time. */
export class Identities {
  readonly #names: Names
  readonly #services = new Map<string, number>()
  #unknown = 0

  constructor(names: Names) {
    this.#names = names
    this.renumber()
  }

  /** Names have other numbers now. */
  renumber(): void {
    this.#services.clear()
    this.#unknown = this.#names.ofText('unknown_service')
  }

  /** The identity that stands in the values of a resource's attributes, at the places that were noted for `identityNames`. */
  read(values: ByteColumn, noted: Noted): Identity {
    const { empty } = this.#names
    const of = (place: number, other: number): number => {
      const end = noted.ends[place] as number
      const number = end === 0 ? empty : this.#names.ofColumn(values, noted.starts[place] as number, end)
      return number === empty ? other : number
    }
    const serviceName = of(namePlace, this.#unknown)
    const namespace = of(namespacePlace, empty)
    const environment = of(environmentPlace, of(oldEnvironmentPlace, empty))
    const version = of(versionPlace, empty)
    const instance = of(instancePlace, of(hostPlace, empty))
    const service = this.#serviceOf(serviceName, namespace, environment)
    return { serviceName, namespace, environment, version, instance, service }
  }

  #serviceOf(serviceName: number, namespace: number, environment: number): number {
    const key = `${serviceName} ${namespace} ${environment}`
    const known = this.#services.get(key)
    if (known !== undefined) return known
    const names = this.#names
    const identity = {
      name: names.text(serviceName),
      namespace: names.text(namespace),
      environment: names.text(environment),
    }
    const service = names.ofText(formatService(identity))
    if (this.#services.size >= servicesMax) this.#services.clear()
    this.#services.set(key, service)
    return service
  }
}
