import { counts, fields, floats, text, type Field } from "../onnx/protobuf.ts";

/** How a split compares: the true branch is taken where `value MODE threshold` holds. */
export const splitModes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"] as const;
type SplitMode = (typeof splitModes)[number];

/** Node of a tree: a leaf, or a split of a feature. `rows`: of the training data that came here. */
export type TreeNode =
  | { kind: "leaf"; rows: number; value: number }
  | {
      kind: "split";
      rows: number;
      feature: number;
      mode: SplitMode;
      threshold: number;
      /** Whether a missing value (NaN) takes the true branch. */
      missingIsTrue: boolean;
      /** Positions in the tree's list. */
      whenTrue: number;
      whenFalse: number;
    };

/** A TreeEnsembleRegressor of one target, whose result is base + Σ over trees of the leaf that a row falls into. */
export type TreeEnsemble = {
  /** Name of the graph's tensor that holds the features. */
  input: string;
  base: number;
  /** The first node of each tree is its root. */
  trees: TreeNode[][];
};

/** Why reasons cannot be computed from a graph, in words for an error. */
export type NoEnsemble = { problem: string; received: string; hint?: string };

const OPERATOR = "TreeEnsembleRegressor";

/**
 * The trees of an ONNX file: its one TreeEnsembleRegressor (ai.onnx.ml), by the operator's attributes. `nodes_hitrates`
 * must be the training rows of each node: the rows of a split are those of its branches together.
 *
 * Messages read (onnx.proto3): ModelProto.graph = 7; GraphProto.node = 1; NodeProto.input = 1, op_type = 4,
 * attribute = 5; AttributeProto.name = 1, i = 3, s = 4, floats = 7, ints = 8, strings = 9.
 */
export function readTreeEnsemble(bytes: Uint8Array): TreeEnsemble | NoEnsemble {
  const found: { input: string; attributes: Attributes }[] = [];
  const operators = new Set<string>();
  for (const graph of within(bytes, { start: 0, end: bytes.length }, 7))
    for (const node of within(bytes, graph, 1)) {
      const operator = textsOf(bytes, node, 4)[0] ?? "";
      operators.add(operator);
      if (operator === OPERATOR)
        found.push({ input: textsOf(bytes, node, 1)[0] ?? "", attributes: attributesOf(bytes, node) });
    }
  const [only, more] = found;
  if (only === undefined || more !== undefined)
    return {
      problem: `reasons are computed from the one ${OPERATOR} of a graph`,
      received:
        more === undefined
          ? `a graph of ${[...operators].slice(0, 10).join(", ") || "nothing"}`
          : `${found.length} of them`,
    };
  return ensembleOf(only.input, only.attributes);
}

type Attributes = {
  floats: (name: string) => number[];
  ints: (name: string) => number[];
  strings: (name: string) => string[];
  int: (name: string) => number | null;
  string: (name: string) => string | null;
  has: (name: string) => boolean;
};

type Range = Pick<Field, "start" | "end">;

function within(bytes: Uint8Array, { start, end }: Range, number: number): Field[] {
  return [...fields(bytes, start, end)].filter((field) => field.number === number && field.wire === 2);
}

const textsOf = (bytes: Uint8Array, message: Range, number: number) =>
  within(bytes, message, number).map((field) => text(bytes, field));

function attributesOf(bytes: Uint8Array, node: Field): Attributes {
  const all = new Map(
    within(bytes, node, 5).map((attribute) => {
      const parts = [...fields(bytes, attribute.start, attribute.end)];
      const [name] = parts.filter(({ number, wire }) => number === 1 && wire === 2);
      return [name === undefined ? "" : text(bytes, name), parts] as const;
    }),
  );
  const parts = (name: string, number: number) => (all.get(name) ?? []).filter((part) => part.number === number);
  return {
    floats: (name) => parts(name, 7).flatMap((part) => floats(bytes, part)),
    ints: (name) => parts(name, 8).flatMap((part) => counts(bytes, part)),
    strings: (name) => parts(name, 9).map((part) => text(bytes, part)),
    int: (name) => parts(name, 3)[0]?.value ?? null,
    string: (name) => parts(name, 4).map((part) => text(bytes, part))[0] ?? null,
    has: (name) => all.has(name),
  };
}

