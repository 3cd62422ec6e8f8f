import { SluiceError } from "../../models/core/errors.ts";
import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { classColumn, type Gates, type MetricName } from "../../models/core/manifest/gates.ts";
import type { DatasetDifference } from "../dataset/difference.ts";
import { classesIn } from "../dataset/class-values.ts";
import { valuesOf } from "../dataset/difference.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import { worse } from "../judge/algebra.ts";
import type { PlannedCheck } from "../judge/plan-checks.ts";
import { catalog, metricsFor } from "../metrics/catalog.ts";
import { measurerOf, type Measurer } from "../metrics/measure.ts";
import type { DatasetChange, VerdictWord } from "../schema/verdict.ts";
import type { EvaluationContext } from "./context.ts";
import type { DataChange } from "./exam.ts";
import type { ModelPair } from "./model-pair.ts";
import { runModel, type ModelRun } from "./run-model.ts";

type Figures = DatasetChange["figures"];
type Judged = { verdict: VerdictWord; reason: string };

/**
 * A change of the data, with candidate and baseline measured on both of its versions. The runs on the rows that decide
 * are at hand; the others are made here.
 */
export async function describeDataChange(
  change: DataChange,
  { loaded, baselineLoaded, candidate, baseline, planned, same }: ModelPair,
  unitOf: (head: string | null) => string,
  context: EvaluationContext,
): Promise<{ datasetChange: DatasetChange; notes: string[] }> {
  const { difference, judgedOn, other } = change;
  // Shards are parts of the rows that decide, so the other rows are predicted here.
  const { shards: _shards, ...request } = context.request;
  const figures: Figures = [];
  const notes: string[] = [];
  const measureAgain = async (run: ModelRun, of: ModelPair["loaded"]) => {
    try {
      const elsewhere = await runModel(run.role, of, other, loaded.manifest.id, { ...context, request });
      const [base, own] = judgedOn === "base" ? [run, elsewhere] : [elsewhere, run];
      figures.push(...figuresOf(run.role, base, own, planned, unitOf, context.request.seed));
    } catch (error) {
      // The rows that decide were answered, so the verdict stands.
      if (!(error instanceof SluiceError)) throw error;
      const whose = judgedOn === "base" ? "candidate's" : "base's";
      notes.push(
        `The ${run.role} could not be measured on the ${whose} rows: ${error.message.replaceAll(/\s+/g, " ")}`,
      );
    }
  };
  await measureAgain(candidate, loaded);
  if (baseline !== null && baselineLoaded !== null && !same) await measureAgain(baseline, baselineLoaded);
  return { datasetChange: { ...difference, judgedOn, figures }, notes };
}

/** The task's metrics over all rows, and what the gate asks about slices, on both versions of the data. */
function figuresOf(
  model: ModelRun["role"],
  base: ModelRun,
  candidate: ModelRun,
  planned: readonly PlannedCheck[],
  unitOf: (head: string | null) => string,
  seed: number,
): Figures {
  return [...base.predictions.keys()].flatMap((head) => {
    const [before, after] = [base.predictions.get(head)!, candidate.predictions.get(head)];
    if (after === undefined) return [];
    const measurers = [measurerOf(before, seed), measurerOf(after, seed)] as const;
    const asked = planned
      .filter((one) => one.head === head && one.slice !== "all")
      .map(({ policy, slice }) => ({ metric: policy.metric, slice }));
    const wanted = [...metricsFor(before.task).map(({ name }) => ({ metric: name, slice: "all" })), ...asked];
    const once = [...new Map(wanted.map((one) => [JSON.stringify([one.metric, one.slice]), one])).values()];
    return once.flatMap(({ metric, slice }): Figures => {
      const definition = catalog.get(metric);
      if (definition === undefined || !definition.tasks.includes(before.task)) return [];
      const [first, second] = measurers.map((one) => valueOn(one, metric, slice)) as [number | null, number | null];
      const unit = definition.unit === "label" ? unitOf(head) : definition.unit;
      return first === null && second === null
        ? []
        : [{ model, head, metric, slice, unit, base: first, candidate: second }];
    });
  });
}

function valueOn(measurer: Measurer, metric: MetricName, slice: string): number | null {
  if (measurer.sample(slice) === null) return null;
  const result = measurer.figure(catalog.get(metric)!, slice, {}, null);
  return result.status === "ok" ? result.value : null;
}

