/**
 * A shortest way from a node along the given steps to a node that is an end, both included; just the start when none is
 * reached. Breadth first; among equals the step given first wins.
 *
 * shortestPath('c', (n) => ({ c: ['b'], b: ['a'] })[n] ?? [], (n) => n === 'a') is ['c', 'b', 'a'].
 */
export function shortestPath(
  start: string,
  next: (node: string) => string[],
  isEnd: (node: string) => boolean,
): string[] {
  const cameFrom = new Map<string, string | undefined>([[start, undefined]])
  const queue = [start]
  for (const node of queue) {
    if (isEnd(node)) return walkBack(node, cameFrom)
    for (const step of next(node)) {
      if (!cameFrom.has(step)) {
        cameFrom.set(step, node)
        queue.push(step)
      }
    }
  }
  return [start]
}

function walkBack(end: string, cameFrom: Map<string, string | undefined>): string[] {
  const path: string[] = []
  for (let at: string | undefined = end; at !== undefined; at = cameFrom.get(at)) path.push(at)
  return path.toReversed()
}
