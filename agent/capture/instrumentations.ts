// Databases and gRPC have no channels, and OpenTelemetry's own instrumentations of them are good. They are packages of the
// service's choice, never dependencies of ours: where the service uses a library and has its instrumentation installed, it
// is loaded, set up so that it tells no values, and put on our tracing.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type TracerProvider, trace } from '@opentelemetry/api'
import type { Capturing } from './capturing.ts'
import { type Discretion, discreetTracing } from './discreet-tracing.ts'
import { grpcTracing, tellGrpcPeers } from './grpc.ts'
import type { Patch, Patches } from './on-load.ts'
import { withoutLiterals } from './sql-text.ts'

interface Instrumentation {
  /** What a service asks for when it uses the library. */
  libraries: readonly string[]
  packageName: string
  /** Its export that makes one. */
  className: string
  settings: Readonly<Record<string, unknown>>
  /** Stands between the instrumentation and our tracing. */
  tracing: (provider: TracerProvider) => TracerProvider
  /** What it leaves open. */
  complete?: (library: unknown, capturing: Pick<Capturing, 'trust'>) => void
}

const postgresql: Discretion = { statement: (text) => withoutLiterals(text, 'postgresql') }
const mysql: Discretion = { statement: (text) => withoutLiterals(text, 'mysql') }
const redis: Discretion = {
  statement: (text) => text,
  codeOf: (message) => /^[A-Z]{3,20}(?= )/.exec(message)?.[0],
}
/** Its statements come with `?` for each value. */
const mongodb: Discretion = { statement: (text) => text.slice(0, 2_048) }

const discreetly = (discretion: Discretion) => (provider: TracerProvider) => discreetTracing(provider, discretion)
const commandOnly = { dbStatementSerializer: (command: string) => command }

const instrumentations: readonly Instrumentation[] = [
  {
    libraries: ['pg'],
    packageName: '@opentelemetry/instrumentation-pg',
    className: 'PgInstrumentation',
    settings: { enhancedDatabaseReporting: false },
    tracing: discreetly(postgresql),
  },
  {
    libraries: ['mysql2', 'mysql2/promise', 'mysql2/promise.js'],
    packageName: '@opentelemetry/instrumentation-mysql2',
    className: 'MySQL2Instrumentation',
    // Without it, the values are written into the statement before we see it.
    settings: { maskStatement: true, maskStatementHook: mysql.statement },
    tracing: discreetly(mysql),
  },
  {
    libraries: ['mysql'],
    packageName: '@opentelemetry/instrumentation-mysql',
    className: 'MySQLInstrumentation',
    settings: { enhancedDatabaseReporting: false },
    tracing: discreetly(mysql),
  },
  {
    libraries: ['redis', '@redis/client', '@node-redis/client'],
    packageName: '@opentelemetry/instrumentation-redis',
    className: 'RedisInstrumentation',
    settings: commandOnly,
    tracing: discreetly(redis),
  },
  {
    libraries: ['ioredis'],
    packageName: '@opentelemetry/instrumentation-ioredis',
    className: 'IORedisInstrumentation',
    settings: commandOnly,
    tracing: discreetly(redis),
  },
  {
    libraries: ['mongodb'],
    packageName: '@opentelemetry/instrumentation-mongodb',
    className: 'MongoDBInstrumentation',
    settings: { enhancedDatabaseReporting: false },
    tracing: discreetly(mongodb),
  },
  {
    libraries: ['@grpc/grpc-js'],
    packageName: '@opentelemetry/instrumentation-grpc',
    className: 'GrpcInstrumentation',
    settings: {},
    tracing: grpcTracing,
    complete: (library, { trust }) => tellGrpcPeers(library, trust),
  },
]

/** As far as all versions of OpenTelemetry's base class have it. */
interface Instance {
  setTracerProvider(provider: TracerProvider): void
  enable(): void
}

/**
 * Whose the instrumentation of a library is: ours; the service's, which has asked for it itself before it asked for the library;
 * nobody's, as it is not installed; or ours, but it could not be started.
 */
export type InstrumentationState =
  | { state: 'ours'; instance: Instance }
  | { state: 'theirs' }
  | { state: 'not installed' }
  | { state: 'broken' }

const states = new Map<string, InstrumentationState>()
let isLoading = false

