import { plan, type ServiceName, serviceNames } from '../plan.ts'

/** Which service this process is, and which instance of it, counted from 0. */
export const identity = readIdentity(process.env)

function readIdentity(env: NodeJS.ProcessEnv): { name: ServiceName; instance: number; port: number; outside: string } {
  const name = serviceNames.find((known) => known === env['OTEL_SERVICE_NAME'])
  if (name === undefined) {
    throw new Error(`OTEL_SERVICE_NAME: "${env['OTEL_SERVICE_NAME']}" is none of ${serviceNames.join(', ')}`)
  }
  return {
    name,
    instance: Number(env['INSTANCE'] ?? '0'),
    port: Number(env['PORT'] ?? '0'),
    outside: plan[name].outside,
  }
}