function ensembleOf(input: string, own: Attributes): TreeEnsemble | NoEnsemble {
  const targets = own.int("n_targets") ?? 1;
  if (targets !== 1) return { problem: "reasons are computed for trees with one target", received: `${targets}` };
  const aggregate = own.string("aggregate_function") ?? "SUM";
  if (aggregate !== "SUM" && aggregate !== "AVERAGE")
    return { problem: "reasons need trees whose results are added or averaged", received: aggregate };
  if (own.has("nodes_values_as_tensor")) return { problem: "reasons need float32 trees", received: "float64 trees" };
  const treeIds = own.ints("nodes_treeids");
  const nodeIds = own.ints("nodes_nodeids");
  const featureIds = own.ints("nodes_featureids");
  const thresholds = own.floats("nodes_values");
  const modes = own.strings("nodes_modes");
  const whenTrue = own.ints("nodes_truenodeids");
  const whenFalse = own.ints("nodes_falsenodeids");
  const rows = own.floats("nodes_hitrates");
  const missing = own.ints("nodes_missing_value_tracks_true");
  const hint = "write the training rows of each node into nodes_hitrates when the trees are exported";
  if (rows.length === 0) return { problem: "the trees have no nodes_hitrates", received: "no such attribute", hint };
  const columns = [nodeIds, featureIds, thresholds, modes, whenTrue, whenFalse, rows];
  const wrong = columns.find(({ length }) => length !== treeIds.length);
  if (wrong !== undefined || (missing.length > 0 && missing.length !== treeIds.length))
    return {
      problem: "the attributes of the trees have different lengths",
      received: [treeIds, ...columns, missing].map(({ length }) => length).join(", "),
    };
  const targetTrees = own.ints("target_treeids");
  const targetNodes = own.ints("target_nodeids");
  const weights = own.floats("target_weights");
  const leaves = new Map<string, number>();
  weights.forEach((weight, i) => {
    const key = `${targetTrees[i]} ${targetNodes[i]}`;
    leaves.set(key, (leaves.get(key) ?? 0) + weight);
  });
  const numbers = Map.groupBy(treeIds.keys(), (i) => treeIds[i]!);
  const scale = aggregate === "AVERAGE" ? 1 / numbers.size : 1;
  const trees: TreeNode[][] = [];
  for (const [tree, members] of numbers) {
    const positions = new Map(members.map((i, position) => [nodeIds[i]!, position]));
    const nodes: TreeNode[] = [];
    for (const i of members) {
      if (modes[i] === "LEAF") {
        const value = scale * (leaves.get(`${tree} ${nodeIds[i]}`) ?? 0);
        nodes.push({ kind: "leaf", rows: rows[i]!, value });
        continue;
      }
      const mode = splitModes.find((one) => one === modes[i]);
      const [yes, no] = [positions.get(whenTrue[i]!), positions.get(whenFalse[i]!)];
      if (mode === undefined || yes === undefined || no === undefined)
        return { problem: "a node of the trees cannot be understood", received: `node ${nodeIds[i]} of tree ${tree}` };
      nodes.push({
        kind: "split",
        rows: rows[i]!,
        feature: featureIds[i]!,
        mode,
        threshold: thresholds[i]!,
        missingIsTrue: missing[i] === 1,
        whenTrue: yes,
        whenFalse: no,
      });
    }
    const problem = treeProblem(nodes);
    if (problem !== null) return { ...problem, received: `${problem.received} of tree ${tree}`, hint };
    trees.push(nodes);
  }
  const [base = 0] = own.floats("base_values");
  return { input, base, trees };
}

/** Rows are counted in float32, of which a sum of two may round. */
const roundingOf = (rows: number) => 1e-5 * rows;

/** A node that is reached twice, or whose rows are not those of its branches; null where the tree is one. */
function treeProblem(nodes: readonly TreeNode[]): NoEnsemble | null {
  const reached = new Set<number>();
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (reached.has(at)) return { problem: "the trees have a node with two parents", received: `node ${at}` };
    reached.add(at);
    const node = nodes[at]!;
    if (!(node.rows > 0 && Number.isFinite(node.rows)))
      return { problem: "nodes_hitrates must be training rows", received: `${node.rows} at node ${at}` };
    if (node.kind === "leaf") continue;
    const together = nodes[node.whenTrue]!.rows + nodes[node.whenFalse]!.rows;
    if (Math.abs(together - node.rows) > roundingOf(node.rows))
      return {
        problem: "nodes_hitrates must be training rows: those of a split are those of its branches together",
        received: `${node.rows} rows, and ${together} in the branches, at node ${at}`,
      };
    open.push(node.whenTrue, node.whenFalse);
  }
  return null;
}
