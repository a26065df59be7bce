// Tables of calls for tests: what settling would have made of some time, one line per caller and callee.
import type { CallState } from '@headwater/store'
import { bucketMiddle, bucketOf, type Histogram } from '@headwater/vocabulary'
import { detect, type Evaluation, type Finding } from './detect.ts'
import { pictureOf } from './picture.ts'

const kinds = { '>': 'sync', '~>': 'async', '?>': 'peer', '>>': 'publish' } as const

/**
 * The states that a table tells. `-` stands for nobody; `>` calls, `~>` hands a message to, `?>` calls without an answer of
 * the callee's own, `>>` sends a message to:
 *
 *     - > gateway POST /orders: 300 calls, 40 ms, self 10 ms, 20 failed
 *     gateway POST /orders > orders POST /orders: 300 calls, 20 ms, 20 failed, 20 by itself
 *     orders POST /orders ?> bank.example:443: 300 calls, 10 ms, 7 at 900 ms
 *     orders POST /orders >> mails: 300 calls
 *
 * `7 at 900 ms` makes seven of the calls take as long, `7 self at 900 ms` gives them so much time of their own, and
 * `7 on the way at 900 ms` lets them wait between the caller and the callee.
 */
export function callsIn(table: string): CallState[] {
  return table
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => stateOf(line.trim()))
}

function stateOf(line: string): CallState {
  const [, from = '', arrow = '', to = '', facts = ''] = /^(.+?) (>|~>|\?>|>>) (.+): (.+)$/.exec(line) ?? []
  const kind = kinds[arrow as keyof typeof kinds]
  if (kind === undefined) throw new Error(`Cannot read the line "${line}"`)
  const caller = from === '-' ? { service: '', operation: '' } : placeOf(from)
  const callee = placeOf(to)
  const count = (fact: RegExp): number => Number(fact.exec(facts)?.[1] ?? 0)
  const calls = count(/(\d+) calls/)
  const ms = count(/(?:^|, )(\d+) ms/) || 10
  const failed = count(/(\d+) failed/)
  const duration = spread(calls, ms, /(\d+) at (\d+) ms/.exec(facts))
  const self = spread(calls, count(/self (\d+) ms/) || ms, /(\d+) self at (\d+) ms/.exec(facts))
  const wire = caller.service === '' ? {} : spread(calls, 1, /(\d+) on the way at (\d+) ms/.exec(facts))
  return {
    service: callee.service,
    operation: callee.operation,
    kind: caller.service === '' ? 'entry' : kind,
    caller: caller.service,
    callerOperation: caller.operation,
    flowName: /flow (.+?)(?:,|$)/.exec(facts)?.[1] ?? '',
    version: '',
    calls,
    errors: failed,
    originErrors: count(/(\d+) by itself/),
    clientErrors: caller.service === '' ? 0 : failed,
    durationNs: total(duration),
    selfNs: total(self),
    wireNs: total(wire),
    duration,
    self,
    wire,
  }
}

function placeOf(text: string): { service: string; operation: string } {
  const space = text.indexOf(' ')
  return space === -1
    ? { service: text, operation: '' }
    : { service: text.slice(0, space), operation: text.slice(space + 1) }
}

/** Durations around `ms`, some of them as `outliers` says instead. */
function spread(calls: number, ms: number, outliers: RegExpExecArray | null): Histogram {
  const histogram: Histogram = {}
  const put = (count: number, ns: number): void => {
    const bucket = bucketOf(ns)
    if (count > 0) histogram[bucket] = (histogram[bucket] ?? 0) + count
  }
  const apart = Number(outliers?.[1] ?? 0)
  let left = calls - apart
  for (const factor of [0.8, 0.9, 1.1, 1.25]) {
    const count = Math.floor((calls - apart) / 5)
    put(count, ms * 1e6 * factor)
    left -= count
  }
  put(left, ms * 1e6)
  put(apart, Number(outliers?.[2] ?? 0) * 1e6)
  return histogram
}

