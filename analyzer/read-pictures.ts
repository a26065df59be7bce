// What a step looks at: the recent time, and the time before as normal. ClickHouse screens all series, and only what could be a
// finding is read in full.
import { readCalls, readSent, readStates, screenSeries, type Store, tenSecondsOf, type Windows } from '@headwater/store'
import { type Baseline, baselineUntil } from './baseline.ts'
import { readCommonSlowdown } from './common-slowdown.ts'
import { reachableFrom } from './graph/reachable.ts'
import { parameters } from './parameters.ts'
import { type Picture, pictureOf } from './picture.ts'
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
  /** Whether nothing at all was called in the recent time. */
  isEmpty: boolean
  /** Series that were too many to look at. */
  leftOut: number
  /**
   * Complete pictures of these services and of all that they call, directly or through others, with all calls into them; by
   * another baseline where one is given.
   */
  around(services: Iterable<string>, before?: Baseline): Promise<PicturePair & { leftOut: number }>
  /** The same, and of all that call them, directly or through others. */
  connected(services: Iterable<string>, before?: Baseline): Promise<PicturePair & { leftOut: number }>
}

/** Recent states up to `atMs` and those before, without times of incidents. */
export async function readPictures(store: Store, atMs: number): Promise<Pictures> {
  const recentMs = parameters.recentMs
  const recent = tenSecondsOf({ fromMs: atMs - recentMs, toMs: atMs })
  const normal = await baselineUntil(store, { atMs, toMs: atMs - recentMs })
  const { windows: baseline, coversMs: baselineMs } = normal
  const screen = await screenSeries(store, { recent, baseline, recentMs, baselineMs, rules: screenRules })
  const { pValueMax, services: striking, isSlow } = whatStandsOut(screen)
  const pictures = await readPair(store, { recent, baseline, services: striking })
  const slowdown = isSlow ? await readCommonSlowdown(store, { recent, baseline }) : 1
  if (screen.quiet.length > 0) {
    await addSent(store, pictures.recent, recent)
    await addSent(store, pictures.baseline, baseline)
  }
  const reached = async (
    services: Iterable<string>,
    isAboveToo: boolean,
    before: Windows = baseline,
  ): Promise<PicturePair & { leftOut: number }> => {
    const wanted = [...services]
    if (wanted.length === 0) return { recent: pictureOf([]), baseline: pictureOf([]), leftOut: 0 }
    const [now, usual] = await Promise.all([readCalls(store, recent), readCalls(store, before)])
    const calls = [...now.calls, ...usual.calls]
    const callees = Map.groupBy(calls, ({ caller }) => caller)
    const callers = Map.groupBy(calls, ({ service }) => service)
    const below = reachableFrom(wanted, (at) => (callees.get(at) ?? []).map(({ service }) => service))
    const above = reachableFrom(isAboveToo ? wanted : [], (at) => (callers.get(at) ?? []).map(({ caller }) => caller))
    const pair = await readPair(store, { recent, baseline: before, services: below.union(above) })
    return { ...pair, leftOut: pair.leftOut + now.leftOut + usual.leftOut }
  }
  return {
    ...pictures,
    recentMs,
    baselineMs,
    normal,
    pValueMax,
    slowdown,
    isEmpty: screen.isEmpty,
    leftOut: screen.leftOut + pictures.leftOut,
    around: async (services, before) => await reached(services, false, before?.windows),
    connected: async (services, before) => await reached(services, true, before?.windows),
  }
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
