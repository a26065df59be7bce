import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { agentVersion } from '../version.ts'
import { readPairs } from './endpoint.ts'
import type { Variables } from './settings.ts'

/** Who this process is: what it knows of itself, OTEL_RESOURCE_ATTRIBUTES, and OTEL_SERVICE_NAME before all. */
export function readResource({ text, warn }: Variables): Record<string, string | number> {
  const name = 'OTEL_RESOURCE_ATTRIBUTES'
  const stated = readPairs(text(name) ?? '', (pair) => warn(`${name}: "${pair}" is no key=value and is left out`))
  const serviceName = text('OTEL_SERVICE_NAME')
  return {
    'service.name': `unknown_service:${basename(process.argv0)}`,
    'service.instance.id': randomUUID(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'host.name': hostname(),
    'telemetry.sdk.name': 'headwater',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': agentVersion,
    'telemetry.distro.name': 'headwater',
    'telemetry.distro.version': agentVersion,
    ...Object.fromEntries(stated.map(([key, value]) => [key, value])),
    ...(serviceName === undefined ? {} : { 'service.name': serviceName }),
  }
}
