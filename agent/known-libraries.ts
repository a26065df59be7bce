// What the doctor knows of libraries: what of each is captured and by what, or why not and what to do. Loaded for the doctor only.

import type { DoctorFinding } from '@headwater/vocabulary'
import { type InstrumentationState, instrumentationOf } from './capture/instrumentations.ts'
import { type Outcome, patchOutcome } from './capture/on-load.ts'
import type { AgentSettings } from './settings/settings.ts'

/** A library that the service has loaded. */
export interface FoundLibrary {
  name: string
  version: string
  settings: Pick<AgentSettings, 'instrumentations' | 'logIds'>
  /** The service loads `@headwater/agent` itself, and so may carry flows by hand. */
  usesAgent: boolean
}

export type Verdict = Omit<DoctorFinding, 'check'>
type Judge = (found: FoundLibrary) => Verdict

const good = (says: string): Verdict => ({ status: 'good', says })
const bad = (says: string, mend: string): Verdict => ({ status: 'bad', says, mend })
const unknown = (says: string, mend?: string): Verdict => ({
  status: 'unknown',
  says,
  ...(mend === undefined ? {} : { mend }),
})

const tooEarly = bad(
  'not captured: it was loaded before the agent',
  'let --import @headwater/agent/register be the first that Node loads, before any --require',
)

const notYet = unknown('captured as soon as it is loaded; so far it was only looked for')

/** By a channel of the library's own, from a version on. */
function byChannel(what: string, since: string, before?: Judge): Judge {
  return (found) => {
    if (isAtLeast(found.version, since)) return good(`${what}, by its channel`)
    return before?.(found) ?? bad(`not captured: ${what} need ${since} or newer`, `npm i ${found.name}@latest`)
  }
}

function byPatch(what: string): Judge {
  return ({ name }) => {
    switch (patchOutcome(name)) {
      case undefined:
        return tooEarly
      case 'awaited':
        return notYet
      case 'patched':
        return good(`${what}, by a patch`)
      case 'failed':
        return bad(
          'not captured: this version cannot be patched',
          'OTEL_LOG_LEVEL=error says why; another version of it, or of @headwater/agent',
        )
    }
  }
}

function byInstrumentation(what: string): Judge {
  return ({ name, settings }) => {
    if (settings.instrumentations === 'none') return unknown('not captured: HEADWATER_INSTRUMENTATIONS is none')
    const { packageName = '', has } = instrumentationOf(name) ?? {}
    switch (has?.state) {
      case undefined:
        return outcomeOf(name) === undefined ? tooEarly : notYet
      case 'theirs':
        return good(`left to the service, which loads ${packageName} itself`)
      case 'not installed':
        return bad('not captured: its instrumentation is not installed', `npm i ${packageName}`)
      case 'broken':
        return bad(`not captured: ${packageName} cannot be started`, `npm i ${packageName}@latest`)
      case 'ours':
        if (isPatching(has)) return good(`${what}, by ${packageName}`)
        return outcomeOf(name) === 'awaited'
          ? notYet
          : bad(`not captured: this version is none that ${packageName} knows`, `npm i ${packageName}@latest`)
    }
  }
}

interface ModuleDefinition {
  moduleExports?: unknown
  files?: { moduleExports?: unknown }[]
}

/** OpenTelemetry's base class keeps what it has patched; where it does not, nobody knows better. */
function isPatching({ instance }: Extract<InstrumentationState, { state: 'ours' }>): boolean {
  const definitions = [instance, ...Object.values(instance)].flatMap((each: unknown) =>
    typeof each === 'object' && each !== null && '_modules' in each && Array.isArray(each._modules)
      ? (each._modules as ModuleDefinition[])
      : [],
  )
  const patched = definitions.flatMap((definition) => [definition, ...(definition.files ?? [])])
  return patched.length === 0 || patched.some(({ moduleExports }) => moduleExports !== undefined)
}

const overHttp: Judge = () => good('requests, by the channels of node:http and fetch')
const routesUnknown: Judge = () => unknown('requests, by the channels of node:http; spans are named without routes')
const below = (what: string): Judge => {
  return () => good(`by ${what} below it`)
}

const flowsEnd: Judge = ({ usesAgent }) =>
  usesAgent
    ? unknown('flows cross this queue where the service uses withProducer and withConsumer')
    : bad(
        'not captured: flows end at this queue',
        'send in withProducer and handle in withConsumer, both of @headwater/agent',
      )

/** There is an instrumentation, but not one that we load. */
function byService(packageName: string): Judge {
  return () =>
    bad(
      'not captured',
      `npm i ${packageName}, and start it in the service: it makes its spans with the agent's tracing`,
    )
}
const byHand: Judge = () => unknown('not captured', 'make spans around its calls with @opentelemetry/api')

