// HEADWATER_LOG_IDS: lines of console, pino and winston say to which trace, span and flow run they belong.

import { context, isSpanContextValid, trace } from '@opentelemetry/api'
import { flowIdOf } from '../flow/hop.ts'
import { guarded, hear } from './channel.ts'
import { claimPatch } from './on-load.ts'

interface Ids {
  trace_id: string
  span_id: string
  flow_id?: string
}

/** What is logged now belongs to these; to nothing outside of any span. */
function currentIds(): Ids | undefined {
  const active = context.active()
  const span = trace.getSpanContext(active)
  if (span === undefined || !isSpanContextValid(span)) return undefined
  const flowId = flowIdOf(active)
  return { trace_id: span.traceId, span_id: span.spanId, ...(flowId === undefined ? {} : { flow_id: flowId }) }
}

const methods = ['debug', 'error', 'info', 'log', 'warn'] as const

/** Lines of `console` end with their IDs. */
export function addIdsToConsole(): void {
  for (const method of methods) {
    const original = console[method]
    console[method] = (...args: unknown[]) => {
      const ids = currentIds()
      const words = ids && Object.entries(ids).map(([name, id]) => `${name}=${id}`)
      original.apply(console, words === undefined ? args : [...args, ...words])
    }
  }
}

type Record = { [name: string]: unknown }

/**
 * Lines of pino 9.14 and later, which has a channel around the making of a line. What is logged may be an object of the service's own:
 * the IDs are in it only as long as its line is made.
 */
export function addIdsToPino(): void {
  interface Making {
    arguments: ArrayLike<unknown>
    added?: string[]
  }
  hear<Making>('tracing:pino_asJson:start', (making) => {
    const [record] = Array.from(making.arguments)
    if (isRecord(record)) making.added = addIds(record)
  })
  hear<Making>('tracing:pino_asJson:end', ({ arguments: args, added = [] }) => {
    const [record] = Array.from(args)
    if (isRecord(record)) for (const name of added) delete record[name]
  })
}

interface Winston {
  Logger: { prototype: { write: (this: unknown, ...args: unknown[]) => boolean } }
}

/** Records of winston 3, which writes its own notes into them as well. */
export function addIdsToWinston(exports: unknown): void {
  const { prototype } = (exports as Winston).Logger
  if (!claimPatch(prototype)) return
  const write = prototype.write
  prototype.write = function headwaterWrite(record, ...rest) {
    if (isRecord(record)) guarded('winston', () => addIds(record))
    return write.call(this, record, ...rest)
  }
}

/** The names of what was added. A record that has an ID keeps it; one that cannot be changed stays without. */
function addIds(record: Record): string[] {
  const ids = Object.isExtensible(record) ? currentIds() : undefined
  const added = Object.entries(ids ?? {}).filter(([name]) => !Object.hasOwn(record, name))
  for (const [name, id] of added) record[name] = id
  return added.map(([name]) => name)
}

function isRecord(value: unknown): value is Record {
  return typeof value === 'object' && value !== null
}
