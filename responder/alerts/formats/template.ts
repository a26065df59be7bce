// Plain JSON in the shape that a receiver wants. The template is JSON itself, so whatever a name contains stays a value.
import type { AlertMessage } from '@headwater/vocabulary'
import type { z } from 'zod'
import { causeSentence, exampleSentence, headline, impactSentence } from '../sentences.ts'

type Json = z.core.util.JSONType

/** What `{{…}}` may name in a template. */
export const templateFields = [
  'id',
  'thread',
  'change',
  'at',
  'route',
  'severity',
  'headline',
  'news',
  'title',
  'link',
  'state',
  'since',
  'opened_at',
  'resolved_at',
  'merged_into',
  'cause',
  'cause_service',
  'cause_operation',
  'cause_kind',
  'confidence',
  'evidence',
  'path',
  'impact',
  'services',
  'flows',
  'users_affected',
  'example',
  'example_flow_id',
  'example_link',
  'incident_id',
  'incidents',
  'incidents_total',
  'is_test',
] as const

const placeholder = /\{\{\s*(\w+)\s*\}\}/g

/** The names within `{{…}}` of all texts of a template. */
export function placeholdersOf(template: Json): string[] {
  if (typeof template === 'string') return [...template.matchAll(placeholder)].map(([, name = '']) => name)
  if (Array.isArray(template)) return template.flatMap(placeholdersOf)
  if (template !== null && typeof template === 'object') return Object.values(template).flatMap(placeholdersOf)
  return []
}

/** The template with its places filled. A text that is one place and nothing else becomes the value: a number, a list. */
export function templateBody(message: AlertMessage, template: Json): Json {
  const values = valuesOf(message)
  const fill = (part: Json): Json => {
    if (typeof part === 'string') {
      const [, whole] = /^\{\{\s*(\w+)\s*\}\}$/.exec(part) ?? []
      if (whole !== undefined) return values[whole] ?? null
      return part.replaceAll(placeholder, (_, name: string) => textOf(values[name] ?? null))
    }
    if (Array.isArray(part)) return part.map(fill)
    if (part !== null && typeof part === 'object') {
      return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, fill(value)]))
    }
    return part
  }
  return fill(template)
}

function textOf(value: Json): string {
  if (value === null) return ''
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function valuesOf(message: AlertMessage): Partial<Record<string, Json>> {
  const [first] = message.incidents
  const values: Record<(typeof templateFields)[number], Json> = {
    id: message.id,
    thread: message.thread,
    change: message.change,
    at: message.at,
    route: message.route,
    severity: message.severity,
    headline: headline(message),
    news: message.news,
    title: first?.title ?? '',
    link: first?.link ?? '',
    state: first?.state ?? '',
    since: first?.since ?? '',
    opened_at: first?.openedAt ?? '',
    resolved_at: first?.resolvedAt ?? null,
    merged_into: first?.mergedInto ?? null,
    cause: first === undefined ? '' : causeSentence(first),
    cause_service: first?.cause?.service ?? null,
    cause_operation: first?.cause?.operation ?? null,
    cause_kind: first?.cause?.kind ?? null,
    confidence: first?.confidence ?? null,
    evidence: first?.cause?.evidence ?? [],
    path: first?.cause?.path ?? [],
    impact: first === undefined ? '' : impactSentence(first),
    services: first?.impact.services ?? [],
    flows: first?.impact.flows.map(({ name }) => name) ?? [],
    users_affected: first?.impact.users.affected ?? 0,
    example: first === undefined ? null : (exampleSentence(first) ?? null),
    example_flow_id: first?.example?.flowId ?? null,
    example_link: first?.example?.link ?? null,
    incident_id: first?.id ?? '',
    incidents: message.incidents.map(({ title, link }) => ({ title, link })),
    incidents_total: message.incidentsTotal,
    is_test: message.isTest,
  }
  return values
}
