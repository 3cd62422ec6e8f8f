import type { MetricResult } from "../schema/metrics.ts";
import type { Interval } from "../schema/verdict.ts";
import { jackknifeError } from "../stats/jackknife.ts";
import { studentQuantile } from "../stats/student.ts";
import type { ContrastResult, MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import { contrastProblem, numberedGroups, sampleProblem } from "./sample.ts";
import { unvariedInterval } from "./unvaried-interval.ts";
import { rankingsOf } from "./user-hits.ts";
import { defaultK } from "./user-mean.ts";

/** The share of the catalogue in the first k places of any list, and what each user or cluster alone adds to it. */
type Coverage = { value: number; own: Float64Array };

function coverageOf(sample: Sample, k: number): Coverage | string {
  const rankings = rankingsOf(sample);
  if (rankings === null) return "the predictions are no rankings";
  const { ranked, catalogueSize } = rankings.of;
  if (catalogueSize === undefined)
    return "the size of the catalogue is not known: it is the number of items that could be ranked, --catalogue-size of a prediction file";
  const groups = numberedGroups(sample.groups);
  const units = groups?.count ?? sample.labels.length;
  // The unit that alone recommends an item; -1 where several do.
  const ownerOf = new Map<string, number>();
  rankings.rows.forEach((user, i) => {
    if (sample.weights !== null && sample.weights[i] === 0) return;
    const unit = groups === null ? i : (groups.ids[i] as number);
    const list = ranked[user] as string[];
    for (let place = 0; place < Math.min(k, list.length); place++) {
      const item = list[place] as string;
      const owner = ownerOf.get(item);
      if (owner === undefined) ownerOf.set(item, unit);
      else if (owner !== unit) ownerOf.set(item, -1);
    }
  });
  const own = new Float64Array(units);
  for (const owner of ownerOf.values()) if (owner >= 0) own[owner] = (own[owner] as number) + 1 / catalogueSize;
  return { value: ownerOf.size / catalogueSize, own };
}

/**
 * Estimate ± t · the jackknife's standard error over users or clusters; where nobody alone is recommended anything, the
 * rule of three. Null where there is a single user or cluster.
 */
function intervalOf(
  own: Float64Array,
  estimate: number,
  range: readonly [number, number],
  level: number,
): Interval | null {
  if (own.length < 2) return null;
  if (own.every((part) => Math.abs(part) < 1e-12)) return unvariedInterval(estimate, range, own.length, level, 1);
  const half = studentQuantile(0.5 + level / 2, own.length - 1) * jackknifeError(own);
  return {
    low: Math.max(range[0], estimate - half),
    high: Math.min(range[1], estimate + half),
    level,
    method: `jackknife, t over ${own.length} users or clusters`,
  };
}

/**
 * Catalogue coverage at k: the share of all items that could be ranked which stand in the first k places of at least one
 * user's list; [0, 1]. As RecBole's itemcoverage, always of the whole catalogue. It grows with the number of users and
 * is a figure of these users. M. Ge et al., RecSys 2010.
 *
 * Interval: the jackknife over users, or clusters: without a user the items are missing that nobody else is recommended
 * (J. F. Heltshe and N. E. Forrester, Biometrics 39, 1983, for the number of species). By Efron and Stein (1981) its
 * variance is too large rather than too small. A weight only counts as 0 or not, because an item is covered or not.
 */
export const coverageAtK: MetricDefinition = {
  name: "coverage_at_k",
  tasks: ["ranking"],
  direction: "higher",
  unit: "",
  range: [0, 1],
  defaultOptions: { k: defaultK },
  listed: (sample) => rankingsOf(sample)?.of.catalogueSize !== undefined,
  signature: (sample, { k = defaultK }) => `k:${k}|catalogue:${rankingsOf(sample)?.of.catalogueSize ?? "unknown"}`,
  measure(sample, options): MetricResult {
    const n = sample.labels.length;
    const problem = sampleProblem(sample, "any");
    const found = problem ?? coverageOf(sample, options.k ?? defaultK);
    if (typeof found === "string") return { status: "undefined", reason: found, n };
    const interval = options.intervals === false ? null : intervalOf(found.own, found.value, [0, 1], options.level);
    return { status: "ok", value: found.value, interval, n };
  },
  contrast(candidate, baseline, options: MeasureOptions): ContrastResult {
    const n = candidate.labels.length;
    const wrong = (reason: string): ContrastResult => ({ status: "undefined", reason, n });
    const problem = contrastProblem(candidate, baseline, "any");
    if (problem !== null) return wrong(problem);
    const one = coverageOf(candidate, options.k ?? defaultK);
    if (typeof one === "string") return wrong(one);
    const two = coverageOf(baseline, options.k ?? defaultK);
    if (typeof two === "string") return wrong(`baseline: ${two}`);
    const relative = options.scale === "relative";
    if (relative && !(two.value > 0)) return wrong("the baseline's value is 0: there is no relative change");
    const difference = relative ? one.value / two.value - 1 : one.value - two.value;
    const own = one.own.map((part, unit) => {
      const [a, b] = [one.value - part, two.value - (two.own[unit] as number)];
      return difference - (relative ? a / b - 1 : a - b);
    });
    const reach = relative ? 1 / two.value : 1;
    const interval = intervalOf(own, difference, [-reach, reach], options.level);
    if (interval === null) return wrong("a single user or cluster leaves no variance to estimate");
    return { status: "ok", candidate: one.value, baseline: two.value, difference, interval, n };
  },
};
