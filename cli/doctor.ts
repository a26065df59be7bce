import { readRunFile, readStoreSettings } from '@headwater/store'
import type { DoctorFinding } from '@headwater/vocabulary'
import { z } from 'zod'
import { ask } from './ask.ts'

/** Looks at a running Headwater from outside, as a service or a person would. */
export async function doctor(url: string | undefined): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [
    { check: 'node', status: 'good', says: `${process.versions.node} (${process.execPath})` },
  ]
  const { dataDir } = readStoreSettings(process.env)
  const run = url === undefined ? readRunFile(dataDir) : undefined
  const api = url ?? run?.apiUrl
  if (api === undefined) {
    findings.push({
      check: 'process',
      status: 'bad',
      says: `nothing runs in ${dataDir}`,
      mend: 'start `headwater up`, set HEADWATER_DATA to its directory, or give --url',
    })
    return findings
  }
  if (run !== undefined) findings.push({ check: 'process', status: 'good', says: `pid ${run.pid} in ${dataDir}` })
  const ready = await tryAsk(api, '/readyz')
  findings.push(
    ready instanceof Response
      ? {
          check: 'engines',
          status: ready.ok ? 'good' : 'bad',
          says: summary(await ready.text()),
          ...(ready.ok ? {} : { mend: 'the engines come back by themselves; if not, see the log of `headwater up`' }),
        }
      : {
          check: 'api',
          status: 'bad',
          says: ready,
          mend: 'is this the address of the API? HEADWATER_PORT says where it listens',
        },
  )
  if (!(ready instanceof Response)) return findings
  if (run?.otlpUrl !== undefined) findings.push(await checkOtlp(run.otlpUrl))
  const metrics = await tryAsk(api, '/metrics')
  if (metrics instanceof Response && metrics.ok) {
    findings.push(...ledger(await metrics.text()), ...(await checkStoredLedger(api)))
  } else if (metrics instanceof Response && metrics.status === 401) {
    findings.push({ check: 'ledger', status: 'unknown', says: 'the API asks for a token', mend: 'set HEADWATER_TOKEN' })
  }
  return findings
}

async function checkOtlp(otlpUrl: string): Promise<DoctorFinding> {
  try {
    const response = await fetch(`${otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"resourceSpans":[]}',
      signal: AbortSignal.timeout(5_000),
    })
    if (response.status === 401) {
      return { check: 'collector', status: 'good', says: `takes OTLP/HTTP with a key at ${otlpUrl}/v1/traces` }
    }
    return response.ok
      ? { check: 'collector', status: 'good', says: `takes OTLP/HTTP at ${otlpUrl}/v1/traces` }
      : { check: 'collector', status: 'bad', says: `answered ${response.status} to an empty request` }
  } catch (error) {
    const says = `cannot be reached at ${otlpUrl}: ${error instanceof Error ? error.message : String(error)}`
    return otlpUrl.startsWith('https:')
      ? { check: 'collector', status: 'unknown', says, mend: 'set NODE_EXTRA_CA_CERTS to the root of its certificate' }
      : { check: 'collector', status: 'bad', says }
  }
}

/** Sums of a metric's series by one label, or under '' without. */
function sums(text: string, name: string, label?: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name} `) && !line.startsWith(`${name}{`)) continue
    const key = label === undefined ? '' : (new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? '')
    found.set(key, (found.get(key) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)))
  }
  return found
}

const fates = ['stored', 'rejected', 'shed', 'duplicate', 'lost']

/** What came in and what became of it, and whether that adds up, from the metrics of this process. */
function ledger(text: string): DoctorFinding[] {
  const value = (name: string): number => sums(text, name).get('') ?? 0
  const outcomes = sums(text, 'headwater_ingest_records_total', 'outcome')
  const pending = value('headwater_ingest_pending_records')
  const received = outcomes.get('received') ?? 0
  const parts = fates.map((fate) => ({ fate, records: outcomes.get(fate) ?? 0 }))
  const sum = parts.reduce((total, { records }) => total + records, pending)
  const lost = outcomes.get('lost') ?? 0
  const lostBlocks = [...sums(text, 'headwater_log_lost_blocks_total').values()].reduce(
    (total, blocks) => total + blocks,
    0,
  )
  const said = [...parts.filter(({ records }) => records > 0), { fate: 'pending', records: pending }]
  const settled = value('headwater_settle_spans_total')
  const watermarkS = value('headwater_settle_watermark_seconds')
  const books: DoctorFinding = {
    check: 'ledger',
    status: received === 0 ? 'unknown' : sum === received && lost + lostBlocks === 0 ? 'good' : 'bad',
    says:
      `${received} records received since the start = ` +
      `${said.map(({ fate, records }) => `${records} ${fate}`).join(' + ')}${sum === received ? '' : ` (does not add up: ${sum})`}`,
    ...(received === 0
      ? { mend: 'point a service here: OTEL_EXPORTER_OTLP_ENDPOINT, then make a request to it' }
      : lost + lostBlocks > 0
        ? { mend: 'the log of the collector says what was damaged or refused; it is kept in the quarantine below log/' }
        : {}),
  }
  const settling: DoctorFinding = {
    check: 'analyzer',
    status: watermarkS === 0 ? 'unknown' : 'good',
    says:
      watermarkS === 0
        ? 'nothing settled yet'
        : `${settled} spans settled, up to ${new Date(watermarkS * 1_000).toISOString()}; ${value('headwater_incidents_open')} incidents open`,
  }
  // Collectors that are processes of their own tell only ClickHouse, and whoever asks at their port.
  return text.includes('headwater_ingest_records_total') ? [books, settling] : [settling]
}

const ledgerForm = z.object({
  items: z.array(
    z.object({ key: z.string(), signal: z.string(), received: z.number(), stored: z.number(), lost: z.number() }),
  ),
})

/** The last hour of all collectors, as ClickHouse has it. */
async function checkStoredLedger(api: string): Promise<DoctorFinding[]> {
  const answered = await tryAsk(api, '/api/v1/ledger')
  if (!(answered instanceof Response) || !answered.ok) return []
  const { items } = ledgerForm.parse(await answered.json())
  return items.map(({ key, signal, received, stored, lost }) => ({
    check: signal,
    status: lost === 0 ? 'good' : 'bad',
    says: `${received} received, ${stored} stored, ${lost} lost in the last hour${key === '' ? '' : ` with key "${key}"`}`,
    ...(lost === 0 ? {} : { mend: 'what was lost is in the quarantine below log/ of the collector that lost it' }),
  }))
}

async function tryAsk(api: string, path: string): Promise<Response | string> {
  try {
    return await ask(api, path)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function summary(text: string): string {
  return text.trim().slice(0, 300)
}

/** The findings as text, what is bad with its mend. */
export function doctorReport(findings: readonly DoctorFinding[], width = widthOf(findings)): string {
  const mark = { good: 'ok ', bad: 'BAD', unknown: ' ? ' }
  return findings
    .map(
      ({ check, status, says, mend }) =>
        `${mark[status]}  ${check.padEnd(width)} ${says}\n${mend === undefined ? '' : `${' '.repeat(width + 6)}→ ${mend}\n`}`,
    )
    .join('')
}

/** How much room the names of the checks take. */
export function widthOf(findings: readonly DoctorFinding[]): number {
  return Math.max(10, ...findings.map(({ check }) => check.length))
}
