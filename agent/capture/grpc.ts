// What OpenTelemetry's instrumentation of gRPC leaves open: who the peer is, which decides whether its flow is continued, and
// whose fault an error is.

import {
  type Attributes,
  type AttributeValue,
  type Span,
  SpanKind,
  type SpanStatus,
  type TimeInput,
  SpanStatusCode,
  type TracerProvider,
} from '@opentelemetry/api'
import { type Trust, isTrustedPeer } from '@headwater/vocabulary'
import { notePeer } from '../propagation/flow-propagator.ts'
import { guarded } from './channel.ts'
import { claimPatch } from './on-load.ts'

interface Metadata {
  get(key: string): (string | Buffer)[]
}
interface Call {
  metadata: Metadata & object
  getPeer(): string
}
type Handle = (this: unknown, call: Call, ...rest: unknown[]) => unknown
interface Server {
  register: (this: Server, name: string, ...rest: unknown[]) => boolean
  /** Where it keeps what is registered; the instrumentation looks there, too. */
  handlers?: Map<string, { func: Handle }>
}

/** Says of each call who made it, before the instrumentation reads its metadata. */
export function tellGrpcPeers(grpc: unknown, trust: Trust): void {
  const { prototype } = (grpc as { Server: { prototype: Server } }).Server
  if (!claimPatch(prototype)) return
  const register = prototype.register
  prototype.register = function headwaterRegister(name, ...rest) {
    const isNew = register.call(this, name, ...rest)
    guarded('gRPC', () => {
      const handler = this.handlers?.get(name)
      if (!isNew || handler === undefined) return
      // Around what the instrumentation puts around it, which may be about to.
      queueMicrotask(() => guarded('gRPC', () => watchHandler(handler, trust)))
    })
    return isNew
  }
}

function watchHandler(handler: { func: Handle }, trust: Trust): void {
  const { func } = handler
  handler.func = function headwaterHandle(call, ...others) {
    guarded('gRPC', () => notePeer(call.metadata, isTrusted(call, trust) ? 'trusted' : 'untrusted'))
    return func.call(this, call, ...others)
  }
}

function isTrusted(call: Call, trust: Trust): boolean {
  const stated = (name: string) => call.metadata.get(name).map(String).join(',') || undefined
  // An address, a colon and a port; IPv6 stands there without brackets, or with.
  const address = /^(?:ipv[46]:)?\[?(.*?)\]?:\d+$/.exec(call.getPeer())?.[1]
  return isTrustedPeer(trust, address, { forwarded: stated('forwarded'), xForwardedFor: stated('x-forwarded-for') })
}

const statusKey = 'rpc.grpc.status_code'
/** By number, as gRPC has them. */
const codes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]
/** What OpenTelemetry's conventions call a failure of the server; anything else is the caller's, as 404 is. */
const serverFaults = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'])

/** Spans of gRPC that fail by the conventions: a server's only where the fault is the server's. */
export function grpcTracing(provider: TracerProvider): TracerProvider {
  return {
    getTracer(...scope) {
      const tracer = provider.getTracer(...scope)
      return {
        startSpan: (name, options, parent) =>
          judged(tracer.startSpan(name, options, parent), options?.kind === SpanKind.SERVER),
        startActiveSpan: tracer.startActiveSpan.bind(tracer),
      }
    },
  }
}

/** The code comes after the status that it decides on. */
function judged(span: Span, isServer: boolean): Span {
  if (!span.isRecording()) return span
  const setAttribute = span.setAttribute.bind(span)
  const setAttributes = span.setAttributes.bind(span)
  const setStatus = span.setStatus.bind(span)
  const end = span.end.bind(span)
  let status: SpanStatus | undefined
  let code: string | undefined

  const note = (value: unknown) => (code = codes[Number(value)])
  return Object.assign(span, {
    setAttribute(key: string, value: AttributeValue): Span {
      if (key === statusKey) note(value)
      return setAttribute(key, value)
    },
    setAttributes(attributes: Attributes): Span {
      if (statusKey in attributes) note(attributes[statusKey])
      return setAttributes(attributes)
    },
    setStatus(stated: SpanStatus): Span {
      status = stated
      return span
    },
    end(time?: TimeInput): void {
      const isFault =
        status?.code === SpanStatusCode.ERROR && !(isServer && code !== undefined && !serverFaults.has(code))
      if (isFault && status) {
        setAttribute('error.type', code ?? '_OTHER')
        setStatus(status)
      }
      end(time)
    },
  })
}
