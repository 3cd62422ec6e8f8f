/**
 * One cycle of a directed graph, as the nodes along it with the first repeated at the end; empty when there is none.
 *
 * @param edges [from, to]; an edge from a node to itself does not count
 */
export function findCycle(edges: readonly (readonly [string, string])[]): string[] {
  const next = new Map<string, Set<string>>();
  for (const [from, to] of edges) {
    if (from !== to) next.set(from, (next.get(from) ?? new Set()).add(to));
  }
  const done = new Set<string>();
  const walk = (node: string, trail: readonly string[]): string[] => {
    const at = trail.indexOf(node);
    if (at >= 0) return [...trail.slice(at), node];
    if (done.has(node)) return [];
    for (const one of next.get(node) ?? []) {
      const cycle = walk(one, [...trail, node]);
      if (cycle.length > 0) return cycle;
    }
    done.add(node);
    return [];
  };
  for (const node of next.keys()) {
    const cycle = walk(node, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
