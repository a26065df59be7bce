/** Numbers in [0, 1) that follow from a seed alone (mulberry32), so that load and faults can be had again. */
export type Random = () => number

/** A stream of chance of its own for each pair of `seed` and `purpose`. */
export function randomFrom(seed: number, purpose = ''): Random {
  let state = seed | 0
  for (const character of purpose) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A number between `low` and `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random()
}

/** One of `items`, each with the chance that `weightOf` gives it. */
export function pick<T>(random: Random, items: readonly T[], weightOf: (item: T) => number = () => 1): T {
  let left = random() * items.reduce((sum, item) => sum + weightOf(item), 0)
  for (const item of items) {
    left -= weightOf(item)
    if (left < 0) return item
  }
  const last = items.at(-1)
  if (last === undefined) throw new Error('Cannot pick from nothing: give at least one item')
  return last
}

/** Milliseconds until the next arrival of a Poisson process. */
export function nextArrivalAfterMs(random: Random, perSecond: number): number {
  return (-Math.log(1 - random()) / perSecond) * 1_000
}
