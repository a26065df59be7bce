import { z } from 'zod'

/** Where the collector listens, and which web pages may send to it. */
export interface CollectorSettings {
  /** 0 is any free port. */
  port: number
  host: string
  /** Origins, or `*`; none turns CORS off. */
  corsOrigins: string[]
}

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((number) => number <= 65_535)

const origin = z
  .string()
  .refine((text) => text === '*' || (URL.canParse(text) && new URL(text).origin === text.toLowerCase()))

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
}

/** Reads the collector's part of the environment; an empty variable counts as unset. Errors name variable, value and mend. */
export function readCollectorSettings(env: NodeJS.ProcessEnv): CollectorSettings {
  return {
    port: read(env, 'HEADWATER_OTLP_PORT'),
    host: read(env, 'HEADWATER_OTLP_HOST'),
    corsOrigins: read(env, 'HEADWATER_CORS_ORIGINS'),
  }
}

type Name = keyof typeof schemas

function read<N extends Name>(env: NodeJS.ProcessEnv, name: N): z.output<(typeof schemas)[N]['schema']>
function read(env: NodeJS.ProcessEnv, name: Name): unknown {
  const { schema, mend } = schemas[name]
  const value = env[name]?.trim() || undefined
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new Error(`${name} is "${value}": ${mend}`)
  return parsed.data
}
