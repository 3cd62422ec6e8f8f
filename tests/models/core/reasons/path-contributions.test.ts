import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pathContributions } from "../../../../models/core/reasons/path-contributions.ts";
import {
  readTreeEnsemble,
  splitModes,
  type TreeEnsemble,
  type TreeNode,
} from "../../../../models/core/reasons/tree-ensemble.ts";
import { fixture } from "../build.ts";
import { treeRows } from "./trees.ts";

const read = (name: string): TreeEnsemble => {
  const found = readTreeEnsemble(fixture(name));
  if ("problem" in found) throw new Error(found.problem);
  return found;
};
const added = (ensemble: TreeEnsemble, features: number[]): number[] => {
  const into = new Float64Array(features.length);
  pathContributions(ensemble).add(features, 0, into);
  return [...into];
};

const leaf = (rows: number, value: number): TreeNode => ({ kind: "leaf", rows, value });
const split = (rows: number, feature: number, threshold: number, more: Partial<TreeNode> = {}): TreeNode =>
  ({
    kind: "split",
    rows,
    feature,
    mode: "BRANCH_LEQ",
    threshold,
    missingIsTrue: false,
    whenTrue: 1,
    whenFalse: 2,
    ...more,
  }) as TreeNode;

describe("contributions along paths", () => {
  it("of a tree by hand", () => {
    // x0 ≤ 5: a leaf of 60 rows worth 1; else x1 ≤ 2: 30 rows worth 2, or 10 rows worth 10.
    const tree = [
      split(100, 0, 5, { whenTrue: 1, whenFalse: 2 } as Partial<TreeNode>),
      leaf(60, 1),
      split(40, 1, 2, { whenTrue: 3, whenFalse: 4 } as Partial<TreeNode>),
      leaf(30, 2),
      leaf(10, 10),
    ];
    const ensemble = { input: "x", base: 0.5, trees: [tree] };
    // The inner split is worth (30·2 + 10·10)/40 = 4, the root (60·1 + 40·4)/100 = 2.2.
    expect(pathContributions(ensemble).start).toBeCloseTo(0.5 + 2.2, 12);
    expect(added(ensemble, [9, 7])).toEqual([expect.closeTo(4 - 2.2, 12), expect.closeTo(10 - 4, 12)]);
    expect(added(ensemble, [9, 1])).toEqual([expect.closeTo(1.8, 12), expect.closeTo(-2, 12)]);
    expect(added(ensemble, [5, 7])).toEqual([expect.closeTo(-1.2, 12), 0]);
    // A missing value is not ≤ anything, unless the split says so.
    expect(added(ensemble, [Number.NaN, 1])[0]).toBeCloseTo(1.8, 12);
    const missing = [{ ...tree[0]!, missingIsTrue: true } as TreeNode, ...tree.slice(1)];
    expect(added({ ...ensemble, trees: [missing] }, [Number.NaN, 1])[0]).toBeCloseTo(-1.2, 12);
  });

  it.each([
    ["BRANCH_LEQ", [true, true, false]],
    ["BRANCH_LT", [true, false, false]],
    ["BRANCH_GTE", [false, true, true]],
    ["BRANCH_GT", [false, false, true]],
    ["BRANCH_EQ", [false, true, false]],
    ["BRANCH_NEQ", [true, false, true]],
  ] as const)("%s of a value below, at and above the threshold", (mode, taken) => {
    expect(splitModes).toContain(mode);
    const tree = [split(2, 0, 3, { mode } as Partial<TreeNode>), leaf(1, 1), leaf(1, -1)];
    expect([2, 3, 4].map((value) => added({ input: "x", base: 0, trees: [tree] }, [value])[0]! > 0)).toEqual(taken);
  });

  it("agree with scikit-learn's own nodes, and add up to the graph's probability", () => {
    const ensemble = read("tree-paths.onnx");
    expect(ensemble.trees).toHaveLength(12);
    const { start } = pathContributions(ensemble);
    for (const row of treeRows) {
      const found = added(
        ensemble,
        row.features.map((value) => value ?? Number.NaN),
      );
      expect(start).toBeCloseTo(row.start, 6);
      found.forEach((value, i) => expect(value).toBeCloseTo(row.contributions[i]!, 6));
      const margin = start + found.reduce((sum, one) => sum + one, 0);
      expect(1 / (1 + Math.exp(-margin))).toBeCloseTo(row.probability, 6);
    }
  });

  it("are all 0 where nothing is split, and where every leaf is worth the same", () => {
    expect(added({ input: "x", base: 1, trees: [[leaf(5, 2)]] }, [1, 2])).toEqual([0, 0]);
    expect(pathContributions({ input: "x", base: 1, trees: [[leaf(5, 2)]] }).start).toBe(3);
    const same = [split(4, 0, 0), leaf(1, 7), leaf(3, 7)];
    expect(added({ input: "x", base: 0, trees: [same] }, [1, 2])).toEqual([0, 0]);
  });

  it("average to 0 over the training rows: nothing is added where nothing is known", () => {
    // One value a leaf, as often as the leaf has rows, in random trees of one feature.
    const trees = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.double({ min: -5, max: 5, noNaN: true })), {
      minLength: 2,
      maxLength: 8,
    });
    fc.assert(
      fc.property(trees, (leaves) => {
        // A chain: value i falls into leaf i.
        const nodes: TreeNode[] = [];
        const rest = (from: number) => leaves.slice(from).reduce((sum, [rows]) => sum + rows, 0);
        leaves.forEach(([rows, value], i) => {
          const last = i === leaves.length - 1;
          if (!last)
            nodes.push(split(rest(i), 0, i, { whenTrue: 2 * i + 1, whenFalse: 2 * i + 2 } as Partial<TreeNode>));
          nodes.push(leaf(rows, value));
        });
        const ensemble = { input: "x", base: 0, trees: [nodes] };
        const sum = leaves.reduce((total, [rows], i) => total + rows * added(ensemble, [i])[0]!, 0);
        expect(sum / rest(0)).toBeCloseTo(0, 9);
      }),
    );
  });
});

