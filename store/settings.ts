import { z } from 'zod'

/** Where data lives, and for how long. */
export interface StoreSettings {
  /** The embedded engines' directory, and where `run.json` is. */
  dataDir: string
  /** A ClickHouse server; nothing is started for it. */
  clickhouseUrl?: string
  /** A PostgreSQL server; nothing is started for it. */
  databaseUrl?: string
  retentionDays: number
  /** Telemetry beyond this is dropped, oldest day first. */
  diskMaxBytes?: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the store's part of the environment; an empty variable counts as unset. Errors name variable, value and mend. */
export function readStoreSettings(env: Environment): StoreSettings {
  const clickhouseUrl = read(env, 'CLICKHOUSE_URL', url(['http:', 'https:']), {
    mend: 'give an HTTP URL with user, password and database, such as http://default:secret@clickhouse:8123/headwater',
    secret: true,
  })
  const databaseUrl = read(env, 'DATABASE_URL', url(['postgres:', 'postgresql:']), {
    mend: 'give a PostgreSQL URL, such as postgres://headwater:secret@postgres:5432/headwater',
    secret: true,
  })
  const diskMaxBytes = read(env, 'HEADWATER_DISK_MAX', size, { mend: 'give a size such as 20GB or 512MB' })
  return {
    dataDir: env['HEADWATER_DATA'] || '.headwater',
    ...(clickhouseUrl === undefined ? {} : { clickhouseUrl }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    retentionDays: read(env, 'HEADWATER_RETENTION', days, { mend: 'give days, such as 30 or 30d' }) ?? 30,
    ...(diskMaxBytes === undefined ? {} : { diskMaxBytes }),
  }
}

const days = z
  .string()
  .regex(/^\d{1,4}d?$/)
  .transform((text) => Number.parseInt(text, 10))
  .refine((count) => count >= 1 && count <= 3_650)

const units: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

const size = z.string().transform((text, context) => {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(MB|GB|TB|MiB|GiB|TiB)$/.exec(text) ?? []
  if (number === undefined || unit === undefined) {
    context.addIssue('not a size')
    return z.NEVER
  }
  return Math.floor(Number(number) * (units[unit] ?? 1))
})

function url(protocols: string[]): z.ZodType<string> {
  return z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol))
}

function read<T>(
  env: Environment,
  name: string,
  schema: z.ZodType<T>,
  { mend, secret = false }: { mend: string; secret?: boolean },
): T | undefined {
  const value = env[name]?.trim()
  if (value === undefined || value === '') return undefined
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new Error(`${name} is ${secret ? 'not usable (its value is not shown)' : `"${value}"`}: ${mend}`)
  return parsed.data
}
