// What a step looks at: the recent time, and the time before as normal.
import {
  type CallState,
  countMinutes,
  countRecentWindows,
  readIncidentRanges,
  readMinuteStates,
  readRecentStates,
  type Store,
  type TimeRange,
} from '@headwater/store'
import { reachableFrom } from './graph/reachable.ts'
import { parameters } from './parameters.ts'
import { type Picture, pictureOf } from './picture.ts'

export interface Pictures {
  recent: Picture
  baseline: Picture
  recentMs: number
  /** How much time the baseline covers. */
  baselineMs: number
  /** The same of these services and of all that they call, directly or through others, with all calls into them; complete. */
  around(services: Iterable<string>): Promise<{ recent: Picture; baseline: Picture }>
}

/** Recent states up to `atMs` and those before, without times of incidents. */
export async function readPictures(store: Store, atMs: number): Promise<Pictures> {
  const recentMs = parameters.recentMs
  const toMs = atMs - recentMs - parameters.gapMs
  const hour: TimeRange = { fromMs: atMs - parameters.baselineMs, toMs }
  const excluded = (await readIncidentRanges(store, atMs - parameters.longBaselineMs, atMs)).map((range) => ({
    fromMs: range.fromMs - parameters.gapMs,
    toMs: range.toMs,
  }))
  const [now, before, windows] = await Promise.all([
    readRecentStates(store, { fromMs: atMs - recentMs, toMs: atMs }),
    readRecentStates(store, { ...hour, excluded }),
    countRecentWindows(store, { ...hour, excluded }),
  ])
  const calls = before.reduce((sum, state) => sum + state.calls, 0)
  if (calls >= parameters.baselineCallsMin) {
    return picturesOf({ now, before, recentMs, baselineMs: windows * 10_000 })
  }
  const day = { fromMs: atMs - parameters.longBaselineMs, toMs: hour.fromMs, excluded }
  const earlier = await readMinuteStates(store, day)
  const minutes = earlier.length === 0 ? 0 : await countMinutes(store, day)
  return picturesOf({
    now,
    before: [...before, ...earlier],
    recentMs,
    baselineMs: windows * 10_000 + minutes * 60_000,
  })
}

/** The pictures that these states make. */
export function picturesOf({
  now,
  before,
  recentMs,
  baselineMs,
}: {
  now: CallState[]
  before: CallState[]
  recentMs: number
  baselineMs: number
}): Pictures {
  return {
    recent: pictureOf(now),
    baseline: pictureOf(before),
    recentMs,
    baselineMs,
    around: async (services) => {
      const callees = calleesIn([...now, ...before])
      const wanted = reachableFrom(services, (service) => callees.get(service) ?? [])
      const isWanted = ({ service, caller }: CallState): boolean => wanted.has(service) || wanted.has(caller)
      return { recent: pictureOf(now.filter(isWanted)), baseline: pictureOf(before.filter(isWanted)) }
    },
  }
}

/** Whom each service calls. */
function calleesIn(states: CallState[]): Map<string, Set<string>> {
  const callees = new Map<string, Set<string>>()
  for (const { kind, caller, service } of states) {
    if (kind === 'publish' || caller === '') continue
    const known = callees.get(caller)
    if (known === undefined) callees.set(caller, new Set([service]))
    else known.add(service)
  }
  return callees
}
