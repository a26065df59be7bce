/**
 * Connected components of an undirected graph, as arrays of nodes, in the order in which the nodes are given. Edges to
 * unknown nodes are passed over. Union-find with path halving (Tarjan & van Leeuwen 1984).
 *
 * connectedComponents(['a', 'b', 'c'], [['a', 'c']]) is [['a', 'c'], ['b']].
 */
export function connectedComponents(nodes: string[], edges: Iterable<readonly [string, string]>): string[][] {
  const parent = new Map(nodes.map((node) => [node, node]))
  const find = (node: string): string => {
    let at = node
    for (;;) {
      const up = parent.get(at) ?? at
      if (up === at) return at
      const above = parent.get(up) ?? up
      parent.set(at, above)
      at = above
    }
  }
  for (const [a, b] of edges) {
    if (parent.has(a) && parent.has(b)) parent.set(find(a), find(b))
  }
  const members = new Map<string, string[]>()
  for (const node of nodes) {
    const root = find(node)
    const known = members.get(root)
    if (known === undefined) members.set(root, [node])
    else known.push(node)
  }
  return [...members.values()]
}