const lines: Judge = ({ settings: { logIds } }) =>
  logIds
    ? good('lines bear the IDs of trace, span and flow')
    : unknown('lines bear no IDs of trace and flow', 'HEADWATER_LOG_IDS=true adds them')

const judges: Readonly<Record<string, Judge>> = {
  express: byChannel('routes and exceptions', '5.3.0', byPatch('routes and exceptions')),
  fastify: byChannel('routes and exceptions', '4.10.0'),
  hono: byPatch('routes and exceptions'),
  '@nestjs/core': below('Express or Fastify'),
  ...all(['koa', '@hapi/hapi', 'restify', 'polka', 'micro', 'h3', 'next', 'nuxt'], routesUnknown),

  ...all(['axios', 'got', 'ky', 'node-fetch', 'superagent', 'undici'], overHttp),
  ...all(['@clickhouse/client', '@elastic/elasticsearch', '@opensearch-project/opensearch'], overHttp),
  '@grpc/grpc-js': byInstrumentation('calls, and flows across them'),
  ws: byPatch('messages that come in'),
  'socket.io': byHand,

  ...all(
    ['pg', 'mysql2', 'mysql', 'redis', 'ioredis', 'mongodb'],
    byInstrumentation('statements without their values'),
  ),
  knex: below('the driver'),
  sequelize: below('the driver'),
  typeorm: below('the driver'),
  'drizzle-orm': below('the driver'),
  mongoose: below('mongodb'),
  '@prisma/client': byService('@prisma/instrumentation'),
  tedious: byService('@opentelemetry/instrumentation-tedious'),
  'cassandra-driver': byService('@opentelemetry/instrumentation-cassandra-driver'),
  memcached: byService('@opentelemetry/instrumentation-memcached'),
  oracledb: byService('@opentelemetry/instrumentation-oracledb'),
  ...all(['postgres', 'mariadb', 'better-sqlite3', 'sqlite3', '@libsql/client', 'neo4j-driver', 'couchbase'], byHand),

  ...all(['bullmq', 'amqplib', 'kafkajs'], byPatch('messages, and flows go on in their consumers')),
  'amqp-connection-manager': below('amqplib'),
  ...all(['bull', 'bee-queue', 'agenda', 'pg-boss', 'graphile-worker'], flowsEnd),
  ...all(['mqtt', 'nats', '@nats-io/nats-core', 'rhea', 'stompit', 'zeromq', 'rabbitmq-client'], flowsEnd),
  ...all(['node-rdkafka', '@confluentinc/kafka-javascript', '@platformatic/kafka'], flowsEnd),
  ...all(['@aws-sdk/client-sqs', '@aws-sdk/client-sns', '@aws-sdk/client-kinesis', 'sqs-consumer'], flowsEnd),
  ...all(['@google-cloud/pubsub', '@azure/service-bus', '@azure/event-hubs'], flowsEnd),

  ...all(['node-cron', 'cron', 'croner', 'node-schedule'], byPatch('jobs, each a run of its own')),

  pino: lines,
  winston: lines,
  ...all(['bunyan', 'log4js', 'loglevel', 'signale'], () =>
    unknown('lines bear no IDs of trace and flow', 'currentFlow() of @headwater/agent has them'),
  ),
}

/** Another name under which a library is loaded. */
const aliases: Readonly<Record<string, string>> = { '@redis/client': 'redis', '@node-redis/client': 'redis' }

/** The library's name as it is spoken of, if it is known. */
export function knownLibrary(packageName: string): string | undefined {
  const name = Object.hasOwn(aliases, packageName) ? aliases[packageName] : packageName
  return name !== undefined && Object.hasOwn(judges, name) ? name : undefined
}

/** Of a library that may be loaded under another name. */
function outcomeOf(name: string): Outcome | undefined {
  const others = Object.keys(aliases).filter((alias) => aliases[alias] === name)
  return [name, ...others].map(patchOutcome).find((outcome) => outcome !== undefined)
}

export const knownLibraries: readonly string[] = Object.keys(judges)

/** What of `found` is captured. */
export function judgeLibrary(found: FoundLibrary): Verdict {
  return judges[found.name]?.(found) ?? byHand(found)
}

/** Compares the first three numbers of versions. */
export function isAtLeast(version: string, least: string): boolean {
  const [is, wanted] = [numbersOf(version), numbersOf(least)]
  for (const [index, number] of wanted.entries()) {
    const difference = (is[index] ?? 0) - number
    if (difference !== 0) return difference > 0
  }
  return true
}

function numbersOf(version: string): number[] {
  return version.split('.', 3).map((part) => Number.parseInt(part, 10) || 0)
}

function all(names: readonly string[], judge: Judge): Record<string, Judge> {
  return Object.fromEntries(names.map((name) => [name, judge]))
}
