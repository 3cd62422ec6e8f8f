import { didYouMean } from "../did-you-mean.ts";
import type { RightValue } from "../manifest/config-issues.ts";
import { kindOf, nodeKinds, stepName, type NodeKind } from "./nodes.ts";

/** A step as far as the shape of a graph depends on it. */
type Step = {
  name?: string | undefined;
  model?: string | undefined;
  node?: string | undefined;
  step?: string | undefined;
  condition?: string | undefined;
  label?: string | undefined;
  weight?: number | undefined;
  inputs?: Readonly<Record<string, unknown>> | undefined;
};
type Node = { readonly [kind in NodeKind]?: readonly Step[] | undefined } & {
  on?: string | undefined;
  combine?: unknown;
  key?: string | undefined;
};
export type Nodes = Readonly<Record<string, Node>>;
export type GraphIssue = { path: (string | number)[]; message: string; right?: RightValue };

/** Nodes of a graph at most; each is a few lines that somebody wrote. */
const MAX_NODES = 100;

/**
 * What is wrong with a graph whatever its models are: kinds, unknown nodes, cycles, nodes and branches that no row
 * reaches, names that stand twice. Pure; paths are those of model.yaml.
 */
export function structureIssues(nodes: Nodes): GraphIssue[] {
  const issues: GraphIssue[] = [];
  const add = (path: (string | number)[], message: string, right?: RightValue) =>
    issues.push({ path: ["nodes", ...path], message, ...(right === undefined ? {} : { right }) });
  const names = Object.keys(nodes);
  if (names.length > MAX_NODES) {
    add([], `${names.length} nodes; at most ${MAX_NODES} are taken`, { expected: `at most ${MAX_NODES} nodes` });
    return issues;
  }
  if (!Object.hasOwn(nodes, "root"))
    add([], "there is no node `root`, where a row enters", {
      expected: "a node root",
      example: { root: { sequence: [{ model: "mood" }] } },
      at: ["nodes"],
    });
  const placed = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const [name, node] of Object.entries(nodes)) {
    const found = kindOf(node);
    if (found === null) {
      add([name], `a node is exactly one of ${nodeKinds.join(", ")}`, {
        expected: `one of ${nodeKinds.join(", ")}`,
        example: { sequence: [{ model: "mood" }] },
      });
      continue;
    }
    const { kind, steps } = found;
    issues.push(...keyIssues(name, node, kind));
    steps.forEach((step, i) => {
      const at = [name, kind, i];
      if ([step.model, step.node, step.step].filter((one) => one !== undefined).length !== 1)
        add(at, "a step names a `model`, a `node` or an earlier `step`", {
          expected: "exactly one of model, node and step",
          example: { model: "mood" },
        });
      const own = stepName(step);
      if (!/^[A-Za-z]\w*$/.test(own) && own !== "")
        add(at, `"${own}" cannot be used in expressions, so the step needs a name`, {
          expected: "`name`: letters, digits and '_', beginning with a letter",
          example: { name: own.replaceAll(/\W/g, "_"), model: own },
        });
      const before = placed.get(own);
      if (before !== undefined && own !== "")
        add(at, `two steps are called ${own}; the other one is in ${before}`, {
          expected: "a `name` of its own",
          example: { name: `${own}_2`, ...(step.model === undefined ? { node: step.node } : { model: step.model }) },
        });
      placed.set(own, name);
      if (step.model === undefined && Object.keys(step.inputs ?? {}).length > 0)
        add([...at, "inputs"], "`inputs` are fields of a model, and this step names none");
      if (step.node === undefined) return;
      if (!Object.hasOwn(nodes, step.node)) {
        const others = names.filter((one) => one !== "root");
        add([...at, "node"], `no node "${step.node}"; there are: ${others.join(", ") || "none besides root"}`, {
          expected: others.length === 0 ? "a node of this file" : `one of ${others.join(", ")}`,
          ...(others.length === 0 ? {} : { example: didYouMean(step.node, others) ?? others[0] }),
        });
        return;
      }
      const owner = owners.get(step.node);
      if (owner !== undefined) add([...at, "node"], `the node ${step.node} is already a step of ${owner}`);
      owners.set(step.node, name);
    });
  }
  const cycle = cycleIn(nodes);
  if (cycle !== null) add([cycle[0]!], `the graph leads back to where it was: ${cycle.join(" → ")}`);
  else if (Object.hasOwn(nodes, "root"))
    for (const name of unreached(nodes))
      add([name], `no step leads to the node ${name}`, { expected: "a step with `node`, or no such node" });
  return issues;
}

