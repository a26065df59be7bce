// What the rows of spans and of log records have in common, written from the specifications: those of OpenTelemetry and of the
// tables' default expressions. Slow and plain, to be compared with.

import type { Request, ResourceGroup, ScopeGroup } from './request.ts'
import { droppedOf, type TextRules, textsOf } from './value-text.ts'

/** A column's value: 64-bit integers and times (nanoseconds) are decimal text. */
export type Cell = string | number | Readonly<Record<string, string>> | readonly Cell[]

export type Row = Readonly<Record<string, Cell>>

export interface Expected {
  rows: Row[]
  /** By reason, as often as it applies. */
  rejections: Map<string, number>
}

/** Moments between which records may lie, and the moment now. */
export interface Times {
  fromNs: bigint
  toNs: bigint
  nowNs: bigint
}

/** What one kind of record becomes. */
export interface RecordRules<R> {
  /** Why a record makes no row. */
  rejectionOf: (record: R, times: Times) => string | undefined
  columnsOf: (record: R, times: Times, rules: TextRules) => Row
}

/** The rows and rejections of a request. */
export function expectedRows<R>(
  request: Request<R>,
  { rejectionOf, columnsOf }: RecordRules<R>,
  { times, rules }: { times: Times; rules: TextRules },
): Expected {
  const rows: Row[] = []
  const rejections = new Map<string, number>()
  for (const group of request.groups) {
    for (const scope of group.scopes) {
      for (const record of scope.records) {
        const reason = rejectionOf(record, times)
        if (reason === undefined) {
          rows.push({ ...sharedColumns(group, scope, rules), ...columnsOf(record, times, rules) })
        } else rejections.set(reason, (rejections.get(reason) ?? 0) + 1)
      }
    }
  }
  return { rows, rejections }
}

function sharedColumns(
  group: ResourceGroup<unknown>,
  { scope, schemaUrl }: ScopeGroup<unknown>,
  rules: TextRules,
): Row {
  const resource = textsOf(group.resource, rules)
  const name = resource['service.name'] || 'unknown_service'
  const namespace = resource['service.namespace'] ?? ''
  const environment = resource['deployment.environment.name'] || resource['deployment.environment'] || ''
  const encoded = (part: string): string => part.replaceAll('%', '%25').replaceAll('/', '%2F').replaceAll('@', '%40')
  return {
    ServiceName: name,
    ResourceAttributes: resource,
    ResourceSchemaUrl: rules.ofText(group.schemaUrl) ?? '',
    ResourceDroppedAttributes: droppedOf(group.resource),
    ScopeName: rules.ofText(scope.name) ?? '',
    ScopeVersion: rules.ofText(scope.version) ?? '',
    ScopeSchemaUrl: rules.ofText(schemaUrl) ?? '',
    ScopeAttributes: textsOf(scope, rules),
    ScopeDroppedAttributes: droppedOf(scope),
    Namespace: namespace,
    Environment: environment,
    Version: resource['service.version'] ?? '',
    Instance: resource['service.instance.id'] || resource['host.name'] || '',
    Service: (namespace && `${encoded(namespace)}/`) + encoded(name) + (environment && `@${encoded(environment)}`),
  }
}

/** The flow that an attribute states; empty where it states none, or the trace's own. */
export function otherFlowOf(stated: string | undefined, traceId: string): string {
  const isFlow = stated !== undefined && stated.length === 32 && /^(?!0{32})[0-9a-f]{32}$/.test(stated)
  return isFlow && stated !== traceId ? stated : ''
}

/** Whether all bytes are 0, as when there are none. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
