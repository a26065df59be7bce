import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import type { AgentSettings } from '../settings/settings.ts'
import { addHeadwater } from './with-headwater.ts'

/** Starts OpenTelemetry's SDK with our propagator, span processor and captures. */
export function startSdk(settings: AgentSettings, options: { serviceName?: string | undefined }): void {
  const configuration = {
    serviceName: options.serviceName ?? String(settings.resource['service.name']),
    // The SDK is another one, and says so.
    resource: resourceFromAttributes(settings.resource).merge(defaultResource()),
    resourceDetectors: [],
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  }
  new NodeSDK(addHeadwater(configuration, settings, true)).start()
}
