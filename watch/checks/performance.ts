import { bettingInterval } from "../../eval/stats/sequential/betting-interval.ts";
import { decideConfidentLimit, decideNonInferiority } from "../../eval/stats/decide.ts";
import type { CheckPolicy, Gates } from "../../models/core/manifest/gates.ts";
import type { WatchPolicy } from "../../models/core/manifest/watch.ts";
import type { LabelledHead, Profile } from "../../models/profile/schema.ts";
import type { WatchCheck } from "../schema/verdict.ts";
import type { HourCounts } from "../../models/profile/live.ts";
import { followChange, type ChangeLook } from "../live/change.ts";
import type { ChangeState } from "../schema/state.ts";
import { labelViews, type LabelView } from "./label-views.ts";
import { badnessOf, labelledDays, labelledUnits, type LabelledUnits } from "./labelled-units.ts";
import { finite, verdictOf, watchCheck, type Decided } from "./check.ts";

const DEFAULT_MARGIN = { accuracy: 0.05, mae: { relative: 0.2 } } as const;

/** One figure that labels can break, and by which rule. */
type Rule = { view: LabelView; policy: CheckPolicy; declared: number | null };

/** What labels are judged on. `hours`: those past the label horizon, oldest first. `due`: the last one, YYYY-MM-DDTHH. */
export type Cohorts = { hours: readonly Pick<HourCounts, "hour" | "labelled" | "sliced">[]; due: string };

/** The share of a rule in the errors that all of them may make: of the interval's alpha, and of the alarms of a year. */
type Share = { alpha: number; falseAlarmsPerYear: number };

/**
 * Live figures by true labels: accuracy of classes, mean absolute error of numbers. The change detector decides: FAIL
 * while its alarm stands. Beside it stands the anytime-valid interval of all labels since the deployment, which answers
 * "how good since the start", and PASS while no alarm was ever raised. The rules are the gates' own on all rows, against
 * what the gate measured; without any, the watch's margin.
 *
 * The same is followed for each true class and each slice that the gate had thirty rows of and labels name. Those decide that the gates
 * declare; the others inform. Rules of all rows share the errors that are allowed, and so do the declared groups, half
 * each where there are any; those that inform share as much among themselves.
 *
 * @param gates of model.yaml; null where there is none
 * @param changes what earlier looks kept, by the id of the check
 * @returns the checks of all rows; those of groups; and what is to be kept
 */
export function performanceChecks(
  profile: Profile,
  cohorts: Cohorts,
  gates: Gates | null,
  policy: WatchPolicy,
  changes: Readonly<Record<string, ChangeState>> = {},
): { checks: WatchCheck[]; groups: WatchCheck[]; changes: Record<string, ChangeState> } {
  const views = labelViews(profile);
  const whole = views.filter(({ slice }) => slice === "all").flatMap((view) => rulesOf(view, gates, policy));
  // A group without a label errs in nothing, and takes nothing of what the others may err.
  const groups = views
    .filter(({ slice, countsOf }) => slice !== "all" && cohorts.hours.some((hour) => countsOf(hour).some(Boolean)))
    .map((view) => groupRule(view, gates, policy));
  const deciding = groups.filter(({ declared }) => declared !== null);
  const informing = groups.filter(({ declared }) => declared === null);
  const kept: Record<string, ChangeState> = {};
  const share = (among: number, part: number): Share => ({
    alpha: (policy.labels.alpha * part) / among,
    falseAlarmsPerYear: (policy.falseAlarmsPerYear * part) / among,
  });
  const part = deciding.length === 0 ? 1 : 0.5;
  const followed = (rules: readonly Rule[], of: Share) =>
    rules.map((rule) => follow(rule, cohorts, policy, of, changes, kept));
  return {
    checks: followed(whole, share(whole.length, part)),
    groups: [
      ...followed(deciding, share(deciding.length, 0.5)),
      // What a group that nobody declared shows is worth a look, and no alert.
      ...followed(informing, share(informing.length, 1)).map((one) => ({ ...one, advisory: true })),
    ],
    changes: kept,
  };
}

/** One rule by interval and detector. Writes what is to be kept into `kept`. */
function follow(
  rule: Rule,
  { hours, due }: Cohorts,
  policy: WatchPolicy,
  share: Share,
  changes: Readonly<Record<string, ChangeState>>,
  kept: Record<string, ChangeState>,
): WatchCheck {
  const { cells, countsOf } = rule.view;
  const counted = hours.map((one) => ({ hour: one.hour, labelled: [[...countsOf(one)]] }));
  const units = labelledUnits(
    cells,
    counted.map(({ labelled }) => labelled[0]!),
  );
  const check = judge(rule, units, policy, share.alpha);
  const limit = limitOf(rule, units);
  if (limit === null || !(limit > 0 && limit < 1)) return check;
  const look = followChange(
    changes[check.id] ?? null,
    labelledDays(cells, 0, counted, due),
    badnessOf(cells),
    limit,
    share.falseAlarmsPerYear,
  );
  kept[check.id] = look.state;
  return units.n < policy.labels.minimum ? check : withChange(check, look, policy);
}

