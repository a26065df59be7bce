import { type IncomingMessage, type RequestOptions, ServerResponse } from 'node:http'
import { type Span, context } from '@opentelemetry/api'
import { getRPCMetadata } from '@opentelemetry/core'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { type Trust, isTrustedPeer } from '@headwater/vocabulary'
import { flowIdHeader } from './flow-claims.ts'
import { headersFor, noteHost, notePeer } from './flow-propagator.ts'
import { headersAsObject } from './header-list.ts'
import { flowIdOf, hopOf, hopOfSpan } from './hop.ts'

/** Spans for `node:http` and `node:https`, with what the rules of trust need to know of each request. */
export function httpTracing(trust: Trust): HttpInstrumentation {
  return new HttpInstrumentation({
    startIncomingSpanHook(request) {
      const isTrusted = isTrustedPeer(trust, request.socket.remoteAddress, {
        forwarded: request.headers.forwarded,
        xForwardedFor: single(request.headers['x-forwarded-for']),
      })
      notePeer(request.headers, isTrusted ? 'trusted' : 'untrusted')
      return withoutQuery
    },
    startOutgoingSpanHook(options) {
      const host = hostOf(options)
      options.headers = headersFor(host, headersAsObject(options.headers))
      const port = options.port === undefined || options.port === null ? '' : `:${options.port}`
      return { 'url.full': pathOnly(`${options.protocol ?? 'http:'}//${host}${port}${options.path ?? '/'}`) }
    },
    requestHook(_span, request) {
      if (!('httpVersion' in request)) return
      const hop = hopOf(context.active())
      if (hop) hop.incoming = { request, rpc: getRPCMetadata(context.active()), isRouted: false }
    },
    responseHook(_span, response) {
      const id = response instanceof ServerResponse ? flowIdOf(context.active()) : undefined
      if (id !== undefined && response instanceof ServerResponse) response.setHeader(flowIdHeader, id)
    },
    applyCustomAttributesOnSpan(span, _request, response) {
      if (response instanceof ServerResponse && response.statusCode >= 500) recordException(span)
    },
  })
}

/** Spans for `fetch` and undici. */
export function fetchTracing(): UndiciInstrumentation {
  return new UndiciInstrumentation({
    startSpanHook: (request) => ({ ...withoutQuery, 'url.full': pathOnly(`${request.origin}${request.path}`) }),
    requestHook: (span, request) => noteHost(span, new URL(request.origin).hostname),
  })
}

/** Query strings carry tokens and names; what failed is told by the path. */
const withoutQuery = { 'url.query': undefined }

function pathOnly(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? ''
}

function recordException(span: Span): void {
  const exception = hopOfSpan(span)?.exception
  if (!exception) return
  const { error, at } = exception
  span.recordException(error instanceof Error ? error : String(error), at)
}

function hostOf(options: RequestOptions): string {
  const host = options.hostname ?? options.host ?? 'localhost'
  return host.startsWith('[') || host.split(':').length > 2 ? host : host.replace(/:\d+$/, '')
}

function single(header: IncomingMessage['headers'][string]): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