function total(histogram: Histogram): number {
  return Object.entries(histogram).reduce((sum, [bucket, calls]) => sum + calls * bucketMiddle(Number(bucket)), 0)
}

const shopPlaces = {
  order: '- > gateway POST /orders',
  browse: '- > gateway GET /products',
  orders: 'gateway POST /orders > orders POST /orders',
  payments: 'orders POST /orders > payments POST /charge',
  catalog: 'gateway GET /products > catalog GET /products',
  bank: 'payments POST /charge ?> bank.example:443',
  mails: 'orders POST /orders >> mails',
  mailer: 'orders POST /orders ~> mailer process mails',
} as const

type ShopPlace = keyof typeof shopPlaces

/** A small shop, each of its places called so often, healthy but for what is told of some places. */
export function shop(calls: number, told: Partial<Record<ShopPlace, string>> = {}): CallState[] {
  const facts: Record<ShopPlace, string> = {
    order: `${calls} calls, 90 ms, self 10 ms, flow POST /orders`,
    browse: `${calls} calls, 30 ms, self 10 ms, flow GET /products`,
    orders: `${calls} calls, 60 ms, self 15 ms, flow POST /orders`,
    payments: `${calls} calls, 40 ms, self 10 ms, flow POST /orders`,
    catalog: `${calls} calls, 15 ms, self 15 ms, flow GET /products`,
    bank: `${calls} calls, 25 ms`,
    mails: `${calls} calls, 1 ms`,
    mailer: `${calls} calls, 20 ms, self 20 ms, flow POST /orders`,
    ...told,
  }
  return callsIn(
    (Object.keys(shopPlaces) as ShopPlace[])
      .filter((place) => facts[place] !== 'none')
      .map((place) => `${shopPlaces[place]}: ${facts[place]}`)
      .join('\n'),
  )
}

/** The same calls among services of other names. */
export function renamed(states: CallState[], nameOf: (service: string) => string): CallState[] {
  return states.map((state) => ({
    ...state,
    service: nameOf(state.service),
    caller: state.caller === '' ? '' : nameOf(state.caller),
  }))
}

/** Names in another alphabetical order than those that they stand for. */
export function otherName(service: string): string {
  return `x-${service.split('').toReversed().join('')}`
}

/** So many times the load, and all else alike. */
export function multiplied(states: CallState[], factor: number): CallState[] {
  const times = (histogram: Histogram): Histogram =>
    Object.fromEntries(Object.entries(histogram).map(([bucket, calls]) => [bucket, calls * factor]))
  return states.map((state) => ({
    ...state,
    calls: state.calls * factor,
    errors: state.errors * factor,
    originErrors: state.originErrors * factor,
    clientErrors: state.clientErrors * factor,
    durationNs: state.durationNs * factor,
    selfNs: state.selfNs * factor,
    wireNs: state.wireNs * factor,
    duration: times(state.duration),
    self: times(state.self),
    wire: times(state.wire ?? {}),
  }))
}

/** Thirty seconds judged by five minutes before. */
export function evaluationOf(now: CallState[], before: CallState[], collectorWasAlive = true): Evaluation {
  return {
    recent: pictureOf(now),
    baseline: pictureOf(before),
    recentMs: 30_000,
    baselineMs: 300_000,
    collectorWasAlive,
  }
}

export function findingsOf(now: CallState[], before: CallState[] = shop(1_000), collectorWasAlive = true): Finding[] {
  return detect(evaluationOf(now, before, collectorWasAlive))
}

/** Findings as lines: `unanswered payments POST /charge from orders`. */
export function tell(findings: Finding[]): string[] {
  return findings
    .map(({ signal, service, operation, caller }) =>
      [signal, service, operation, caller === undefined ? '' : `from ${caller}`]
        .filter((part) => part !== '')
        .join(' '),
    )
    .toSorted()
}

/** Numbers from 0 up to 1 by chance, the same ones for the same seed (Park & Miller 1988). */
export function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
