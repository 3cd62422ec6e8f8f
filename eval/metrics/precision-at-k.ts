import type { MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import { groupPrecisions } from "./group-precision.ts";
import { rowMeanSums } from "./row-mean.ts";
import { contrastProblem } from "./sample.ts";
import { contrastSums, measureSums } from "./sum-metric.ts";
import { rankingsOf } from "./user-hits.ts";
import { defaultK, hitsWithin, userMeanDefinition } from "./user-mean.ts";

/** Of rankings: as trec_eval's P_K and ranx, averaged over users. Divided by k also where the list is shorter. */
const ofRankings = userMeanDefinition(
  { name: "precision_at_k", defaultOptions: { k: defaultK } },
  (hits, user, { k = defaultK }) => hitsWithin(hits, user, k) / k,
);

const groupMean = rowMeanSums("any", [0, 1], ({ scores }) => scores);
const isRanked = (sample: Sample) => rankingsOf(sample) !== null;
const grouped = (sample: Sample, { k = defaultK, per = "row" }: MeasureOptions) => groupPrecisions(sample, k, per);

/** Why an option does not fit a ranking; null where it does. */
const rankingProblem = ({ per = "row" }: MeasureOptions, { labels: { length: n } }: Sample) =>
  per === "row"
    ? null
    : ({
        status: "undefined",
        reason: "`per: entity` is for binary answers; a ranking has one list a user",
        n,
      } as const);

/**
 * Precision at k; [0, 1], higher is better. Rankings: the share of the first k places that hold a relevant item,
 * averaged over users. Binary: the share of positives among the k rows of each group with the highest scores, averaged
 * over the groups; a group without positives counts 0. So a list that is too short gains nothing. With `per: entity` places
 * are taken by entities, see `groupPrecisions`. Interval: as of any
 * mean over rows, of which there is one for each user or group.
 */
export const precisionAtK: MetricDefinition = {
  ...ofRankings,
  furtherOptions: ["per"],
  tasks: ["binary-classification", "ranking"],
  listed: (sample) => isRanked(sample) || (sample.groups !== null && sample.weights === null),
  signature: (_, { k = defaultK, per = "row" }) => `k:${k}${per === "row" ? "" : `|per:${per}`}`,
  variants: ({ entities }) => (entities === undefined ? [] : [{ per: "entity" }]),
  measure(sample, options) {
    if (isRanked(sample)) return rankingProblem(options, sample) ?? ofRankings.measure(sample, options);
    const lists = grouped(sample, options);
    if (typeof lists === "string") return { status: "undefined", reason: lists, n: sample.labels.length };
    return measureSums(groupMean, lists, options);
  },
  contrast(candidate, baseline, options) {
    if (isRanked(candidate))
      return rankingProblem(options, candidate) ?? ofRankings.contrast(candidate, baseline, options);
    const wrong = (reason: string) => ({ status: "undefined" as const, reason, n: candidate.labels.length });
    const problem = contrastProblem(candidate, baseline, "any");
    if (problem !== null) return wrong(problem);
    const lists = grouped(candidate, options);
    if (typeof lists === "string") return wrong(lists);
    // The rows are the same, and so are their groups.
    const others = grouped({ ...baseline, groups: candidate.groups }, options);
    return typeof others === "string" ? wrong(`baseline: ${others}`) : contrastSums(groupMean, lists, others, options);
  },
};
