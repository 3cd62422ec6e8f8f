import { splitModes, type TreeEnsemble, type TreeNode } from "./tree-ensemble.ts";

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
  const { roots, features, modes, thresholds, missing, whenTrue, whenFalse, worth } = flat(trees);
  return {
    start: roots.reduce((sum, root) => sum + worth[root]!, base),
    add(values, from, into) {
      for (const root of roots) {
        let at = root;
        for (let feature = features[at]!; feature !== LEAF; feature = features[at]!) {
          const value = values[from + feature]!;
          const yes = Number.isNaN(value) && missing[at] === 1 ? true : holds(modes[at]!, value, thresholds[at]!);
          const next = yes ? whenTrue[at]! : whenFalse[at]!;
          into[feature]! += worth[next]! - worth[at]!;
          at = next;
        }
      }
    },
  };
}

/** In the place of a feature. */
const LEAF = -1;

/** All nodes behind one another in typed arrays, which a path reads several times as fast as objects. */
function flat(trees: TreeEnsemble["trees"]) {
  const count = trees.reduce((sum, { length }) => sum + length, 0);
  const all = {
    roots: [] as number[],
    features: new Int32Array(count).fill(LEAF),
    modes: new Uint8Array(count),
    thresholds: new Float32Array(count),
    missing: new Uint8Array(count),
    whenTrue: new Int32Array(count),
    whenFalse: new Int32Array(count),
    worth: new Float64Array(count),
  };
  let from = 0;
  for (const nodes of trees) {
    all.roots.push(from);
    all.worth.set(worthOf(nodes), from);
    nodes.forEach((node, i) => {
      if (node.kind === "leaf") return;
      const at = from + i;
      all.features[at] = node.feature;
      all.modes[at] = splitModes.indexOf(node.mode);
      all.thresholds[at] = node.threshold;
      all.missing[at] = node.missingIsTrue ? 1 : 0;
      all.whenTrue[at] = from + node.whenTrue;
      all.whenFalse[at] = from + node.whenFalse;
    });
    from += nodes.length;
  }
  return all;
}

/** @param mode position in `splitModes` */
function holds(mode: number, value: number, threshold: number): boolean {
  switch (splitModes[mode]) {
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
    default:
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
