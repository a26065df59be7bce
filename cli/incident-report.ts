// An incident, or what a time of the past tells, as text: the answer first, then why, whom it hits, and what to look at next.
import {
  type Anomaly,
  attributeWords,
  type Cause,
  type Evidence,
  type Impact,
  type Incident,
  missingSentence,
  type NextLook,
  type PastExplanation,
  type SeenChange,
  type ShareWithInterval,
  type SmallestEffect,
  type TellingAttribute,
  unknownSentence,
} from '@headwater/vocabulary'

/** An incident as the API tells it. */
export type ToldIncident = Incident & { next: NextLook[]; parts: Part[] }

/** An incident that is told by another one. */
interface Part {
  id: string
  title: string
  acknowledged: Incident['acknowledged']
  comments: number
}

/** What incidents and times of the past have in common. */
type Told = Pick<Incident, 'causes' | 'confidence' | 'noCauseReason' | 'impact' | 'anomalies' | 'changes' | 'since'>

interface Page {
  /** Where relative URLs lead. */
  apiUrl: string
  nowMs: number
}

/** One incident whole. */
export function incidentReport(incident: ToldIncident, { apiUrl, nowMs }: Page): string {
  const {
    title,
    state,
    id,
    since,
    resolvedAt,
    resolvedBy,
    mergedInto,
    parts,
    acknowledged,
    reopened,
    comments,
    verdict,
    next,
  } = incident
  const lasted = durationOf(Date.parse(resolvedAt ?? new Date(nowMs).toISOString()) - Date.parse(since))
  const by = resolvedBy === null ? '' : ` by ${resolvedBy}`
  const links = new Links(apiUrl)
  return [
    title,
    state === 'open'
      ? `open for ${lasted}, since ${since}`
      : `resolved${by} after ${lasted}: ${since} to ${resolvedAt ?? ''}`,
    ...(mergedInto === null ? [] : [`part of incident ${mergedInto} since, which has the same cause`]),
    `incident ${id}${acknowledged === null ? '' : `, ${acknowledged.by} looks after it`}`,
    ...parts.map(partLine),
    ...reopened.map(({ at, why }) => `reopened at ${at}: ${why}`),
    '',
    ...toldLines(incident, links),
    ...section(
      'What to look at next',
      next.map(({ sentence, query }) => `- ${sentence}${links.mark(query)}`),
    ),
    ...section(
      'Comments',
      comments.map(({ by: who, at, text }) => `${at}  ${who}: ${text.replaceAll('\n', '\n    ')}`),
    ),
    ...(verdict === null
      ? []
      : section('Verdict', [
          `${verdict.by} says that the cause was ${verdict.cause}${verdict.actual === null ? '' : `: it was ${placeOf(verdict.actual)}`}`,
        ])),
    ...section('Numbers', links.lines()),
  ].join('\n')
}

function partLine({ id, title, acknowledged, comments }: Part): string {
  const by = acknowledged === null ? '' : `, ${acknowledged.by} looks after it`
  return `with incident ${id}: ${title}${by}${comments === 0 ? '' : `, ${comments} ${comments === 1 ? 'comment' : 'comments'}`}`
}

/** What a time of the past tells. */
export function pastReport(
  { summary, from, to, baselineFrom, baselineTo, baselineMinutes, told }: PastExplanation,
  apiUrl: string,
): string {
  const links = new Links(apiUrl)
  const compared = `${from} to ${to}, compared with ${baselineMinutes} ${baselineMinutes === 1 ? 'minute' : 'minutes'} with calls from ${baselineFrom} to ${baselineTo}`
  if (told === null) return `${summary}\n${compared}\n`
  return [summary, compared, '', ...toldLines(told, links), ...section('Numbers', links.lines())].join('\n')
}

/** Open incidents, one each two lines. */
export function openReport(incidents: readonly Incident[], nowMs: number): string {
  return incidents
    .flatMap(({ id, title, since, confidence, causes, impact, acknowledged }) => [
      title,
      `  for ${durationOf(nowMs - Date.parse(since))}${causes.length === 0 ? '' : `, ${sureness(confidence)}`}${impact.flows[0] === undefined ? '' : `, ${flowLine(impact.flows[0])}`}${acknowledged === null ? '' : `, ${acknowledged.by} looks after it`}`,
      `  npx headwater explain ${id}`,
      '',
    ])
    .join('\n')
}

