// Users of the service, in a process of their own, over connections that stay open.

import { Agent, get } from 'node:http'
import { answerParent } from '../child.ts'
import { type Latency, latencyOf } from '../latency.ts'
import { inTurns } from './in-turns.ts'
import { type OpenLoop, type OpenLoopReport, runOpenLoop } from '../open-loop.ts'

export interface LoadReport extends OpenLoopReport {
  /** By URL, from when a request was sent: that this process was late is not the service's. */
  latencies: Latency[]
}

export interface ClosedLoop {
  urls: string[]
  /** To each. */
  requests: number
  requestsAtOnce?: number
  lanes: number
}

const connectionsMax = 64
/** Orders that are asked for. */
const orders = 1_000

const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })
let asked = 0

/** All of them again and again, so that each comes as often after each other. */
function* turnsOf<T>(all: readonly T[]): Generator<T, never> {
  for (let cycle = 0; ; cycle += 1) {
    yield* inTurns(all, cycle)
    yield* inTurns(all.toReversed(), cycle)
  }
}

/** Asks for an order; anything but an answer of 200 fails the measurement. */
function askFor(url: string): Promise<void> {
  asked += 1
  const path = `/orders/${asked % orders}`
  return new Promise((resolve, reject) => {
    const request = get(`${url}${path}`, { agent, headers: { 'user-agent': 'headwater-bench' } }, (response) => {
      response.resume()
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`Cannot measure: GET ${path} was answered with ${response.statusCode}`))
      })
    })
    request.once('error', reject)
  })
}

async function sendTo(url: string, requests: number, lanes: number): Promise<void> {
  let left = requests
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await askFor(url)
    }
  }
  await Promise.all(Array.from({ length: lanes }, work))
}

const answers = {
  /** Sends so many requests to all of `urls`, some at once to one of them, on each lane the next one when an answer has come. */
  async send({ urls, requests, requestsAtOnce = requests, lanes }: ClosedLoop): Promise<void> {
    for (let sent = 0, cycle = 0; sent < requests; sent += requestsAtOnce, cycle += 1) {
      for (const url of inTurns(urls, cycle)) await sendTo(url, Math.min(requestsAtOnce, requests - sent), lanes)
    }
  },
  /** Sends requests to all of `urls` by turns, as many a second to each. */
  async sendOpenLoop({ urls, requestsPerSecond, ...loop }: OpenLoop & { urls: string[] }): Promise<LoadReport> {
    const latenciesMs = new Map(urls.map((url) => [url, [] as number[]]))
    const turns = turnsOf(urls)
    const report = await runOpenLoop(
      async () => {
        const { value: url } = turns.next()
        const sentMs = performance.now()
        await askFor(url)
        latenciesMs.get(url)?.push(performance.now() - sentMs)
      },
      { ...loop, requestsPerSecond: requestsPerSecond * urls.length },
    )
    return { ...report, latencies: urls.map((url) => latencyOf(latenciesMs.get(url) ?? [])) }
  },
}

export type LoadProgram = typeof answers

answerParent(answers)
