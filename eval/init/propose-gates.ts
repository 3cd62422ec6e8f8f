import type { CheckPolicy, MetricName } from "../../models/core/manifest/gates.ts";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { catalog } from "../metrics/catalog.ts";
import { measurerOf } from "../metrics/measure.ts";
import { planCheck } from "../power/plan-check.ts";
import type { Predictions } from "../predictions/predictions.ts";

/** A check that these rows can decide, and why its number is what it is. */
type ProposedCheck = { check: object; says: string };
export type ProposedGates = { checks: ProposedCheck[]; dropped: string[] };

type Wish = { metric: MetricName; margin: number; relative: boolean };

/** What a change may lose at most, where the data is enough to see it. */
const wishes: Partial<Record<ManifestInput["task"], Wish>> = {
  "binary-classification": { metric: "auroc", margin: 0.01, relative: false },
  "multiclass-classification": { metric: "accuracy", margin: 0.01, relative: false },
  regression: { metric: "mae", margin: 0.02, relative: true },
  forecasting: { metric: "mae", margin: 0.02, relative: true },
  "token-classification": { metric: "entity_f1", margin: 0.01, relative: false },
};

/** As `sluice plan` assumes for two versions of one model. */
const planned = { minimumPerClass: 30, onInsufficient: "fail" as const, seed: 1, correlation: 0.95 };
const alpha = 0.05;
/** Wider margins than this decide nothing that anybody asked for. */
const widest = { absolute: 0.1, relative: 0.25 };

/**
 * Checks whose margins the rows can show, by the formulas of `sluice plan`: the wished margin, or the smallest round one
 * above what can be detected. A slice that is too small for any is left out, and said. Pure.
 */
export function proposeGates(
  task: ManifestInput["task"],
  predictions: Predictions,
  slices: readonly string[],
): ProposedGates {
  const wish = wishes[task];
  if (wish === undefined) return { checks: [], dropped: [] };
  const definition = catalog.get(wish.metric)!;
  const checks: ProposedCheck[] = [];
  const dropped: string[] = [];
  const smallest = (slice: string): number | string => {
    const policy = {
      kind: "non-inferiority",
      metric: wish.metric,
      margin: wish.relative ? { relative: wish.margin } : wish.margin,
      slices: [],
    } as unknown as CheckPolicy;
    const found = planCheck(
      { id: "proposed", policy, head: null, slice, alpha, level: 1 - 2 * alpha },
      predictions,
      null,
      planned,
    );
    return found.smallestChange ?? found.refused ?? found.method;
  };
  const checkOf = (margin: number, slice: string | null) => ({
    kind: "non-inferiority",
    metric: wish.metric,
    margin: wish.relative ? { relative: margin } : margin,
    ...(slice === null ? {} : { slices: [slice] }),
  });
  const limit = wish.relative ? widest.relative : widest.absolute;
  const marginFor = (change: number) => Math.max(wish.margin, roundUp(change));
  const all = smallest("all");
  if (typeof all === "string" || marginFor(all) > limit)
    dropped.push(
      `no check against the version before: ${typeof all === "string" ? all : `only a loss of ${roundUp(all)} could be shown on ${predictions.labels.length} rows`}`,
    );
  else
    checks.push({
      check: checkOf(marginFor(all), null),
      says: `a change may lose this much ${wish.metric} against the version before; these rows show ${significant(all)}`,
    });
  for (const column of slices) {
    const names = measurerOf(predictions, 1).slices.filter((one) => one.startsWith(`${column}=`));
    const changes = names.map(smallest);
    const no = changes.find((one) => typeof one === "string" || marginFor(one) > limit);
    if (names.length === 0 || no !== undefined)
      dropped.push(`no check per ${column}: ${typeof no === "string" ? no : "its values have too few rows"}`);
    else
      checks.push({
        check: checkOf(marginFor(Math.max(...(changes as number[]))), column),
        says: `the same for each value of ${column}`,
      });
  }
  const level = measurerOf(predictions, 1).figure(definition, "all", {}, 0.9);
  if (level.status === "ok" && level.interval !== null) {
    const { low, high } = level.interval;
    const higher = definition.direction === "higher";
    const bound = higher ? roundDown(low ?? level.value) : twoDigitsUp(high ?? level.value);
    checks.push({
      check: { kind: "limit", metric: wish.metric, ...(higher ? { min: bound } : { max: bound }) },
      says: `an absolute limit, so that a first version can pass: these rows gave ${significant(level.value)} [${significant(low ?? NaN)}, ${significant(high ?? NaN)}]`,
    });
  }
  return { checks, dropped };
}

const significant = (value: number) => String(Number(value.toPrecision(3)));

/** The next number of 1, 1.5, 2, 3, 4, 5, 6, 8 and a power of ten. */
function roundUp(value: number): number {
  if (!(value > 0)) return value;
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((one) => one * power >= value * (1 - 1e-9))!;
  return Number((digit * power).toPrecision(2));
}

/** The next number of two significant digits. */
function twoDigitsUp(value: number): number {
  if (!(value > 0)) return value;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit) * unit).toPrecision(2));
}

/** Two digits, never above the value. */
function roundDown(value: number): number {
  return Math.floor(value * 100) / 100;
}
