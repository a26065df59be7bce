import { readFileSync, statSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import type { z } from 'zod'
import { type AlertsConfiguration, configurationForm } from './configuration.ts'

/** The alerts of one Headwater: the operator's file, and where its links lead. */
export interface AlertSettings {
  configuration: AlertsConfiguration
  /** Without a slash at its end. */
  publicUrl: string
}

/** The file, or a variable, has something that cannot be used. */
export class AlertsRefused extends Error {
  override name = 'AlertsRefused'
}

type Environment = Readonly<Record<string, string | undefined>>

const fileBytesMax = 256 * 1_024

/**
 * Reads `HEADWATER_ALERTS` and the file that it names, and `HEADWATER_PUBLIC_URL`. `undefined` where no file is named: then nobody
 * is alerted. Throws {@link AlertsRefused}.
 */
export function readAlertSettings(env: Environment): AlertSettings | undefined {
  const path = env['HEADWATER_ALERTS']
  const publicUrl = readPublicUrl(env['HEADWATER_PUBLIC_URL'] || 'http://localhost:8012')
  if (!path) return undefined
  let text: string
  try {
    const { size } = statSync(path)
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, at most ${fileBytesMax} are read`)
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AlertsRefused(`Cannot read HEADWATER_ALERTS="${path}": name a YAML file of destinations and routes`, {
      cause,
    })
  }
  return { configuration: parseConfiguration(text, { path, env }), publicUrl }
}

function readPublicUrl(text: string): string {
  if (!URL.canParse(text) || !['http:', 'https:'].includes(new URL(text).protocol)) {
    throw new AlertsRefused(
      `Cannot use HEADWATER_PUBLIC_URL="${text}": give the URL at which people open the console, such as https://headwater.example.com`,
    )
  }
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`.replace(/\/+$/, '')
}

/** Reads the text of the file. `${NAME}` within a text is that variable of the environment, for what must not stand in files. */
export function parseConfiguration(
  text: string,
  { path, env }: { path: string; env: Environment },
): AlertsConfiguration {
  let raw: unknown
  try {
    raw = parse(text) ?? {}
  } catch (error) {
    // What follows the first line quotes the file, which may have secrets.
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    const deed = error instanceof YAMLParseError ? 'is not YAML' : 'cannot be used'
    throw new AlertsRefused(`Cannot use ${path}: it ${deed}: ${line.replace(/:$/, '')}`)
  }
  const filled = fillVariables(raw, { path, env, at: [] })
  const parsed = configurationForm.safeParse(filled)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new AlertsRefused(`Cannot use ${path}: ${issue === undefined ? 'it is not understood' : told(issue, raw)}`)
}

interface Place {
  path: string
  env: Environment
  at: PropertyKey[]
}

function fillVariables(value: unknown, { path, env, at }: Place): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      const found = env[name]
      if (found) return found
      throw new AlertsRefused(`Cannot use ${path}: ${dotted(at)} names the variable ${name}, which is not set: set it`)
    })
  }
  if (Array.isArray(value)) return value.map((each, index) => fillVariables(each, { path, env, at: [...at, index] }))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, fillVariables(each, { path, env, at: [...at, key] })]),
    )
  }
  return value
}

function told(issue: z.core.$ZodIssue, raw: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `${dotted([...issue.path, issue.keys[0] ?? ''])} is unknown: leave it out, or see whether it is misspelt`
  }
  // The name in a map is what is wrong, and not what stands under it.
  const inner = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined
  if (inner !== undefined) return `the name ${dotted(issue.path)} cannot be used: ${inner}`
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'type')
    return `${shown(issue.path, raw)}: ${issue.message}`
  return `${shown(issue.path, raw)}: ${issue.message}`
}

/** Places whose values may be secrets; a webhook's URL often is one. */
const secretForm = /^(url|secrets|routing_key|headers|template)$/

function shown(at: PropertyKey[], raw: unknown): string {
  const value = at.reduce<unknown>(
    (within, key) =>
      within !== null && typeof within === 'object' ? (within as Record<PropertyKey, unknown>)[key] : undefined,
    raw,
  )
  const place = at.length === 0 ? 'the file' : dotted(at)
  if (value === undefined) return `${place} is missing`
  if (at.some((key) => secretForm.test(String(key)))) return `${place} (its value is not shown) cannot be used`
  if (typeof value === 'object') return `${place} cannot be used`
  return `${place} is ${JSON.stringify(value).slice(0, 200)}`
}

function dotted(at: PropertyKey[]): string {
  return at
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('')
}
