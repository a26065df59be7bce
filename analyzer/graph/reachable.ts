/**
 * The given nodes and all that is reached from them along the given steps.
 *
 * reachableFrom(['b'], (n) => ({ a: ['b'], b: ['c'] })[n] ?? []) is b and c.
 */
export function reachableFrom(nodes: Iterable<string>, next: (node: string) => Iterable<string>): Set<string> {
  const found = new Set(nodes)
  // A set that grows while it is walked is walked to its new end.
  for (const node of found) for (const step of next(node)) found.add(step)
  return found
}
