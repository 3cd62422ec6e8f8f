import { partsOfNode, type Plan } from "../../../models/core/graph/plan.ts";
import type { Composition } from "../../../models/core/predictor/load.ts";
import type { ModelDescription } from "../../../models/core/predictor/predictor.ts";

/**
 * A composition's graph for clients: nodes with what decides between their steps, and which version of which model
 * answers a step.
 */
export function compositionCard(
  { declared, graph }: Composition,
  steps: NonNullable<ModelDescription["steps"]>,
): object {
  const shown = (plan: Plan): object => {
    if (plan.kind === "step") {
      const described = steps.find(({ step }) => step === plan.name)!;
      return {
        name: plan.name,
        kind: "step",
        model: plan.model,
        version: described.version,
        sha256: described.sha256,
        heads: plan.heads.map(({ name }) => name),
      };
    }
    if (plan.kind === "earlier") return { name: plan.name, kind: "earlier", of: plan.of };
    const node = declared.nodes[plan.node]!;
    const parts = partsOfNode(plan);
    const of = node[plan.kind]! as readonly { condition?: string; label?: string; weight?: number }[];
    return {
      name: plan.name,
      kind: plan.kind,
      ...(node.on === undefined ? {} : { on: node.on }),
      ...(node.key === undefined ? {} : { key: node.key }),
      ...(plan.kind === "ensemble" ? { combine: node.combine ?? "mean" } : {}),
      steps: parts.map((part, i) => {
        const { condition, label, weight } = of[i]!;
        return {
          ...shown(part),
          ...(condition === undefined ? {} : { condition }),
          ...(label === undefined ? {} : { label }),
          ...(weight === undefined ? {} : { weight }),
          ...(part.kind === "step" && part.inputs.length > 0
            ? { inputs: (node[plan.kind]![i] as { inputs: Record<string, string> }).inputs }
            : {}),
        };
      }),
    };
  };
  return { ...shown(graph.root), ...(declared.answer === undefined ? {} : { answer: declared.answer }) };
}
