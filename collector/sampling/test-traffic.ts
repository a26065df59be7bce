import { SpanBlock, type TextTable } from '@headwater/store'
import type { Shedder, SpanInHand } from './shedder.ts'

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** 32 hex digits. */
export function randomFlowId(random: () => number): Uint8Array {
  const id = new Uint8Array(32)
  for (let at = 0; at < 32; at += 1) id[at] = '0123456789abcdef'.charCodeAt(Math.floor(random() * 16))
  return id
}

export function textTable(): TextTable {
  return new SpanBlock().texts.names
}

export function spanInHand(
  texts: TextTable,
  {
    service = 'shop',
    operation = 'GET /',
    ...rest
  }: Partial<Omit<SpanInHand, 'service' | 'operation'>> & { service?: string; operation?: string } = {},
): SpanInHand {
  return {
    service: texts.numberOfText(service),
    operation: texts.numberOfText(operation),
    kind: 2,
    isError: false,
    durationNs: 50e6,
    endMs: 0,
    weight: 1,
    ...rest,
  }
}

export interface Traffic {
  seconds: number
  /** Spans a second that come at this second of the story. */
  rateAt: (second: number) => number
  errorShare?: (second: number) => number
  spansPerRun?: number
  /** Requests a second that bring them. */
  requestsPerSecond?: number
  random: () => number
}

/** Sends traffic, run by run, in requests at even times; tells what was kept and came in each second. */
export function send(
  shedder: Shedder,
  { seconds, rateAt, errorShare = () => 0, spansPerRun = 10, requestsPerSecond = 50, random }: Traffic,
): { kept: number[]; came: number[] } {
  const texts = textTable()
  const span = spanInHand(texts)
  const kept: number[] = []
  const came: number[] = []
  let due = 0
  for (let second = 0; second < seconds; second += 1) {
    kept.push(0)
    came.push(0)
    for (let request = 0; request < requestsPerSecond; request += 1) {
      const at = second + request / requestsPerSecond
      shedder.begin(texts, at * 1_000)
      due += rateAt(at) / requestsPerSecond
      for (; due >= spansPerRun; due -= spansPerRun) {
        const id = randomFlowId(random)
        span.endMs = at * 1_000
        for (let each = 0; each < spansPerRun; each += 1) {
          span.isError = random() < errorShare(at)
          span.durationNs = 50e6 * (1 + random())
          came[second] = (came[second] ?? 0) + 1
          if (shedder.decide(id, 0, span)) kept[second] = (kept[second] ?? 0) + 1
        }
      }
      shedder.commit()
    }
  }
  return { kept, came }
}
