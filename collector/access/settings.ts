import { z } from 'zod'
import type { TlsPaths } from './tls.ts'

/** Who may send, and over what. */
export interface AccessSettings {
  /** The file of keys; none is an open door. */
  keysPath?: string
  /** Certificate and key; none is plain HTTP. */
  tls?: TlsPaths
}

const path = z
  .string()
  .max(4_096)
  .regex(/^\P{Cc}+$/u)
  .optional()

const schemas = {
  HEADWATER_KEYS: {
    schema: path,
    mend: 'give the path of a file of keys, such as /etc/headwater/keys.json; `headwater keys add NAME` makes it',
  },
  HEADWATER_OTLP_TLS_CERT: {
    schema: path,
    mend: 'give the path of a PEM file with the certificate and those between it and its root',
  },
  HEADWATER_OTLP_TLS_KEY: {
    schema: path,
    mend: "give the path of a PEM file with the certificate's private key",
  },
}

/** Reads the part of the environment that says who may send; an empty variable counts as unset. Errors name variable, value and mend. */
export function readAccessSettings(env: NodeJS.ProcessEnv): AccessSettings {
  const keysPath = readKeysPath(env)
  const certPath = read(env, 'HEADWATER_OTLP_TLS_CERT')
  const keyPath = read(env, 'HEADWATER_OTLP_TLS_KEY')
  if ((certPath === undefined) !== (keyPath === undefined)) {
    const [set, unset] =
      keyPath === undefined
        ? [`HEADWATER_OTLP_TLS_CERT is "${certPath}"`, 'HEADWATER_OTLP_TLS_KEY']
        : [`HEADWATER_OTLP_TLS_KEY is "${keyPath}"`, 'HEADWATER_OTLP_TLS_CERT']
    throw new Error(`${set} and ${unset} is not set: set both, or neither for plain HTTP`)
  }
  return {
    ...(keysPath === undefined ? {} : { keysPath }),
    ...(certPath === undefined || keyPath === undefined ? {} : { tls: { certPath, keyPath } }),
  }
}

/** Where the keys are, for those who change them. */
export function readKeysPath(env: NodeJS.ProcessEnv): string | undefined {
  return read(env, 'HEADWATER_KEYS')
}

function read(env: NodeJS.ProcessEnv, name: keyof typeof schemas): string | undefined {
  const { schema, mend } = schemas[name]
  const value = env[name]?.trim() || undefined
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new Error(`${name} is ${JSON.stringify(value?.slice(0, 200))}: ${mend}`)
  return parsed.data
}