/**
 * What a change of the data makes of a verdict. Beside a change of the model it is never green: what the model is worth
 * can be said on the base's rows alone, and whether the new rows are right is a question of its own. By itself it may
 * be green, but not when it takes rows away that the gates ask about.
 */
export function judgeDataChange(judged: Judged, change: DataChange, gates: Gates, dataset: EvaluationDataset): Judged {
  const { judgedOn, difference, other, leak } = change;
  const words = differenceWords(difference);
  if (judgedOn === "base")
    return amended(
      judged,
      `the data changes too (${words}); the candidate was judged on the base's rows. Land the data by itself first, then the model`,
    );
  if (leak !== null)
    return amended(judged, `\`rename\` gives the model the field ${leak}, which holds the true values: take it out`);
  const columns = [...new Set(gates.checks.flatMap(({ slices }) => slices))];
  const lost = columns.flatMap((column) => {
    const kept = valuesOf(dataset, column);
    return [...valuesOf(other, column)].filter((value) => !kept.has(value)).map((value) => `${column}=${value}`);
  });
  if (columns.includes(classColumn))
    for (const head of other.heads) {
      const kept = new Set(classesIn(dataset, head));
      lost.push(...classesIn(other, head).flatMap((name) => (kept.has(name) ? [] : [`${classColumn}=${name}`])));
    }
  const weaker = columns.includes(augmentationColumn)
    ? (difference.augmentations ?? []).filter((one) => one.weaker)
    : [];
  if (lost.length > 0)
    return amended(
      judged,
      `the new data has no row of ${lost.slice(0, 5).join(", ")}${lost.length > 5 ? ` and ${lost.length - 5} more slices` : ""}, about which the gates ask: keep such rows, or take the slices out of the gates first`,
    );
  if (weaker.length > 0)
    return amended(
      judged,
      `the new data asks less of ${weaker.map(({ name, base, candidate }) => `${augmentationColumn}=${name} (${base} → ${candidate ?? "gone"})`).join(", ")}, about which the gates ask: keep it and add another one, or take the slices out of the gates first`,
    );
  return { ...judged, reason: `${judged.reason}; on changed data: ${words}` };
}

function amended({ verdict, reason }: Judged, why: string): Judged {
  const worst = worse(verdict, "INCOMPARABLE");
  return { verdict: worst, reason: worst === verdict ? `${reason}; and ${why}` : why };
}

/** E.g. "rows: 12 added, 3 removed, 5 changed (2 with another label)". */
function differenceWords({
  added,
  removed,
  changed,
  relabelled,
  slices,
  augmentations = [],
}: DatasetDifference): string {
  const altered =
    augmentations.length === 0 ? [] : [`augmentations: ${augmentations.map(({ name }) => name).join(", ")}`];
  if (added + removed + changed === 0) {
    const columns = slices.length === 0 ? [] : [`slice columns: ${slices.map(({ column }) => column).join(", ")}`];
    return [...columns, ...altered].join("; ");
  }
  const parts = [
    ...(added > 0 ? [`${added} added`] : []),
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(changed > 0 ? [`${changed} changed${relabelled > 0 ? ` (${relabelled} with another label)` : ""}`] : []),
  ];
  return [`rows: ${parts.join(", ")}`, ...altered].join("; ");
}

/**
 * Rows, and altered copies of rows, that the candidate refuses and the baseline takes. A model could otherwise leave out the rows that it is bad at.
 */
export function refusedRows({ candidate, baseline }: Pick<ModelPair, "candidate" | "baseline">): string[] {
  const refused = new Set<string>();
  for (const [head, predictions] of candidate.predictions) {
    const taken = new Set(predictions.ids);
    const other = baseline?.predictions.get(head);
    for (const id of other?.ids ?? []) if (!taken.has(id)) refused.add(id);
    const takenCopies = new Set(predictions.copies?.ids);
    for (const id of other?.copies?.ids ?? []) if (!takenCopies.has(id)) refused.add(id);
  }
  return [...refused];
}

export function judgeRefusedRows(judged: Judged, refused: readonly string[]): Judged {
  if (refused.length === 0) return judged;
  const rows = refused.length === 1 ? "row" : "rows";
  return amended(
    judged,
    `the candidate refuses ${refused.length} ${rows} that the baseline takes (${refused.slice(0, 3).join(", ")}${refused.length > 3 ? ", …" : ""}), so the two cannot be compared: let it take them`,
  );
}