/** The detector's decision over the interval's. */
function withChange(check: WatchCheck, { worseSince, closed }: ChangeLook, { labels }: WatchPolicy): WatchCheck {
  const said = check.reason.replace(/: (the margin (is broken|holds)|more labels would decide)$/, "");
  if (worseSince !== null)
    return { ...check, verdict: "FAIL", advisory: false, reason: `${said}: worse since ${worseSince}` };
  if (closed) return { ...check, verdict: "PASS", advisory: false, reason: `${said}: it holds again after an alarm` };
  if (check.verdict !== "FAIL") return check;
  const reason = `${said}: beyond it since the start, and no change is seen`;
  return { ...check, verdict: "INCONCLUSIVE", advisory: !labels.required, reason };
}

/**
 * The mean, as a share of the worst value, that must not be exceeded. It is the gate's error plus the margin, and never
 * within the gate's own interval: what the gate could not tell apart is no change.
 *
 * @returns null where nothing in the rule limits how bad it may be, or the gate's figure is not known
 */
function limitOf({ view, policy: rule }: Rule, { scale }: LabelledUnits): number | null {
  const metric = liveMetric(view.head);
  const badness = (value: number) => (metric === "accuracy" ? 1 - value : value / scale);
  if (rule.kind === "limit") {
    const value = metric === "accuracy" ? rule.min : rule.max;
    return value === undefined ? null : badness(value);
  }
  if (view.measured === null) return null;
  const { value, interval } = view.measured;
  const margin = marginOf(rule, value);
  const worst = interval === null ? value : metric === "accuracy" ? interval.low : interval.high;
  return Math.max(badness(metric === "accuracy" ? value - margin : value + margin), badness(worst));
}

const marginOf = ({ margin }: Extract<CheckPolicy, { margin: unknown }>, measured: number): number =>
  typeof margin === "number" ? margin : margin.relative * Math.abs(measured);

const liveMetric = (head: LabelledHead): "accuracy" | "mae" => (head.kind === "classes" ? "accuracy" : "mae");

/**
 * The rule of a class or slice: that of the gates' own non-inferiority on its field, else the watch's margin. Limits of
 * slices are not followed.
 */
function groupRule(view: LabelView, gates: Gates | null, { labels }: WatchPolicy): Rule {
  const metric = liveMetric(view.head);
  const field = view.slice.split("=", 1)[0]!;
  const declared = (gates?.checks ?? []).findIndex(
    (one) =>
      one.metric === metric &&
      "margin" in one &&
      one.slices.includes(field) &&
      (one.head === undefined || one.head === view.head.head),
  );
  const found = declared === -1 ? undefined : gates!.checks[declared];
  const margin =
    labels.margin ?? (found !== undefined && "margin" in found ? found.margin : undefined) ?? DEFAULT_MARGIN[metric];
  return {
    view,
    policy: { kind: "non-inferiority", metric, slices: [field], margin },
    declared: declared === -1 ? null : declared,
  };
}

function rulesOf(view: LabelView, gates: Gates | null, { labels }: WatchPolicy): Rule[] {
  const { head } = view;
  const metric = liveMetric(head);
  const declared = (gates?.checks ?? []).flatMap((one, index): Rule[] =>
    one.metric === metric && one.slices.length === 0 && (one.head === undefined || one.head === head.head)
      ? // A candidate must be better than its baseline; a live model has to keep what it had.
        [{ view, policy: one.kind === "superiority" ? { ...one, kind: "non-inferiority" } : one, declared: index }]
      : [],
  );
  if (declared.length > 0 && labels.margin === undefined) return declared;
  const margin = labels.margin ?? DEFAULT_MARGIN[metric];
  return [
    ...declared.filter((one) => one.policy.kind === "limit"),
    { view, policy: { kind: "non-inferiority", metric, slices: [], margin }, declared: null },
  ];
}

function judge(
  { view, policy: rule, declared }: Rule,
  units: LabelledUnits,
  { labels }: WatchPolicy,
  alpha: number,
): WatchCheck {
  const { head, slice, measured } = view;
  const metric = liveMetric(head);
  const { n, observed, scale } = units;
  const live = {
    low: bettingInterval(units.low, alpha).low * scale,
    high: bettingInterval(units.high, alpha).high * scale,
  };
  const direction = metric === "accuracy" ? "higher" : "lower";
  const common = {
    id: `${metric}[${head.head}]/${rule.kind}${declared === null ? "" : `#${declared}`}${slice === "all" ? "" : `@${slice}`}`,
    metric,
    slice,
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
  const margin = marginOf(rule, measured?.value ?? Number.NaN);
  if (measured === null)
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