/** The package that would instrument `library`, and whose it is. For those who look at what is captured. */
export function instrumentationOf(library: string): { packageName: string; has?: InstrumentationState } | undefined {
  const found = instrumentations.find(({ libraries }) => libraries.includes(library))
  if (found === undefined) return undefined
  const has = states.get(found.packageName)
  return { packageName: found.packageName, ...(has === undefined ? {} : { has }) }
}

/**
 * Patches for `onLoad`. A service that loads an instrumentation itself, before it loads the library, has its own plans with it,
 * and it stays the service's. Later is too late, as it is without us: ours stays, or the service's takes its place where it is put
 * on the library once more. There are never two spans for one call, since each takes off what is wrapped already.
 */
export function instrumentationPatches(capturing: Pick<Capturing, 'trust'>): Patches {
  const before: Record<string, (asker: string | undefined) => void> = {}
  const after: Record<string, Patch> = {}
  for (const instrumentation of instrumentations) {
    const { packageName, libraries, complete } = instrumentation
    before[packageName] = () => {
      if (!isLoading && !states.has(packageName)) states.set(packageName, { state: 'theirs' })
    }
    for (const library of libraries) {
      before[library] = (asker) => setUp(instrumentation, asker)
      after[library] = (exports, { asker }) => {
        const has = states.get(packageName)?.state
        if (has !== 'ours' && has !== 'theirs') return
        const instrumented = requireOnceMore(library, asker) ?? exports
        complete?.(instrumented, capturing)
      }
    }
  }
  return { before, after }
}

function setUp(instrumentation: Instrumentation, asker: string | undefined): InstrumentationState {
  const { packageName, className, settings, tracing } = instrumentation
  const known = states.get(packageName)
  if (known !== undefined && known.state !== 'not installed') return known
  const path = findPackage(packageName, asker)
  if (path === undefined) return keep({ state: 'not installed' })
  // Until it has started.
  keep({ state: 'broken' })
  const instance = withStableConventions(() => {
    const exports = createRequire(import.meta.url)(path) as Record<string, new (settings: object) => Instance>
    const Class = exports[className]
    if (Class === undefined) throw new Error(`${packageName} has no ${className}`)
    return new Class({ ...settings, enabled: false })
  })
  instance.setTracerProvider(tracing(trace.getTracerProvider()))
  instance.enable()
  return keep({ state: 'ours', instance })

  function keep(state: InstrumentationState): InstrumentationState {
    states.set(packageName, state)
    return state
  }
}

/** As the module that uses the library would find it, else from where the service runs, else as we do. */
function findPackage(packageName: string, asker: string | undefined): string | undefined {
  isLoading = true
  try {
    for (const place of [placeOf(asker), placeOf(undefined), import.meta.url]) {
      try {
        return createRequire(place).resolve(packageName)
      } catch {
        // Not there.
      }
    }
    return undefined
  } finally {
    isLoading = false
  }
}

function placeOf(asker: string | undefined): string {
  return asker?.startsWith('file:') === true ? asker : join(process.cwd(), 'service.js')
}

/**
 * Instrumentations see a library when it is asked for by `require`. The service may have asked by `import`, or before there was an
 * instrumentation. What it has not evaluated is left alone.
 */
function requireOnceMore(library: string, asker: string | undefined): unknown {
  const require = createRequire(placeOf(asker))
  let path: string
  try {
    path = require.resolve(library)
  } catch {
    // It has no form for `require`.
    return undefined
  }
  return require.cache[path] === undefined ? undefined : require(path)
}

const conventionsVariable = 'OTEL_SEMCONV_STABILITY_OPT_IN'

/** Versions that know older conventions for databases, too, ask the environment which to follow, while they are made. */
function withStableConventions<T>(make: () => T): T {
  const stated = process.env[conventionsVariable]
  const isChosen = stated?.split(',').some((each) => /^database(\/dup)?$/i.test(each.trim())) === true
  isLoading = true
  try {
    if (!isChosen) process.env[conventionsVariable] = [...(stated ? [stated] : []), 'http,database'].join(',')
    return make()
  } finally {
    isLoading = false
    if (stated === undefined) Reflect.deleteProperty(process.env, conventionsVariable)
    else process.env[conventionsVariable] = stated
  }
}