describe("trees of a graph", () => {
  it.each([
    ["without the rows of their nodes", "tree-paths-without-rows.onnx", /no nodes_hitrates/],
    ["that is no tree", "linear.onnx", /the one TreeEnsembleRegressor of a graph/],
  ])("%s are refused", (_, name, problem) => {
    expect(readTreeEnsemble(fixture(name))).toMatchObject({ problem: expect.stringMatching(problem) });
  });

  it("whose hit rates are no rows, as converters write them, are refused with what was found", () => {
    // Every hit rate becomes 1: the attribute's floats are the last of the node, each behind the same tag.
    const bytes = fixture("tree-paths.onnx");
    const at = Buffer.from(bytes).indexOf("nodes_hitrates");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const { trees } = read("tree-paths.onnx");
    const first = trees[0]![0]!.rows;
    let changed = 0;
    for (let i = at; i < bytes.length - 4 && changed === 0; i++)
      if (view.getFloat32(i, true) === first) {
        view.setFloat32(i, 1, true);
        changed++;
      }
    expect(changed).toBe(1);
    expect(readTreeEnsemble(bytes)).toMatchObject({
      problem: expect.stringMatching(/must be training rows/),
      received: expect.stringMatching(/1 rows, and 2000 in the branches, at node 0 of tree 0/),
    });
  });

  it("cut off or changed anywhere end in a result or an error, never in a loop", () => {
    const bytes = fixture("tree-paths.onnx");
    const attempt = (some: Uint8Array) => {
      try {
        const found = readTreeEnsemble(some);
        if (!("problem" in found)) pathContributions(found).add(new Float32Array(1000), 0, new Float64Array(1000));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    };
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const some = cut ? bytes.slice(0, at) : Uint8Array.from(bytes);
        if (!cut) some[at] = byte;
        attempt(some);
      }),
      { numRuns: 400 },
    );
  });
});
