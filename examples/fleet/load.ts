// Users at the gateway: as many requests a second as asked for, whether or not the earlier ones are answered, as people
// do not wait for one another. It is not traced: users send no spans.

import { Agent, request as httpRequest } from 'node:http'
import { nextArrivalAfterMs, pick, type Random, randomFrom } from './random.ts'

export interface LoadOptions {
  gatewayUrl: string
  seed: number
  requestsPerSecond?: number
  users?: number
  signal?: AbortSignal
  /** Told of each request that was answered, or not. */
  outcome?: (outcome: LoadOutcome) => void
}

/** One request as its user saw it. */
export interface LoadOutcome {
  method: string
  path: string
  user: string
  /** Unix milliseconds. */
  sentAtMs: number
  durationMs: number
  /** `null`: not answered. */
  status: number | null
}

export interface LoadCounts {
  sent: number
  ok: number
  /** Answered 4xx: the user's own mistake. */
  refused: number
  /** Answered 5xx. */
  failed: number
  /** Not answered: timed out, or the connection broke. */
  unanswered: number
  /** Not sent, as too many were under way. */
  shed: number
}

export interface Load {
  counts(): LoadCounts
  stop(): Promise<void>
}

const underWayMax = 200
const timeoutMs = 10_000
/** When the load stops, requests under way have this long to be answered. */
const drainMs = 2_000
/** Share of requests with a mistake in them. */
const mistakeShare = 0.02

interface UserRequest {
  method: 'GET' | 'POST'
  path: string
  body?: object
}

/** Starts sending; seeds with the same value send the same requests in the same order. */
export function startLoad(options: LoadOptions): Load {
  const { gatewayUrl, seed, requestsPerSecond = 12, users = 40, signal, outcome = () => undefined } = options
  const random = randomFrom(seed, 'load')
  const connections = new Agent({ keepAlive: false })
  const counts: LoadCounts = { sent: 0, ok: 0, refused: 0, failed: 0, unanswered: 0, shed: 0 }
  const reports: string[] = []
  const underWay = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let nextAtMs = performance.now()

  function arrive(): void {
    const wanted = requestOf(random, reports)
    const user = userOf(random, users)
    if (underWay.size >= underWayMax) {
      counts.shed += 1
    } else {
      const sending = send(wanted, user).finally(() => underWay.delete(sending))
      underWay.add(sending)
    }
    nextAtMs += nextArrivalAfterMs(random, requestsPerSecond)
    timer = setTimeout(arrive, Math.max(0, nextAtMs - performance.now()))
  }

  async function send(wanted: UserRequest, user: string): Promise<void> {
    counts.sent += 1
    const [sentAtMs, startedMs] = [Date.now(), performance.now()]
    const tell = (status: number | null): void => {
      const { method, path } = wanted
      outcome({ method, path, user, sentAtMs, durationMs: performance.now() - startedMs, status })
    }
    try {
      const { status, body } = await answerTo(gatewayUrl, wanted, user, connections)
      tell(status)
      if (status < 400) counts.ok += 1
      else if (status < 500) counts.refused += 1
      else counts.failed += 1
      if (status === 202) remember(body)
    } catch {
      tell(null)
      counts.unanswered += 1
    }
  }

  function remember(body: string): void {
    reports.push((JSON.parse(body) as { id: string }).id)
    if (reports.length > 20) reports.shift()
  }

  async function stop(): Promise<void> {
    clearTimeout(timer)
    const giveUp = setTimeout(() => connections.destroy(), drainMs)
    await Promise.all(underWay)
    clearTimeout(giveUp)
  }

  signal?.addEventListener('abort', () => void stop(), { once: true })
  if (!signal?.aborted) arrive()
  return { counts: () => ({ ...counts }), stop }
}

/** Few users do much, many do little (Zipf). */
function userOf(random: Random, users: number): string {
  const ranks = Array.from({ length: users }, (_, index) => index + 1)
  return `user-${pick(random, ranks, (rank) => 1 / rank)}`
}

type MakeRequest = (random: Random, reports: readonly string[]) => UserRequest

const whole = (random: Random, below: number) => Math.floor(random() * below)

function table(random: Random): string {
  const rows = Array.from({ length: 5 + whole(random, 20) }, (_, row) => `sku-${row},${whole(random, 90) + 1}`)
  return ['sku,amount', ...rows].join('\n')
}

function series(random: Random): string {
  const x = Array.from({ length: 6 + whole(random, 10) }, (_, index) => index)
  const y = x.map((value) => 3 * value + whole(random, 5))
  return `base: &x [${x.join(', ')}]\nx: *x\ny: [${y.join(', ')}]\n`
}

/** What users do, and how often. */
const habits: { weight: number; make: MakeRequest }[] = [
  {
    weight: 18,
    make: (random) => ({
      method: 'POST',
      path: '/report',
      body: { title: `Week ${whole(random, 52) + 1}`, csv: table(random), column: 'amount' },
    }),
  },
  {
    weight: 9,
    make: (random) => ({ method: 'POST', path: '/convert', body: { from: 'csv', text: table(random) } }),
  },
  {
    weight: 9,
    make: (random) => ({ method: 'POST', path: '/convert', body: { from: 'yaml', text: series(random) } }),
  },
  {
    weight: 16,
    make: (random) => ({
      method: 'POST',
      path: '/calculate',
      body: { formula: 'amount * rate + fee', scope: { amount: whole(random, 500), fee: whole(random, 9) } },
    }),
  },
  {
    weight: 14,
    make: (random) => ({ method: 'POST', path: '/sign', body: { text: `agreement ${whole(random, 10_000)}` } }),
  },
  {
    weight: 12,
    make: (random) => ({ method: 'POST', path: '/forecast', body: { yaml: series(random), until: 20 } }),
  },
  { weight: 12, make: (random) => ({ method: 'GET', path: `/invoice/${1_000 + whole(random, 9_000)}` }) },
  {
    weight: 10,
    make: (random, reports) => ({ method: 'GET', path: `/report/${reports[whole(random, reports.length)] ?? 'none'}` }),
  },
]

/** What users get wrong; each is answered 4xx. */
const mistakes: UserRequest[] = [
  { method: 'POST', path: '/convert', body: { from: 'csv', text: 'sku,amount\nsku-1' } },
  { method: 'POST', path: '/calculate', body: { formula: 'amount * price', scope: { amount: 2 } } },
  { method: 'POST', path: '/calculate', body: { formula: '(2 + ' } },
  { method: 'POST', path: '/sign', body: { text: '' } },
  { method: 'GET', path: '/favicon.ico' },
]

function requestOf(random: Random, reports: readonly string[]): UserRequest {
  if (random() < mistakeShare) return pick(random, mistakes)
  return pick(random, habits, ({ weight }) => weight).make(random, reports)
}

function answerTo(
  gatewayUrl: string,
  { method, path, body }: UserRequest,
  user: string,
  agent: Agent,
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const headers = { 'x-user-id': user, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const options = { method, headers, agent, signal: AbortSignal.timeout(timeoutMs) }
  const request = httpRequest(new URL(path, gatewayUrl), options, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
  })
  request.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}