function toldLines(
  { causes, confidence, noCauseReason, impact, anomalies, changes, since }: Told,
  links: Links,
): string[] {
  const [first, ...others] = causes
  return [
    ...(first === undefined ? [noCauseReason ?? 'No cause is told.', ''] : causeLines(first, confidence, links)),
    ...section(
      'Or else',
      others.map((cause) => `${Math.round(cause.score * 100)} % of the weight  ${causeOf(cause)}${replayOf(cause)}`),
    ),
    ...section(
      'Changed around its beginning',
      changes.map((change) => changeLine(change, since)),
    ),
    ...impactLines(impact),
    ...section('What departs from normal', tableOf(anomalies, links)),
  ]
}

function causeLines(cause: Cause, confidence: number, links: Links): string[] {
  const { attribute, evidence, path } = cause
  return [
    `Cause   ${causeOf(cause)}, ${sureness(confidence)}`,
    ...(path.length < 2 ? [] : [`Path    ${path.map(placeOf).join('  →  ')}`]),
    ...(attribute === undefined
      ? []
      : [
          `Where   ${attributeWords(attribute)}: ${percent(attribute.badShare)}${betweenOf(attribute)} of its calls are bad, ${percent(attribute.goodShare)} of the others`,
        ]),
    '',
    ...section(
      'Why',
      evidence.map((one: Evidence) => `- ${one.sentence}${links.mark(one.query)}`),
    ),
  ]
}

/** Incidents of earlier versions tell no interval. */
function betweenOf({ low, high }: TellingAttribute): string {
  return low === undefined || high === undefined ? '' : ` (${percent(low)} to ${percent(high)})`
}

/** What the evidence of the first cause says in a sentence. */
function replayOf({ replay }: Cause): string {
  return replay === undefined ? '' : `: ${replay.mended} of ${replay.runs} runs would have gone well without it`
}

function causeOf({ service, operation, kind, peer }: Cause): string {
  return `${placeOf({ service, operation })} (${kind}${peer === undefined ? '' : `: ${peer}`})`
}

function sureness(confidence: number): string {
  return `${Math.floor(confidence * 100)} % sure${confidence < 0.5 ? ': a guess' : ''}`
}

function changeLine({ kind, service, version, versionsBefore, description, at }: SeenChange, since: string): string {
  const beforeMs = Date.parse(since) - Date.parse(at)
  const when = `${durationOf(Math.abs(beforeMs))} ${beforeMs >= 0 ? 'before' : 'after'}`
  const before = versionsBefore.length === 0 ? '' : `, after ${versionsBefore.join(', ')}`
  const what = kind === 'version' ? 'first calls of version' : kind
  return `${at}  ${what} ${version ?? ''}${version === null ? '' : ' '}of ${service}${before}${description === null ? '' : `: ${description}`} (${when})`
}

function impactLines({ services, flows, missingUnknown = [], users, atRisk, since }: Impact): string[] {
  return section(`Hit since ${since}`, [
    ...(flows.length === 0 ? ['no flow as far as can be seen'] : flows.slice(0, flowsMax).flatMap(flowLines)),
    ...(flows.length > flowsMax ? [`and ${flows.length - flowsMax} more flows`] : []),
    ...missingUnknown.slice(0, unknownMax).map(unknownSentence),
    ...(users.seen === 0 ? [] : [`${users.affected} of ${users.seen} users, ${shareOf(users)}`]),
    `services: ${services.join(', ')}`,
    ...riskLines(atRisk),
  ])
}

/** Who may be hit next. */
function riskLines(atRisk: Impact['atRisk']): string[] {
  const names = atRisk.slice(0, riskMax).map(({ service, share }) => `${service} (${percent(share)} of its calls)`)
  const told = [...names, ...(atRisk.length > riskMax ? [`${atRisk.length - riskMax} more`] : [])]
  return told.length === 0 ? [] : [`not hit yet, and dependent on the cause: ${told.join(', ')}`]
}

