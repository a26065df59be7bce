// What a step looks at: the recent time, and the time before as normal. ClickHouse screens all series, and only what could be a
// finding is read in full.
import {
  type Call,
  readCalls,
  readNormalStates,
  readSent,
  readStates,
  screenSeries,
  type Store,
  tenSecondsOf,
  type Windows,
} from '@headwater/store'
import { type Baseline, baselineUntil } from './baseline.ts'
import { readCommonSlowdown } from './common-slowdown.ts'
import { reachableFrom } from './graph/reachable.ts'
import { parameters } from './parameters.ts'
import { type Picture, pictureOf } from './picture.ts'
import { recentAt } from './recent.ts'
import { screenRules, whatStandsOut } from './stands-out.ts'

/** The same time twice: as it is, and as it usually is. */
export interface PicturePair {
  recent: Picture
  baseline: Picture
}

export interface Pictures extends PicturePair {
  /** These hold only the services of which a series could be found to depart from normal, complete with all calls into them. */
  recent: Picture
  baseline: Picture
  recentMs: number
  /** How much time the baseline covers. */
  baselineMs: number
  /** What is normal, in full. */
  normal: Baseline
  /** The largest p-value that is significant, over all series, those that are not in the pictures included. */
  pValueMax: number
  /** By what factor everything is slower than usual. */
  slowdown: number
  /** Services where something could be beginning. */
  restless: ReadonlySet<string>
  /** Whether nothing at all was called in the recent time. */
  isEmpty: boolean
  /** So far, series that were too many to look at, as well as pairs of services, and services below. */
  leftOut(): number
  /**
   * Complete pictures of these services and of the nearest of those that they call, directly or through others, with all calls into
   * them; by another baseline where one is given.
   */
  around(services: Iterable<string>, before?: Baseline): Promise<PicturePair>
  /** Who called whom before. */
  calls(): Promise<Call[]>
  /**
   * What is normal of these services and of all that they call or that call them, directly or through others. Of the services
   * `told` it is complete, and of what begins runs; of the others there is how many calls there are, and nothing else.
   */
  connected(
    services: Iterable<string>,
    options: { told: Iterable<string>; before?: Baseline | undefined },
  ): Promise<Picture>
}

/** Recent states up to `atMs` and those before, without times of incidents. */
export async function readPictures(store: Store, atMs: number): Promise<Pictures> {
  const range = recentAt(atMs)
  const recentMs = atMs - range.fromMs
  const recent = tenSecondsOf(range)
  const normal = await baselineUntil(store, { atMs, toMs: range.fromMs })
  const { windows: baseline, coversMs: baselineMs } = normal
  const screen = await screenSeries(store, { recent, baseline, recentMs, baselineMs, rules: screenRules })
  const { pValueMax, services: striking, isSlow, restless } = whatStandsOut(screen)
  const pictures = await readPair(store, { recent, baseline, services: striking })
  const slowdown = isSlow ? await readCommonSlowdown(store, { recent, baseline }) : 1
  if (screen.quiet.length > 0) {
    await addSent(store, pictures.recent, recent)
    await addSent(store, pictures.baseline, baseline)
  }
  let leftOut = screen.leftOut + pictures.leftOut
  const callsIn = new Map<Windows, Promise<Call[]>>()
  const readCallsOnce = async (windows: Windows): Promise<Call[]> => {
    const answer =
      callsIn.get(windows) ??
      readCalls(store, windows).then(({ calls, leftOut: pairs }) => {
        leftOut += pairs
        return calls
      })
    callsIn.set(windows, answer)
    return await answer
  }
  const readAround = async (services: string[], before: Windows): Promise<PicturePair> => {
    if (services.length === 0) return { recent: pictureOf([]), baseline: pictureOf([]) }
    const [now, usual] = await Promise.all([readCallsOnce(recent), readCallsOnce(before)])
    const below = [...calledFrom(services, [...now, ...usual])]
    const read = below.slice(0, services.length + parameters.servicesBelowMax)
    const pair = await readPair(store, { recent, baseline: before, services: new Set(read) })
    leftOut += pair.leftOut + below.length - read.length
    return pair
  }
  // Whoever is asked about twice in a step was not heard of in between.
  const arounds = new Map<string, Promise<PicturePair>>()
  const around: Pictures['around'] = async (services, { windows } = normal) => {
    const wanted = [...new Set(services)].toSorted()
    const question = JSON.stringify([wanted, windows])
    const answer = arounds.get(question) ?? readAround(wanted, windows)
    arounds.set(question, answer)
    return await answer
  }
  const connected: Pictures['connected'] = async (services, { told, before }) => {
    const windows = before?.windows ?? baseline
    const wanted = [...services]
    if (wanted.length === 0) return pictureOf([])
    const [now, usual] = await Promise.all([readCallsOnce(recent), readCallsOnce(windows)])
    const calls = [...now, ...usual]
    const known = await readNormalStates(store, windows, {
      services: calledFrom(wanted, calls).union(callingTo(wanted, calls)),
      told: new Set(told),
    })
    leftOut += known.leftOut
    return pictureOf(known.states)
  }
  return {
    ...pictures,
    recentMs,
    baselineMs,
    normal,
    pValueMax,
    slowdown,
    restless,
    isEmpty: screen.isEmpty,
    leftOut: () => leftOut,
    around,
    calls: async () => await readCallsOnce(baseline),
    connected,
  }
}

/** These and all that they call, the nearest first. */
function calledFrom(services: string[], calls: readonly Call[]): Set<string> {
  const callees = Map.groupBy(calls, ({ caller }) => caller)
  return reachableFrom(services, (at) => (callees.get(at) ?? []).map(({ service }) => service))
}

function callingTo(services: string[], calls: readonly Call[]): Set<string> {
  const callers = Map.groupBy(calls, ({ service }) => service)
  return reachableFrom(services, (at) => (callers.get(at) ?? []).map(({ caller }) => caller))
}

async function readPair(
  store: Store,
  { recent, baseline, services }: { recent: Windows; baseline: Windows; services: ReadonlySet<string> },
): Promise<PicturePair & { leftOut: number }> {
  if (services.size === 0) return { recent: pictureOf([]), baseline: pictureOf([]), leftOut: 0 }
  const [now, before] = await Promise.all([
    readStates(store, recent, { services }),
    readStates(store, baseline, { services }),
  ])
  return {
    recent: pictureOf(now.states),
    baseline: pictureOf(before.states),
    leftOut: now.leftOut + before.leftOut,
  }
}

/** For the silence of a service its neighbours speak, by what they send, also to services that are not in the picture. */
async function addSent(store: Store, picture: Picture, windows: Windows): Promise<void> {
  for (const { caller, made, published } of await readSent(store, windows)) {
    if (made > 0) picture.made.set(caller, made)
    if (published > 0) picture.published.set(caller, published)
  }
}
