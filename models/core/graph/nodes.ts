/** The kinds of a node, each the key that holds its steps. */
export const nodeKinds = ["sequence", "switch", "ensemble", "splitter"] as const;
export type NodeKind = (typeof nodeKinds)[number];

/** What a node's kind, steps and targets can be read of, whatever schema it has been through. */
type Steps<Step> = { readonly [kind in NodeKind]?: readonly Step[] | undefined };

/** A node's kind and its steps; null unless it has exactly one of the four. */
export function kindOf<Step>(node: Steps<Step>): { kind: NodeKind; steps: readonly Step[] } | null {
  const found = nodeKinds.filter((kind) => node[kind] !== undefined);
  const [kind] = found;
  return kind === undefined || found.length > 1 ? null : { kind, steps: node[kind]! };
}

/** A step's own name: the one that it states, else its model's or its node's; STEP_kept for an earlier one's answer. */
export function stepName(step: {
  name?: string | undefined;
  model?: string | undefined;
  node?: string | undefined;
  step?: string | undefined;
}): string {
  return step.name ?? step.model ?? step.node ?? (step.step === undefined ? "" : `${step.step}_kept`);
}

/** The ids of the models that a model.yaml names as steps, before any schema; none unless it is a composition. */
export function modelsNamed(plain: unknown): string[] {
  if (!isMap(plain) || plain["backend"] !== "graph" || !isMap(plain["nodes"])) return [];
  const steps = Object.values(plain["nodes"]).flatMap((node) =>
    isMap(node) ? nodeKinds.flatMap((kind) => (Array.isArray(node[kind]) ? (node[kind] as unknown[]) : [])) : [],
  );
  return [
    ...new Set(steps.flatMap((step) => (isMap(step) && typeof step["model"] === "string" ? [step["model"]] : []))),
  ];
}

/** The folder, relative to the composition's, where a model of it lies beside it; before any schema. */
export function folderBeside(plain: unknown, model: string): string {
  const stated = isMap(plain) && isMap(plain["models"]) ? plain["models"][model] : undefined;
  return typeof stated === "string" ? stated : `../${model}`;
}

/** The folder in a composition's own one that may hold a model of it, as in a deployed bundle. */
export const folderInside = (model: string) => `steps/${model}`;

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
