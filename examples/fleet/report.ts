// The demo's report: plain text that reads from the top, colour only where it is wanted.

import { styleText } from 'node:util'
import type { Cause, Incident } from './headwater-api.ts'
import type { FaultDocument, FaultResult } from './run-fault.ts'

const widthMax = 100

/** A report of one fault for people. */
export function reportOf(document: FaultDocument, { apiUrl, colour }: { apiUrl: string; colour: boolean }): string {
  const { fault, incident, example, timing } = document
  const paint = painter(colour)
  const [first, ...others] = incident.causes
  const lines = [
    '',
    paint.title('What broke'),
    ...(first ? wrap(`${headline(first)}.`, '  ') : ['  Headwater names no cause.']),
    ...wrap(reach(incident), '  '),
    '',
    paint.title('Cause'),
    ...(first ? causeLines(first, paint) : []),
    ...others.map((cause) => `  ${paint.faint(`also ${share(cause.score).padStart(4)}  ${headline(cause)}`)}`),
    '',
    paint.title('Impact'),
    ...impactLines(incident, paint),
    '',
    paint.title('One run that it hit'),
    ...exampleLines(example, paint),
    '',
    paint.title('For comparison'),
    `  The fault was ${paint.strong(`${fault.kind} in ${fault.service}, ${fault.operation}`)}, injected ${clock(fault.injectedAt)}.`,
    `  Incident after ${seconds(timing.detectAfterMs)}, explained after ${seconds(timing.explainAfterMs)}.`,
    '',
    paint.title('Where to look next'),
    `  curl ${apiUrl}/api/v1/incidents/${incident.id}`,
    `  curl ${apiUrl}/api/v1/executions/${example.flowId}/explain`,
    `  curl '${apiUrl}/api/v1/graph'`,
    '',
  ]
  return lines.join('\n')
}

/** What is known of a fault that was not explained. */
export function shortfallOf(result: Extract<FaultResult, { state: 'unexplained' }>): string {
  const { fault, reason, incidents } = result
  const known = incidents.map(({ id, title, causes }) => {
    const named = causes.map((cause) => headline(cause)).join('; ') || 'no cause yet'
    return `  ${id}  ${title}: ${named}`
  })
  return [
    `Not explained: ${fault.kind} in ${fault.service}, ${fault.operation}: ${reason}.`,
    ...(known.length === 0 ? ['  No incident is open.'] : ['Open incidents:', ...known]),
  ].join('\n')
}

/** One line a fault: what was broken, what was named, how fast. */
export function rowOf(result: FaultResult): string {
  const { fault } = result.state === 'explained' ? result.document : result
  const broken = `${fault.kind}:${fault.service}`.padEnd(30)
  if (result.state === 'unexplained') return `${broken} not explained: ${result.reason}`
  const { incident, timing } = result.document
  const cause = incident.causes[0]
  const verdict = cause?.service === fault.service ? 'right' : 'WRONG'
  const named = `${cause?.service ?? 'nobody'} ${cause?.operation ?? ''}, ${cause?.kind ?? ''}`
  return `${broken} ${verdict}  ${seconds(timing.explainAfterMs).padStart(6)}  ${named}`
}

type Painter = ReturnType<typeof painter>

function painter(colour: boolean) {
  const as = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text
  return { title: as(['bold', 'cyan']), strong: as('bold'), bad: as('red'), faint: as('dim') }
}

function headline({ service, operation, kind, peer, attribute }: Cause): string {
  const sentences: Record<Cause['kind'], string> = {
    errors: `${service} fails in ${operation}`,
    latency: `${service} has become slow in ${operation}`,
    unavailable: `${service} does not answer ${operation}`.trimEnd(),
    dependency: `${service} waits in ${operation} for ${peer ?? 'a peer that sends no spans'}`,
  }
  const values = attribute ? [attribute, ...(attribute.and ?? [])] : []
  const where = values.map(({ name, value }) => `${name} is ${value}`).join(' and ')
  return sentences[kind] + (where === '' ? '' : ` where ${where}`)
}

function reach({ impact }: Incident | FaultDocument['incident']): string {
  const { flows, users, services } = impact
  return (
    `It reaches ${count(flows.length, 'flow')}, ${count(services.length, 'service')} and ` +
    `${users.affected} of ${users.seen} users (${share(users.share)}), since ${clock(impact.since)}.`
  )
}

function causeLines(cause: Cause, paint: Painter): string[] {
  const path = cause.path.map(({ service, operation }) => `${service} ${operation}`)
  return [
    `  ${paint.bad(`${cause.service} ${cause.operation}`)}  ${cause.kind}, ${share(cause.score)} of the weight`,
    ...wrap(`path: ${path.join(' → ')}`, '  ', '        '),
    ...cause.evidence.flatMap(({ sentence }) => wrap(sentence, '  · ', '    ')),
  ]
}

function impactLines({ impact }: FaultDocument['incident'], paint: Painter): string[] {
  const width = Math.max(4, ...impact.flows.map(({ name }) => name.length))
  const rows = impact.flows.map(
    ({ name, runsAffected, runs, share: hit }) =>
      `  ${name.padEnd(width)}  ${String(runsAffected).padStart(8)}  ${String(runs).padStart(6)}  ${share(hit).padStart(5)}  ${bar(hit)}`,
  )
  return [
    paint.faint(`  ${'flow'.padEnd(width)}  ${'affected'.padStart(8)}  ${'runs'.padStart(6)}  share`),
    ...rows,
    `  users: ${impact.users.affected} of ${impact.users.seen}; services: ${impact.services.join(', ')}`,
  ]
}

function exampleLines({ flowId, explain }: FaultDocument['example'], paint: Painter): string[] {
  const { origin, path, reasons, alsoHit } = explain
  const shown = path.map(({ service, operation }) => `${service} ${operation}`)
  return [
    `  ${paint.strong(explain.flowName)}  ${flowId}  ${explain.status}`,
    ...(origin
      ? wrap(
          `began at ${origin.service} ${origin.operation} (${origin.kind})${origin.peer ? `, calling ${origin.peer}` : ''}${origin.message ? `: ${origin.message}` : ''}`,
          '  ',
          '    ',
        )
      : []),
    ...wrap(`path: ${shown.join(' → ')}`, '  ', '        '),
    ...reasons.flatMap((reason) => wrap(reason, '  · ', '    ')),
    ...wrap(
      `the same cause hits ${alsoHit.flows.join(', ') || 'no other flow'}; ${count(alsoHit.users, 'user')}`,
      '  ',
      '    ',
    ),
  ]
}

function bar(part: number): string {
  return '█'.repeat(Math.round(Math.min(1, Math.max(0, part)) * 20))
}

/** Breaks `text` into lines that fit, the first with `indent`, the rest with `hanging`. */
function wrap(text: string, indent: string, hanging = indent): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(/\s+/)) {
    const isFresh = line === indent || line === hanging
    if (!isFresh && line.length + 1 + word.length > widthMax) {
      lines.push(line)
      line = hanging
    }
    line += line === indent || line === hanging ? word : ` ${word}`
  }
  return [...lines, line]
}

function share(part: number): string {
  return `${Math.round(part * 100)} %`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function clock(time: string): string {
  return new Date(time).toISOString().slice(11, 19)
}
