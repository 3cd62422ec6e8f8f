import { bettingInterval } from "../../eval/stats/sequential/betting-interval.ts";
import { decideConfidentLimit, decideNonInferiority } from "../../eval/stats/decide.ts";
import type { CheckPolicy, Gates } from "../../models/core/manifest/gates.ts";
import type { WatchPolicy } from "../../models/core/manifest/watch.ts";
import type { LabelledHead, Profile } from "../../models/profile/schema.ts";
import type { WatchCheck } from "../schema/verdict.ts";
import { labelledUnits, type LabelledUnits } from "./labelled-units.ts";
import { finite, verdictOf, watchCheck, type Decided } from "./check.ts";

const DEFAULT_MARGIN = { accuracy: 0.05, mae: { relative: 0.2 } } as const;

/** One figure that labels can break, and by which rule. */
type Rule = { head: LabelledHead; policy: CheckPolicy; declared: number | null };

/**
 * Live figures by true labels: accuracy of classes, mean absolute error of numbers. Intervals are anytime-valid, so that
 * every run may look: a model that keeps its figures is ever called worse with at most `labels.alpha` over all of them.
 * The rules are the gates' own on all rows, against what the gate measured; without any, the watch's margin.
 *
 * @param cohorts labelled counts per hour of the predictions, oldest first, only those older than the horizon; per head
 * @param gates of model.yaml; null where there is none
 */
export function performanceChecks(
  profile: Profile,
  cohorts: readonly (readonly (readonly number[])[])[],
  gates: Gates | null,
  policy: WatchPolicy,
): WatchCheck[] {
  const rules = profile.labels.flatMap((head) => rulesOf(head, gates, policy));
  const units = new Map(
    profile.labels.map((head, k) => [
      head.head,
      labelledUnits(
        head,
        cohorts.map((cohort) => cohort[k] ?? []),
      ),
    ]),
  );
  return rules.map((rule) =>
    judge(rule, units.get(rule.head.head)!, profile, policy, policy.labels.alpha / rules.length),
  );
}

const liveMetric = (head: LabelledHead): "accuracy" | "mae" => (head.kind === "classes" ? "accuracy" : "mae");

function rulesOf(head: LabelledHead, gates: Gates | null, { labels }: WatchPolicy): Rule[] {
  const metric = liveMetric(head);
  const declared = (gates?.checks ?? []).flatMap((one, index): Rule[] =>
    one.metric === metric && one.slices.length === 0 && (one.head === undefined || one.head === head.head)
      ? // A candidate must be better than its baseline; a live model has to keep what it had.
        [{ head, policy: one.kind === "superiority" ? { ...one, kind: "non-inferiority" } : one, declared: index }]
      : [],
  );
  if (declared.length > 0 && labels.margin === undefined) return declared;
  const margin = labels.margin ?? DEFAULT_MARGIN[metric];
  return [
    ...declared.filter((one) => one.policy.kind === "limit"),
    { head, policy: { kind: "non-inferiority", metric, slices: [], margin }, declared: null },
  ];
}

function judge(
  { head, policy: rule, declared }: Rule,
  units: LabelledUnits,
  profile: Profile,
  { labels }: WatchPolicy,
  alpha: number,
): WatchCheck {
  const metric = liveMetric(head);
  const { n, observed, scale } = units;
  const live = {
    low: bettingInterval(units.low, alpha).low * scale,
    high: bettingInterval(units.high, alpha).high * scale,
  };
  const measured = profile.performance.find((one) => one.head === head.head && one.metric === metric);
  const direction = metric === "accuracy" ? "higher" : "lower";
  const common = {
    id: `${metric}[${head.head}]/${rule.kind}${declared === null ? "" : `#${declared}`}`,
    metric,
    group: "performance",
    head: head.head,
    kind: rule.kind,
    observed: finite(observed),
    direction,
    n,
    unit: measured?.unit ?? "",
  } as const;
  const few = n < labels.minimum;
  const described = (verdict: Decided, words: string): Pick<WatchCheck, "verdict" | "reason" | "advisory"> => ({
    verdict,
    reason: few ? `${n} labels, and at least ${labels.minimum} are needed to decide` : words,
    // Without a duty to label, only what is shown counts.
    advisory: verdict === "INCONCLUSIVE" && !labels.required,
  });
  const level = 1 - 2 * alpha;
  const method = "betting, anytime-valid";
  if (rule.kind === "limit") {
    const [min, max] = [rule.min ?? null, rule.max ?? null];
    const verdict = few ? "INCONCLUSIVE" : verdictOf(decideConfidentLimit(live, min, max));
    const limit = [min === null ? "" : `at least ${min}`, max === null ? "" : `at most ${max}`]
      .filter(Boolean)
      .join(", ");
    return watchCheck({
      ...common,
      interval: { ...live, level, method },
      limit: { min, max, confident: true },
      ...described(
        verdict,
        `live ${metric} ${figure(observed)} (${figure(live.low)} to ${figure(live.high)}), limit ${limit}`,
      ),
    });
  }
  const margin =
    typeof rule.margin === "number" ? rule.margin : rule.margin.relative * Math.abs(measured?.value ?? Number.NaN);
  if (measured === undefined)
    return watchCheck({ ...common, ...described("INCONCLUSIVE", `the gate's ${metric} is not known`), advisory: true });
  const gate = measured.interval ?? { low: measured.value, high: measured.value };
  const difference = { low: live.low - gate.high, high: live.high - gate.low };
  const verdict = few ? "INCONCLUSIVE" : verdictOf(decideNonInferiority(difference, margin, direction));
  return watchCheck({
    ...common,
    kind: "non-inferiority",
    baseline: measured.value,
    difference: finite(observed - measured.value),
    interval: { ...difference, level, method: `${method}, less the gate's interval` },
    margin,
    ...described(
      verdict,
      `live ${metric} ${figure(observed)} on ${n} labels, ${figure(measured.value)} at the gate, margin ${figure(margin)}${verdict === "FAIL" ? ": the margin is broken" : verdict === "PASS" ? ": the margin holds" : ": more labels would decide"}`,
    ),
  });
}

const figure = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "unknown");
