import { operationsOf, type ServiceName, serviceNames } from './plan.ts'
import { pick, randomFrom } from './random.ts'

export const faultKinds = ['errors', 'latency', 'crash', 'slow-dependency', 'bad-version'] as const
export type FaultKind = (typeof faultKinds)[number]

export interface FaultRequest {
  kind: FaultKind
  service: ServiceName
  /** As its spans are named; without it, the seed chooses. */
  operation?: string
}

export interface Fault {
  kind: FaultKind
  service: ServiceName
  operation: string
  /** RFC 3339. */
  injectedAt: string
}

/** Reads `errors:math` or `latency:crypto:POST /hash`. */
export function parseFault(text: string): FaultRequest {
  const [kindText, serviceText, ...rest] = text.split(':')
  const kind = faultKinds.find((known) => known === kindText)
  if (kind === undefined) throw new Error(`"${kindText}" is no kind of fault; use ${faultKinds.join(', ')}`)
  const service = serviceNames.find((known) => known === serviceText)
  if (service === undefined) throw new Error(`"${serviceText}" is no service; use ${serviceNames.join(', ')}`)
  if (rest.length === 0) return { kind, service }
  return { kind, service, operation: knownOperation(service, rest.join(':')) }
}

/** The operation that a fault meets: as asked, else as the seed has it. */
export function operationFor({ kind, service, operation }: FaultRequest, seed: number): string {
  if (operation !== undefined) return knownOperation(service, operation)
  return pick(randomFrom(seed, `${kind}:${service}`), operationsOf(service))
}

function knownOperation(service: ServiceName, operation: string): string {
  const known = operationsOf(service)
  if (known.includes(operation)) return operation
  throw new Error(`"${operation}" is no operation of ${service}; use ${known.join(', ')}`)
}
