// The supervisor: starts the services, their peers and the broker, each in a process of its own, tells them where the
// others are, and breaks and mends them. It speaks to them by IPC only, so nothing of that is in their telemetry.

import { setTimeout as wait } from 'node:timers/promises'
import { Child } from './child.ts'
import type { Condition, Directory, Slowness, ToOutside, ToService } from './control.ts'
import { startEntry } from './entry.ts'
import { type Fault, type FaultRequest, operationFor } from './fault.ts'
import { operationsOf, outsidePathOf, plan, type ServiceName, serviceNames } from './plan.ts'
import { freePorts } from './ports.ts'
import { between, type Random, randomFrom } from './random.ts'

export interface FleetOptions {
  /** Where the services send their spans. */
  otlpUrl: string
  seed: number
  log?: (line: string) => void
  /** How long spans wait for company before they are sent. */
  exportDelayMs?: number
}

export interface Fleet {
  /** For the users. */
  gatewayUrl: string
  services: { name: ServiceName; operations: string[] }[]
  /** Breaks an operation until `clear`; done when the fault is in effect. There is one fault at a time. */
  inject(request: FaultRequest): Promise<Fault>
  /** Replaces a service by one of another version, as a deploy does; done when the old one has ended. Not while a fault is on. */
  deploy(service: ServiceName, version: string): Promise<void>
  /** Mends what is broken; done when all services serve again. */
  clear(): Promise<void>
  stop(): Promise<void>
}

/** How long a service that died stays away. */
const restartAfterMs = 2_000
/** Calls that are under way when an instance is taken from the directory have this long to end. */
const drainMs = 2_500
const slownessMs = 700
/** With less, a service that calls others much spends more time on collecting garbage than on its work. */
const lean = ['--max-old-space-size=128', '--max-semi-space-size=16']

interface Instance {
  child: Child
  port: number
  condition: Condition | null
}

