import type { TreeEnsemble, TreeNode } from "./tree-ensemble.ts";

/** What each feature adds to the result of trees for one row. */
export type PathContributions = {
  /** The result before any split: base, and what all roots are worth. */
  start: number;
  /**
   * Adds to `into` what each feature adds, so that start + Σ is the trees' result (before a transform such as a sigmoid).
   *
   * @param features of the row, from `from` on; NaN is missing
   */
  add(features: ArrayLike<number>, from: number, into: Float64Array): void;
};

/**
 * Contributions along decision paths (A. Saabas, Interpreting random forests, 2014; the package treeinterpreter). A leaf
 * is worth its value, a split the mean of its leaves weighted by their training rows. A split on a row's path gives its
 * feature what the next node is worth more than itself. The sum is exact; unlike Shapley values, a feature that is split
 * on near the root may get less than one that comes later (Lundberg and others 2020, doi 10.1038/s42256-019-0138-9).
 */
export function pathContributions({ base, trees }: TreeEnsemble): PathContributions {
  const compiled = trees.map((nodes) => ({ nodes, worth: worthOf(nodes) }));
  return {
    start: compiled.reduce((sum, { worth }) => sum + worth[0]!, base),
    add(features, from, into) {
      for (const { nodes, worth } of compiled) {
        let at = 0;
        for (let node = nodes[at]!; node.kind === "split"; node = nodes[at]!) {
          const next = isTrue(node, features[from + node.feature]!) ? node.whenTrue : node.whenFalse;
          into[node.feature]! += worth[next]! - worth[at]!;
          at = next;
        }
      }
    },
  };
}

function isTrue({ mode, threshold, missingIsTrue }: Extract<TreeNode, { kind: "split" }>, value: number): boolean {
  if (missingIsTrue && Number.isNaN(value)) return true;
  switch (mode) {
    case "BRANCH_LEQ":
      return value <= threshold;
    case "BRANCH_LT":
      return value < threshold;
    case "BRANCH_GTE":
      return value >= threshold;
    case "BRANCH_GT":
      return value > threshold;
    case "BRANCH_EQ":
      return value === threshold;
    case "BRANCH_NEQ":
      return value !== threshold;
  }
}

/** A child may stand before its parent, so nodes are worked off from the leaves up. */
function worthOf(nodes: readonly TreeNode[]): Float64Array {
  const worth = new Float64Array(nodes.length);
  const order: number[] = [];
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    order.push(at);
    const node = nodes[at]!;
    if (node.kind === "split") open.push(node.whenTrue, node.whenFalse);
  }
  for (const at of order.toReversed()) {
    const node = nodes[at]!;
    if (node.kind === "leaf") worth[at] = node.value;
    else {
      const [yes, no] = [nodes[node.whenTrue]!.rows, nodes[node.whenFalse]!.rows];
      worth[at] = (worth[node.whenTrue]! * yes + worth[node.whenFalse]! * no) / (yes + no);
    }
  }
  return worth;
}