/** What a node has besides its steps, and must not lack. */
function keyIssues(name: string, node: Node, kind: NodeKind): GraphIssue[] {
  const issues: GraphIssue[] = [];
  const add = (path: (string | number)[], message: string, right?: RightValue) =>
    issues.push({ path: ["nodes", name, ...path], message, ...(right === undefined ? {} : { right }) });
  const only = (key: "on" | "combine" | "key", of: NodeKind) => {
    if (node[key] !== undefined && kind !== of)
      add([key], `\`${key}\` belongs to ${article(of)}, and this is ${article(kind)}`);
  };
  only("on", "switch");
  only("combine", "ensemble");
  only("key", "splitter");
  if (kind === "splitter" && node.key === undefined)
    add([], "a splitter needs `key`, the row field whose values each stay with one arm", {
      expected: "a row field",
      example: "user",
      at: ["nodes", name, "key"],
    });
  if (kind === "ensemble" && node.combine === "weighted")
    node.ensemble!.forEach((member, i) => {
      if (member.weight === undefined) add(["ensemble", i], "`combine: weighted` needs the `weight` of every member");
    });
  if (kind === "switch") issues.push(...branchIssues(name, node));
  return issues;
}

const article = (kind: NodeKind) => (kind === "ensemble" ? `an ${kind}` : `a ${kind}`);

/** Branches that take no row, and rows that no branch takes, as far as the file itself shows it. */
function branchIssues(name: string, node: Node): GraphIssue[] {
  const issues: GraphIssue[] = [];
  const branches = node.switch!;
  const add = (i: number, message: string, right?: RightValue) =>
    issues.push({ path: ["nodes", name, "switch", i], message, ...(right === undefined ? {} : { right }) });
  const seen = new Map<string, number>();
  let rest: number | null = null;
  branches.forEach((branch, i) => {
    if (branch.label !== undefined && node.on === undefined)
      add(i, "`label` needs the switch's `on`, which says whose label it is");
    if (branch.condition !== undefined && node.on !== undefined)
      add(i, "a switch with `on` chooses by `label`, one without by `condition`");
    if (rest !== null) {
      add(i, `no row reaches this branch: branch ${rest + 1} takes all that come to it`);
      return;
    }
    const chosen = branch.label ?? branch.condition;
    if (chosen === undefined) {
      rest = i;
      return;
    }
    const same = seen.get(chosen);
    if (same !== undefined) add(i, `no row reaches this branch: branch ${same + 1} takes what it would`);
    seen.set(chosen, i);
  });
  if (rest === null && node.on === undefined)
    add(branches.length - 1, "rows for which no condition is true reach no branch", {
      expected: "a last branch without `condition`",
      example: { model: branches.at(-1)!.model ?? "mood" },
    });
  return issues;
}

/** The nodes of a cycle, the first one again at its end; null without any. */
export function cycleIn(nodes: Nodes): string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): string[] | null => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return null;
    path.push(name);
    for (const next of nextOf(nodes, name)) {
      const found = visit(next);
      if (found !== null) return found;
    }
    path.pop();
    done.add(name);
    return null;
  };
  for (const name of Object.keys(nodes)) {
    const found = visit(name);
    if (found !== null) return found;
  }
  return null;
}

function unreached(nodes: Nodes): string[] {
  const reached = new Set<string>();
  const open = ["root"];
  while (open.length > 0) {
    const name = open.pop()!;
    if (reached.has(name)) continue;
    reached.add(name);
    open.push(...nextOf(nodes, name));
  }
  return Object.keys(nodes).filter((name) => !reached.has(name));
}

function nextOf(nodes: Nodes, name: string): string[] {
  const steps = Object.hasOwn(nodes, name) ? (kindOf(nodes[name]!)?.steps ?? []) : [];
  return steps.flatMap(({ node }) => (node !== undefined && Object.hasOwn(nodes, node) ? [node] : []));
}
