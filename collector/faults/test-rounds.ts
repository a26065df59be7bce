// The frame of every fault: load in each acknowledgement mode, the fault in its midst, again and again; after each round
// nothing is lost and the books add up, and at the end nothing was counted twice anywhere.

import { setTimeout as sleep } from 'node:timers/promises'
import { drained, readBooks, sumOf, watchBooks } from './test-books.ts'
import { countRows, readCopies, readFacts } from './test-facts.ts'
import { type CollectorProcess, type Headwater, modes } from './test-headwater.ts'
import { type Load, startLoad } from './test-load.ts'
import type { Mishap, Sent } from './test-senders.ts'
import { Traffic } from './test-traffic.ts'
import { judge, judgeBooks, judgeStored, type Verdict } from './test-verdict.ts'

/** How often each fault happens: `HEADWATER_FAULT_TIMES`, 20 without. */
export const times = numberOf('HEADWATER_FAULT_TIMES', 20)

/** A whole number from the environment. */
export function numberOf(name: string, usual: number): number {
  const text = process.env[name]?.trim() || String(usual)
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`${name} is "${text}": give a whole number, such as ${usual}`)
  }
  return number
}

/** Where the load of one mode goes. */
export interface Target {
  name: string
  url: string
}

export interface Fault {
  name: string
  headwater: Pick<Headwater, 'store' | 'apiUrl'>
  targets: readonly Target[]
  /** The fault itself, under load; resolves when it is over. */
  happens: (round: number) => Promise<void>
  /** What goes wrong with the first attempts of the n-th request. */
  mishapsOf?: (index: number) => readonly Mishap[]
  /** Whether the n-th request is sent once more after it was answered. */
  resendsOf?: (index: number) => boolean
  spansPerSecond?: number
  /** What every request has to meet, beside being answered. */
  checkSent?: (sent: readonly Sent[]) => void
  /** How many acknowledged records are damaged on purpose by now: so many have to be missing, and in the books as lost. */
  lost?: () => number
  /** Collectors whose books can be asked for when a round is over, where not the targets' own. */
  books?: () => readonly string[]
}

/** Before the fault and after it every load flows: so many requests of each are answered, if that can be. */
const calm = { requests: 8, atMostMs: 30_000, jitterMs: 400 }

/** One of the loads, over all rounds. */
interface Course {
  target: Target
  traffic: Traffic
  sent: Sent[]
  looks: number
}

/** Puts Headwater through the fault so often as asked for, prints what came of it, and fails when anything is amiss. */
export async function goThrough(fault: Fault): Promise<Pick<Verdict, 'rejected' | 'lost' | 'twice'>> {
  const { headwater, targets, lost: lostByNow = () => 0 } = fault
  const { store } = headwater
  const startedMs = Date.now()
  const courses = targets.map((target): Course => ({ target, traffic: new Traffic(), sent: [], looks: 0 }))
  const lostBefore = sumOf(await readBooks(store)).lost
  for (let round = 1; round <= times; round += 1) {
    await goRound(fault, courses, round)
    demand(`round ${round}, the books in ClickHouse`, judgeBooks(await readBooks(store), await countRows(store)))
    for (const { target, traffic, sent } of courses) {
      const wrong: string[] = []
      const copies = await readCopies(store, traffic.name)
      const { lost } = judgeStored(sent, { copies }, (line) => wrong.push(line))
      if (lost !== lostByNow()) wrong.push(`${lost} acknowledged spans are lost, ${lostByNow()} should be`)
      demand(`round ${round}, ${target.name}`, wrong)
    }
  }
  const books = sumOf(await readBooks(store))
  const lostByLedger = books.lost - lostBefore
  if (lostByLedger !== lostByNow()) demand('the ledger', [`${lostByLedger} spans are lost, ${lostByNow()} should be`])
  const sums = { rejected: 0, lost: 0, twice: 0 }
  for (const { target, traffic, sent, looks } of courses) {
    const facts = await readFacts(headwater, traffic.name, startedMs - 60_000)
    const verdict = judge(sent, facts, { lostByLedger })
    for (const name of ['rejected', 'lost', 'twice'] as const) sums[name] += verdict[name]
    const { requests, acknowledged, rejected, lost, twice, copies, complaints } = verdict
    report(
      `${fault.name} · ${target.name} · ${times} times · ${requests} requests, ${acknowledged} spans acknowledged, ` +
        `${rejected} rejected, ${lost} lost, ${twice} counted twice, ${copies} rows of retries, ` +
        `books balanced at ${looks} looks`,
    )
    demand(target.name, complaints)
  }
  report(`${fault.name} · ledger ${JSON.stringify(books)} · ${Math.round((Date.now() - startedMs) / 1_000)} s`)
  return sums
}

async function goRound(fault: Fault, courses: readonly Course[], round: number): Promise<void> {
  const { targets, happens, checkSent, books, spansPerSecond = 1_000, mishapsOf, resendsOf } = fault
  const running = courses.map(({ target: { url }, traffic }) => ({
    load: startLoad({ url, traffic, spansPerSecond, ...(mishapsOf && { mishapsOf }), ...(resendsOf && { resendsOf }) }),
    watch: watchBooks(url),
  }))
  const looked = await (async () => {
    try {
      await flow(running.map(({ load }) => load))
      await sleep(Math.random() * calm.jitterMs)
      await happens(round)
      await flow(running.map(({ load }) => load))
    } finally {
      await Promise.all(running.map(({ load }) => load.end()))
    }
    return await Promise.all(running.map(({ watch }) => watch.end()))
  })()
  for (const [index, course] of courses.entries()) {
    const { looks = 0, imbalances: wrong = [] } = looked[index] ?? {}
    demand(`round ${round}, ${course.target.name}, the books of the living collector`, wrong)
    const sent = running[index]?.load.sent ?? []
    checkSent?.(sent)
    course.looks += looks
    course.sent.push(...sent)
  }
  for (const url of books?.() ?? targets.map((target) => target.url)) await drained(url)
}

async function flow(loads: readonly Load[]): Promise<void> {
  const endsAtMs = performance.now() + calm.atMostMs
  for (const { sent } of loads) {
    const enough = sent.length + calm.requests
    while (sent.length < enough && performance.now() < endsAtMs) await sleep(10)
  }
}

/** Fails when there is anything to complain of. */
function demand(where: string, complaints: readonly string[]): void {
  if (complaints.length > 0) throw new Error(`${where}:\n${complaints.join('\n')}`)
}

/** One line, past the test runner's own output. */
export function report(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** A collector in each mode, with its log in a directory of its own below `directory`. */
export async function startBoth(headwater: Headwater, directory = '.'): Promise<CollectorProcess[]> {
  return await Promise.all(modes.map((mode) => headwater.startCollector(mode, `${directory}/${mode}`)))
}

export function targetsOf(collectors: readonly CollectorProcess[]): Target[] {
  return collectors.map(({ mode, url }) => ({ name: mode, url }))
}
