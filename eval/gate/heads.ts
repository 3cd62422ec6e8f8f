import { ConfigurationError } from "../../models/core/errors.ts";
import type { CheckPolicy } from "../../models/core/manifest/gates.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";
import { taskOfHead } from "../predictions/head-task.ts";
import { catalog } from "../metrics/catalog.ts";
import { requireReadOptions } from "../metrics/unread-options.ts";
import { requireOfOneClass } from "../metrics/of-one-class.ts";
import { performanceMetrics } from "./performance-metrics.ts";

/**
 * The head that a check is about: the one it names, or the only one its metric is defined for. Null for metrics of the
 * whole model.
 * @throws ConfigurationError when no head fits, or several do
 */
export function headFor(policy: CheckPolicy, index: number, manifest: Manifest, place: string): string | null {
  const definition = catalog.get(policy.metric);
  if (definition !== undefined) requireReadOptions([definition], policy, `${place} gates.checks[${index}]`);
  requireOfOneClass(policy, `${place} gates.checks[${index}]`);
  if (performanceMetrics.has(policy.metric)) return null;
  const rules = catalog.get(policy.metric)?.rules;
  if (rules?.kinds.includes(policy.kind) === false)
    throw new ConfigurationError({
      code: "check-rule",
      place: `${place} gates.checks[${index}]`,
      problem: `${policy.kind} cannot decide on ${policy.metric}: ${rules.why}`,
      expected: `kind: ${rules.kinds.join(" or ")}`,
      received: `kind: ${policy.kind}`,
      example: `- {kind: limit, metric: ${policy.metric}, at: 0.9, min: 0.87, max: 0.93, confident: true}`,
    });
  const fits = manifest.postprocess.filter((head) =>
    catalog.get(policy.metric)?.tasks.includes(taskOfHead(head, manifest)),
  );
  const chosen = policy.head === undefined ? fits : fits.filter((head) => head.name === policy.head);
  if (chosen.length === 1) return (chosen[0] as Head).name;
  const all = manifest.postprocess.map((head) => `${head.name} (${taskOfHead(head, manifest)})`).join(", ");
  throw new ConfigurationError({
    code: "check-head",
    problem:
      chosen.length === 0
        ? `${policy.metric} is not defined for ${policy.head === undefined ? "any head of this model" : `the head "${policy.head}"`}`
        : `${policy.metric} fits several heads, and the check names none`,
    place: `${place} gates.checks[${index}]`,
    expected:
      chosen.length === 0
        ? `a metric that fits one of: ${all}`
        : `head: one of ${fits.map((head) => head.name).join(", ")}`,
    received: policy.head === undefined ? `metric: ${policy.metric}` : `metric: ${policy.metric}, head: ${policy.head}`,
    example: exampleOf(fits[0] ?? (manifest.postprocess[0] as Head), policy, fits.length > 0, manifest),
  });
}

/** The check as it may stand: its own metric where that fits the head, else one that does. */
function exampleOf(head: Head, policy: CheckPolicy, fits: boolean, manifest: Manifest): string {
  const task = taskOfHead(head, manifest);
  const metric = fits
    ? policy.metric
    : ([...catalog.values()].find(({ tasks }) => tasks.includes(task))?.name ?? policy.metric);
  const rule = policy.kind === "limit" ? "min: 0.8" : "margin: 0.01";
  return `- {kind: ${policy.kind}, metric: ${metric}, head: ${head.name}, ${rule}}`;
}
