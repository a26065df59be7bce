import { readRunFile, readStoreSettings } from '@headwater/store'
import { ask } from './ask.ts'

export interface DoctorFinding {
  check: string
  status: 'good' | 'bad' | 'unknown'
  says: string
  mend?: string
}

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
  if (metrics instanceof Response && metrics.ok) findings.push(...ledger(await metrics.text()))
  else if (metrics instanceof Response && metrics.status === 401) {
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
    return response.ok
      ? { check: 'collector', status: 'good', says: `takes OTLP/HTTP at ${otlpUrl}/v1/traces` }
      : { check: 'collector', status: 'bad', says: `answered ${response.status} to an empty request` }
  } catch (error) {
    return {
      check: 'collector',
      status: 'bad',
      says: `cannot be reached at ${otlpUrl}: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
}

/** What came in and what became of it, from the metrics of this process. */
function ledger(text: string): DoctorFinding[] {
  const value = (name: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  const received = value('headwater_spans_received_total')
  const stored = value('headwater_spans_stored_total')
  const rejected = value('headwater_spans_rejected_total')
  const settled = value('headwater_settle_spans_total')
  const watermarkS = value('headwater_settle_watermark_seconds')
  return [
    {
      check: 'spans',
      status: received === 0 ? 'unknown' : 'good',
      says: `${received} received, ${stored} stored, ${rejected} rejected, ${settled} settled since the start`,
      ...(received === 0
        ? { mend: 'point a service here: OTEL_EXPORTER_OTLP_ENDPOINT, then make a request to it' }
        : {}),
    },
    {
      check: 'analyzer',
      status: watermarkS === 0 ? 'unknown' : 'good',
      says:
        watermarkS === 0
          ? 'nothing settled yet'
          : `settled up to ${new Date(watermarkS * 1_000).toISOString()}; ${value('headwater_incidents_open')} incidents open`,
    },
  ]
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
export function doctorReport(findings: DoctorFinding[]): string {
  const mark = { good: 'ok ', bad: 'BAD', unknown: ' ? ' }
  return findings
    .map(
      ({ check, status, says, mend }) =>
        `${mark[status]}  ${check.padEnd(10)} ${says}\n${mend === undefined ? '' : `                → ${mend}\n`}`,
    )
    .join('')
}
