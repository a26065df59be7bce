import type { Context, Tracer } from '@opentelemetry/api'
import type { Trust } from '@headwater/vocabulary'
import type { FlowPropagator } from '../propagation/flow-propagator.ts'

/** What captures work with: they know OpenTelemetry's API and our propagator, and no SDK. */
export interface Capturing {
  tracer: () => Tracer
  propagator: FlowPropagator
  trust: Trust
  /** What another propagator of the service's reads from a request's headers. */
  extractMore?: (headers: object) => Context
  /** Whether OpenTelemetry's instrumentations of databases and gRPC are loaded where the service has them. */
  instrumentations: 'auto' | 'none'
  /** Lines of loggers bear the IDs of trace, span and flow. */
  logIds: boolean
}
