// The operator's rules, from a JSON file:
//
//   {"defaults": true, "rules": [
//     {"attribute": "user.email", "action": "hash"},
//     {"attribute": "*.ssn", "action": "drop"},
//     {"pattern": "\\bPO-[0-9]+\\b", "action": "mask"}]}

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { linearPattern } from './linear-pattern.ts'
import { requiredLiteral } from './required-literal.ts'

/** What is done to an attribute, or to a part of a text. */
export type Action = 'keep' | 'drop' | 'hash' | 'mask'

/** Says what happens to attributes by their name. */
export interface AttributeRule {
  /** A name, or one with `*` for any characters. */
  attribute: string
  action: Action
}

/** Says what happens to what an expression finds in any text; `drop` takes the whole attribute. */
export interface PatternRule {
  pattern: RegExp
  /** Only a text that holds this can hold a find. */
  literal: string
  action: Exclude<Action, 'keep'>
}

/** The first rule that fits decides; the defaults come last. */
export interface RedactionRules {
  defaults: boolean
  attributes: readonly AttributeRule[]
  patterns: readonly PatternRule[]
}

/** What holds when no file is named. */
export const defaultRules: RedactionRules = { defaults: true, attributes: [], patterns: [] }

const rulesMax = 100
const attributeCharsMax = 200
const patternCharsMax = 500
const fileBytesMax = 1_048_576

const actionMend = 'give keep, drop, hash or mask'
const attributeMend = `give a name of 1 to ${attributeCharsMax} characters, with * for any characters`
const patternMend = `give a regular expression of 1 to ${patternCharsMax} characters`

const rule = z
  .strictObject({
    attribute: z.string(attributeMend).min(1, attributeMend).max(attributeCharsMax, attributeMend).optional(),
    pattern: z
      .string(patternMend)
      .min(1, patternMend)
      .max(patternCharsMax, patternMend)
      .transform(toPattern)
      .optional(),
    action: z.enum(['keep', 'drop', 'hash', 'mask'], actionMend),
  })
  .transform(({ attribute, pattern, action }, context): AttributeRule | PatternRule => {
    if (attribute !== undefined && pattern === undefined) return { attribute, action }
    if (pattern !== undefined && attribute === undefined && action !== 'keep')
      return { pattern, literal: requiredLiteral(pattern.source), action }
    context.addIssue({
      code: 'custom',
      message:
        pattern !== undefined && action === 'keep'
          ? 'a pattern cannot keep: give drop, hash or mask, or keep by attribute'
          : 'give either attribute or pattern',
    })
    return z.NEVER
  })

const rulesFile = z.strictObject(
  {
    defaults: z.boolean('give true or false').default(true),
    rules: z.array(rule, 'give a list of rules').max(rulesMax, `give at most ${rulesMax} rules`).default([]),
  },
  'give an object with "defaults" and "rules"',
)

/** Reads the rules that a file holds; without a path, the defaults. Errors name file, field, value and mend. */
export function readRules(path: string | undefined): RedactionRules {
  if (path === undefined) return defaultRules
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const mend = 'give HEADWATER_REDACT the path of a JSON file that can be read, or leave it empty'
    throw new Error(`Cannot read the redaction rules "${path}": ${mend}`, { cause })
  }
  return parseRules(text, path)
}

/** The rules that a file's text holds. */
export function parseRules(text: string, path: string): RedactionRules {
  const deed = `Cannot use the redaction rules "${path}"`
  if (text.length > fileBytesMax) throw new Error(`${deed}: ${text.length} characters, give at most ${fileBytesMax}`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new Error(`${deed}: ${cause instanceof Error ? cause.message : 'it does not parse'}; write JSON`, { cause })
  }
  const parsed = rulesFile.safeParse(json)
  if (!parsed.success)
    throw new Error(`${deed}: ${parsed.error.issues.map((issue) => faultText(json, issue)).join('; ')}`)
  const { defaults, rules } = parsed.data
  return {
    defaults,
    attributes: rules.filter((entry) => 'attribute' in entry),
    patterns: rules.filter((entry) => 'pattern' in entry),
  }
}

function toPattern(source: string, context: z.RefinementCtx): RegExp {
  try {
    // oxlint-disable-next-line no-new -- tells what is no expression at all from what is one, but not a linear one
    new RegExp(source)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    context.addIssue({ code: 'custom', message: `${reason}; give a regular expression` })
    return z.NEVER
  }
  try {
    const pattern = linearPattern(source)
    if (!['', 'a', ' ', '0', 'a a'].some((text) => matchesNothing(pattern, text))) return pattern
    context.addIssue({ code: 'custom', message: 'it matches the empty text; use + for *, and name what it looks for' })
  } catch {
    const mend = 'leave out lookaround, back references and counts above 16; write + for {20,} and [Aa] for either case'
    context.addIssue({ code: 'custom', message: `it cannot run in linear time; ${mend}` })
  }
  return z.NEVER
}

function matchesNothing(pattern: RegExp, text: string): boolean {
  let found = false
  text.replace(pattern, (match) => {
    found ||= match === ''
    return match
  })
  return found
}

function faultText(json: unknown, issue: z.core.$ZodIssue): string {
  const field = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const value = issue.path.reduce<unknown>((within, step) => (within as Record<PropertyKey, unknown>)[step], json)
  const mend = issue.code === 'unrecognized_keys' ? `leave out ${issue.keys.join(', ')}` : issue.message
  return `${field === '' ? 'the file' : field.replace(/^\./, '')} is ${shortText(value)}: ${mend}`
}

const valueCharsMax = 200

function shortText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'not there'
  return text.length > valueCharsMax ? `${text.slice(0, valueCharsMax)}…` : text
}
