// The SDK's types, by way of the package that we depend on.

import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node'

export type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number]
export type SpanExporter = NodeSDKConfiguration['traceExporter']
export type Span = Parameters<SpanProcessor['onStart']>[0]
export type ReadableSpan = Parameters<SpanProcessor['onEnd']>[0]
