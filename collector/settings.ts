import { z } from 'zod'
import { type AccessSettings, readAccessSettings } from './access/settings.ts'
import type { Acknowledgement } from './keeper.ts'
import { readSamplingSettings, type SamplingSettings } from './sampling/settings.ts'

/** Where the collector listens, who may send to it, and what it keeps. */
export interface CollectorSettings {
  /** 0 is any free port. */
  port: number
  host: string
  /** Origins, or `*`; none turns CORS off. */
  corsOrigins: string[]
  acknowledgement: Acknowledgement
  /** What the write-ahead log may take on disk. */
  logBytesMax: number
  /** A file of redaction rules; the defaults alone without. */
  redactionPath?: string
  /** Makes hashes of values the same in every collector that has it. */
  hashKey?: string
  access: AccessSettings
  sampling: SamplingSettings
}

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((number) => number <= 65_535)

const origin = z
  .string()
  .refine((text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text.toLowerCase()))

const units: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, MiB: 2 ** 20, GiB: 2 ** 30 }
const logBytesMin = 64e6

const size = z.string().transform((text, context) => {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(MB|GB|MiB|GiB)$/.exec(text) ?? []
  const bytes = Number(number) * (units[unit] ?? 1)
  if (bytes >= logBytesMin) return Math.floor(bytes)
  context.addIssue('not a size')
  return z.NEVER
})

const schemas = {
  HEADWATER_OTLP_PORT: {
    schema: port.default(4318),
    mend: 'give a port from 1 to 65535, or 0 for any free one; 4318 is the standard',
  },
  HEADWATER_OTLP_HOST: {
    schema: z
      .string()
      .regex(/^[\w.:-]+$/)
      .default('127.0.0.1'),
    mend: 'give an address or host name of this machine, such as 127.0.0.1, or 0.0.0.0 for all its addresses',
  },
  HEADWATER_CORS_ORIGINS: {
    schema: z
      .string()
      .transform((list) => list.split(',').flatMap((entry) => entry.trim() || []))
      .pipe(z.array(origin))
      .default([]),
    mend: 'give origins between commas, such as https://shop.example,http://localhost:3000, or *',
  },
  HEADWATER_ACK: {
    schema: z.enum(['stored', 'logged']).default('logged'),
    mend: 'give logged (a request is acknowledged once its records are in the write-ahead log) or stored (once ClickHouse has them)',
  },
  HEADWATER_LOG_MAX: {
    schema: size.default(4 * 2 ** 30),
    mend: 'give a size from 64MB, such as 4GiB',
  },
  HEADWATER_REDACT: {
    schema: z.string().max(4_096).optional(),
    mend: 'give the path of a JSON file of rules',
  },
  HEADWATER_HASH_KEY: {
    schema: z.string().min(16).max(1_024).optional(),
    mend: 'give a secret of at least 16 characters, the same for all collectors',
  },
}

const secrets = new Set<string>(['HEADWATER_HASH_KEY'])

/** Reads the collector's part of the environment; an empty variable counts as unset. Errors name variable, value and mend. */
export function readCollectorSettings(env: NodeJS.ProcessEnv): CollectorSettings {
  const redactionPath = read(env, 'HEADWATER_REDACT')
  const hashKey = read(env, 'HEADWATER_HASH_KEY')
  return {
    port: read(env, 'HEADWATER_OTLP_PORT'),
    host: read(env, 'HEADWATER_OTLP_HOST'),
    corsOrigins: read(env, 'HEADWATER_CORS_ORIGINS'),
    acknowledgement: read(env, 'HEADWATER_ACK'),
    logBytesMax: read(env, 'HEADWATER_LOG_MAX'),
    ...(redactionPath === undefined ? {} : { redactionPath }),
    ...(hashKey === undefined ? {} : { hashKey }),
    access: readAccessSettings(env),
    sampling: readSamplingSettings(env),
  }
}

type Name = keyof typeof schemas

function read<N extends Name>(env: NodeJS.ProcessEnv, name: N): z.output<(typeof schemas)[N]['schema']>
function read(env: NodeJS.ProcessEnv, name: Name): unknown {
  const { schema, mend } = schemas[name]
  const value = env[name]?.trim() || undefined
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new Error(`${name} is ${secrets.has(name) ? 'not usable' : `"${value}"`}: ${mend}`)
  return parsed.data
}