const flowsMax = 10
const unknownMax = 5
const riskMax = 5
const anomaliesMax = 20

/** A flow, and what of it did not come. */
function flowLines(flow: Impact['flows'][number]): string[] {
  const { missing } = flow
  return [flowLine(flow), ...(missing === undefined ? [] : [`  ${missingSentence(missing)}`])]
}

function flowLine({ name, runsAffected, runs, ...share }: Impact['flows'][number]): string {
  return `${runsAffected} of ${runs} runs of ${name}, ${shareOf(share)}`
}

function shareOf({ share, low, high }: ShareWithInterval): string {
  return `${percent(share)} (${percent(low)} to ${percent(high)})`
}

/** Anomalies as aligned rows. */
function tableOf(anomalies: readonly Anomaly[], links: Links): string[] {
  const head = ['where', 'signal', 'expected', 'seen', 'by chance', 'would have shown', 'since', '']
  const rows = anomalies.slice(0, anomaliesMax).map((anomaly) => {
    const { signal, expected, seen, pValue, minimumDetectable, since, query } = anomaly
    const smallest = minimumDetectable === null ? 'not known' : smallestOf(anomaly, minimumDetectable)
    return [
      anomaly.caller === undefined
        ? placeOf(anomaly)
        : `${placeOf({ service: anomaly.caller, operation: anomaly.callerOperation ?? '' })} → ${anomaly.service}`,
      signal,
      amount(expected, anomaly),
      amount(seen, anomaly),
      chance(pValue),
      smallest,
      since.slice(11, 19),
      links.mark(query).trim(),
    ]
  })
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const more = anomalies.length - anomaliesMax
  return anomalies.length === 0 ? [] : [...lines, ...(more > 0 ? [`and ${more} more`] : [])]
}

function smallestOf(anomaly: Anomaly, { value, share }: SmallestEffect): string {
  const told = amount(value, anomaly)
  if (anomaly.unit === 'ns') return `${percent(share)} over ${told}`
  return anomaly.seen < anomaly.expected ? `at most ${told}` : told
}

function amount(value: number, { signal, unit }: Pick<Anomaly, 'signal' | 'unit'>): string {
  switch (unit) {
    case 'share':
      return percent(value)
    case 'ns':
      return milliseconds(value)
    case 'calls': {
      if (signal === 'fan-out' || signal === 'cache-misses') return `${perCall(value)} per call`
      const calls = Math.round(value)
      return `${calls} ${calls === 1 ? 'call' : 'calls'}`
    }
  }
}

/** To two digits: what is left of one call in each is no whole call. */
function perCall(calls: number): string {
  return calls >= 10 ? String(Math.round(calls)) : String(Number(calls.toPrecision(2)))
}

function milliseconds(ns: number): string {
  const ms = ns / 1e6
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

function percent(share: number): string {
  const all = share * 100
  return `${all > 0 && all < 10 ? all.toFixed(1) : Math.round(all)} %`
}

/** `1 in 10⁹`: how often chance would do this. */
function chance(pValue: number): string {
  if (pValue <= 0) return 'never'
  const digits = Math.floor(-Math.log10(pValue))
  return digits >= 4 ? `1 in 1e${digits}` : `1 in ${Math.round(1 / pValue)}`
}

function durationOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}

function placeOf({ service, operation = '' }: { service: string; operation?: string }): string {
  return `${service} ${operation}`.trim()
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), '']
}

/** URLs are long, so they stand at the end, each once, and a number where they belong. */
class Links {
  readonly #apiUrl: string
  readonly #urls: string[] = []

  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl
  }

  mark(query: string | null): string {
    if (query === null) return ''
    const known = this.#urls.indexOf(query)
    return ` [${known === -1 ? this.#urls.push(query) : known + 1}]`
  }

  lines(): string[] {
    return this.#urls.map((url, index) => `[${index + 1}] ${this.#apiUrl}${url}`)
  }
}
