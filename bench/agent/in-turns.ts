/** All of them, each time beginning with the next one: nobody always comes after the same other. */
export function inTurns<T>(all: readonly T[], round: number): T[] {
  const first = ((round % all.length) + all.length) % all.length
  return [...all.slice(first), ...all.slice(0, first)]
}