/** Starts the fleet; done when every flow can be served. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { otlpUrl, seed, log = () => undefined, exportDelayMs = 1_000 } = options
  const random = randomFrom(seed, 'faults')
  const ports = await freePorts(2 + serviceNames.length * 3)
  const takePort = () => ports.pop() ?? 0
  const [entryPort, brokerPort] = [takePort(), takePort()]
  const outsidePorts = Object.fromEntries(serviceNames.map((name) => [plan[name].outside, takePort()]))

  const bareEnv = environment()
  const plainChild = { execArgv: ['--max-old-space-size=64'], greetings: () => [], log }
  const outside = new Child({
    ...plainChild,
    name: 'outside',
    module: 'outside.ts',
    env: { ...bareEnv, FLEET_OUTSIDE: JSON.stringify(outsidePorts), FLEET_SEED: String(seed) },
  })
  const broker = new Child({
    ...plainChild,
    name: 'broker',
    module: 'broker.ts',
    env: { ...bareEnv, PORT: String(brokerPort) },
  })

  /** The first instance of each service is there for good; a second one comes with a bad version. */
  const firsts = mapServices((name) => instanceOf(name, 0, '1.0.0', takePort()))
  const secondPorts = mapServices(() => takePort())
  let second: { name: ServiceName; instance: Instance } | null = null
  let fault: Fault | null = null

  function instanceOf(name: ServiceName, index: number, version: string, port: number): Instance {
    const instance: Instance = {
      port,
      condition: null,
      child: new Child({
        name: index === 0 ? name : `${name} ${version}`,
        module: `services/${name}.ts`,
        env: {
          ...bareEnv,
          PORT: String(port),
          INSTANCE: String(index),
          OTEL_SERVICE_NAME: name,
          // They are nobody.
          HEADWATER_USER_IDS: 'plain',
          HEADWATER_SPOOL: 'none',
          OTEL_RESOURCE_ATTRIBUTES: `service.version=${version},service.instance.id=${name}-${index + 1}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
          OTEL_BSP_SCHEDULE_DELAY: String(exportDelayMs),
        },
        execArgv: [...lean, '--import', import.meta.resolve('@headwater/agent/register')],
        greetings: (): ToService[] => [{ directory: directory() }, { condition: instance.condition }],
        log,
        restartAfterMs,
      }),
    }
    return instance
  }

  function directory(): Directory {
    const services = mapServices((name) => [
      firsts[name].port,
      ...(second?.name === name ? [second.instance.port] : []),
    ])
    return { services, outside: outsidePorts, brokerPort }
  }

  function announce(): void {
    const message: ToService = { directory: directory() }
    for (const name of serviceNames) firsts[name].child.send(message)
    second?.instance.child.send(message)
  }

  function setCondition(instance: Instance, condition: Condition | null): void {
    instance.condition = condition
    const message: ToService = { condition }
    instance.child.send(message)
  }

  function setSlowness(slowness: Slowness | null): void {
    const message: ToOutside = { slowness }
    outside.send(message)
  }

  async function addBadInstance(name: ServiceName, operation: string): Promise<void> {
    const instance = instanceOf(name, 1, '2.0.0', secondPorts[name])
    instance.condition = newCondition('errors', operation, 0.9, random)
    await instance.child.start()
    second = { name, instance }
    announce()
  }

  async function removeBadInstance(): Promise<void> {
    if (second === null) return
    const { instance } = second
    setCondition(instance, null)
    second = null
    announce()
    await wait(drainMs)
    await instance.child.end()
  }

  async function deploy(name: ServiceName, version: string): Promise<void> {
    if (fault !== null) throw new Error(`Cannot deploy ${name}: ${fault.kind} of ${fault.service} is on; clear it`)
    const old = firsts[name]
    const instance = instanceOf(name, 0, version, secondPorts[name])
    try {
      await instance.child.start()
    } catch (cause) {
      await instance.child.end()
      throw new Error(`Cannot deploy ${name} ${version}`, { cause })
    }
    firsts[name] = instance
    secondPorts[name] = old.port
    announce()
    await wait(drainMs)
    await old.child.end()
  }

  async function inject(request: FaultRequest): Promise<Fault> {
    if (fault !== null)
      throw new Error(`Cannot inject ${request.kind}: ${fault.kind} of ${fault.service} is on; clear it`)
    const { kind, service } = request
    const operation = operationFor(request, seed)
    switch (kind) {
      case 'errors':
        setCondition(firsts[service], newCondition('errors', operation, between(random, 0.5, 0.8), random))
        break
      case 'latency':
        setCondition(firsts[service], newCondition('latency', operation, 1, random))
        break
      case 'crash':
        setCondition(firsts[service], newCondition('crash', operation, 1, random))
        break
      case 'slow-dependency':
        setSlowness({ peer: plan[service].outside, path: outsidePathOf(service, operation), delayMs: slownessMs })
        break
      case 'bad-version':
        await addBadInstance(service, operation)
        break
    }
    fault = { kind, service, operation, injectedAt: new Date().toISOString() }
    return fault
  }

  async function clear(): Promise<void> {
    for (const name of serviceNames) if (firsts[name].condition !== null) setCondition(firsts[name], null)
    setSlowness(null)
    await removeBadInstance()
    await Promise.all(serviceNames.map((name) => firsts[name].child.ready()))
    fault = null
  }

  const entry = await startEntry(entryPort, () => directory().services.gateway)

  async function stop(): Promise<void> {
    entry.close()
    const services = [...serviceNames.map((name) => firsts[name].child), ...(second ? [second.instance.child] : [])]
    await Promise.all(services.map((child) => child.end()))
    await Promise.all([broker.end(), outside.end()])
  }

  try {
    await Promise.all([outside.start(), broker.start()])
    await Promise.all(serviceNames.map((name) => firsts[name].child.start()))
  } catch (cause) {
    await stop()
    throw new Error('Cannot start the fleet', { cause })
  }
  return {
    gatewayUrl: `http://127.0.0.1:${entryPort}`,
    services: serviceNames.map((name) => ({ name, operations: operationsOf(name) })),
    inject,
    deploy,
    clear,
    stop,
  }
}

function newCondition(effect: Condition['effect'], operation: string, share: number, random: Random): Condition {
  return { effect, operation, share, seed: Math.floor(random() * 2 ** 31) }
}

function mapServices<T>(make: (name: ServiceName) => T): Record<ServiceName, T> {
  return Object.fromEntries(serviceNames.map((name) => [name, make(name)])) as Record<ServiceName, T>
}

/** What processes need of ours; telemetry settings of the shell must not reach them. */
function environment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(kept)
}
