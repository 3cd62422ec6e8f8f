import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { compareLatency, type LatencyComparison } from "../latency/latency-comparison.ts";
import { profile } from "../latency/profile.ts";
import { percentileField, type Question, type TestResult } from "../latency/sequential-test.ts";
import type { Evidence } from "../judge/evidence.ts";
import type { PlannedCheck } from "../judge/plan-checks.ts";
import type { PerformanceFigures } from "../schema/metrics.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { EvaluationContext } from "./context.ts";
import { performanceDefinitions, performanceMetrics } from "./performance-metrics.ts";
import type { ModelRun } from "./run-model.ts";

export type PerformanceOutcome = {
  evidence: Map<string, Evidence>;
  candidate: PerformanceFigures | null;
  baseline: PerformanceFigures | null;
  notes: string[];
};

export type PerformanceRequest = {
  candidate: { loaded: LoadedManifest; run: ModelRun };
  baseline: { loaded: LoadedManifest; run: ModelRun } | null;
  /** Why there is no baseline, and whether that is because the two cannot be compared. */
  withoutBaseline: { why: string; incomparable: boolean };
  dataset: EvaluationDataset;
};

/** Measures what running the models costs, as evidence for the checks that ask for it. */
export async function performanceEvidence(
  planned: readonly PlannedCheck[],
  request: PerformanceRequest,
  context: EvaluationContext,
): Promise<PerformanceOutcome> {
  const { candidate, baseline, dataset } = request;
  const { deps } = context;
  const mine = planned.filter((one) => performanceMetrics.has(one.policy.metric));
  const outcome: PerformanceOutcome = { evidence: new Map(), candidate: null, baseline: null, notes: [] };
  if (!context.request.performance) {
    for (const one of mine)
      outcome.evidence.set(one.id, { kind: "missing", n: 0, why: "performance was not measured (--no-performance)" });
    return outcome;
  }

  const rows = dataset.rows.slice(0, 256).map(({ row }) => row);
  // The processes find the cache by their environment; it must be the one that this run relies on.
  const env = { ...deps.env, SLUICE_CACHE: context.cacheDir };
  const processDeps = { env, ...(deps.latencyWorker === undefined ? {} : { worker: deps.latencyWorker }) };
  const histories = Object.fromEntries(Object.entries(dataset.histories).map(([step, { file }]) => [step, file]));
  const options = {
    histories,
    audioSeconds: dataset.rows.slice(0, rows.length).map(audioSecondsOf),
    ...(context.request.provider === undefined ? {} : { provider: context.request.provider }),
  };
  const profileOf = (loaded: LoadedManifest, measureMs?: number) =>
    profile(loaded.dir, rows, measureMs === undefined ? options : { ...options, measureMs }, {
      ...processDeps,
      fetch: deps.fetch,
      cacheDir: context.cacheDir,
    });
  deps.onEvent({ kind: "stage", model: candidate.loaded.manifest.id, stage: "timing" });
  const measured = await figuresUnderLimits(mine, (measureMs) => profileOf(candidate.loaded, measureMs));
  outcome.candidate = measured.figures;
  if (measured.note !== null) outcome.notes.push(measured.note);
  outcome.baseline = baseline === null ? null : await profileOf(baseline.loaded);

  const questions = new Map<string, Question>();
  for (const one of mine) {
    const evidence = figureEvidence(one, outcome.candidate, outcome.baseline, request.withoutBaseline);
    if (evidence !== null) outcome.evidence.set(one.id, evidence);
    else questions.set(one.id, questionOf(one));
  }
  if (questions.size > 0 && baseline !== null) {
    const stage = "timing candidate and baseline in turn";
    deps.onEvent({ kind: "stage", model: candidate.loaded.manifest.id, stage });
    const comparison = await compareLatency(
      candidate.loaded.dir,
      baseline.loaded.dir,
      rows,
      [...questions.values()],
      { ...options, seed: context.request.seed },
      {
        ...processDeps,
        onRound: (_, share) =>
          deps.onEvent({
            kind: "progress",
            model: candidate.loaded.manifest.id,
            stage,
            done: Math.round(share * 100),
            total: 100,
          }),
      },
    );
    [...questions.keys()].forEach((id, i) =>
      outcome.evidence.set(id, comparisonEvidence(comparison, comparison.results[i] as TestResult)),
    );
    outcome.notes.push(selfComparisonNote(comparison), tailNote(comparison));
  }
  return outcome;
}

/** The length of a row's audio, where the labels of a head say it. */
function audioSecondsOf({ labels }: DatasetRow): number | null {
  const known = Object.values(labels).find((label) => typeof label === "object" && label.kind === "references");
  return typeof known === "object" && known.kind === "references" ? known.audioSeconds : null;
}

/** Measuring time, in ms, of each further measurement after one that was beyond a limit. */
const furtherMeasureMs = [500, 1000, 1000];

/**
 * The candidate's figures. What else runs on a machine only makes a model slower, never faster, and the first
 * measurement is short. If it is beyond a limit, the model is therefore measured again, longer and in fresh
 * processes. The first figures within all limits count. If there are none, those with the lowest median latency do.
 *
 * @param measure measures once, for so many ms or for the usual time
 */
export async function figuresUnderLimits(
  planned: readonly PlannedCheck[],
  measure: (measureMs?: number) => Promise<PerformanceFigures>,
): Promise<{ figures: PerformanceFigures; note: string | null }> {
  const timed = planned.filter(({ policy }) => policy.kind === "limit" && policy.metric !== "model_bytes");
  const isWithin = (figures: PerformanceFigures) =>
    timed.every(({ policy }) => {
      const value = performanceDefinitions[policy.metric]?.read(figures) ?? null;
      if (value === null || policy.kind !== "limit") return true;
      return value >= (policy.min ?? -Infinity) && value <= (policy.max ?? Infinity);
    });
  const all = [await measure()];
  for (const measureMs of furtherMeasureMs) {
    if (isWithin(all.at(-1) as PerformanceFigures)) break;
    all.push(await measure(measureMs));
  }
  const medianMs = (figures: PerformanceFigures) => figures.batches[0]?.p50Ms ?? Infinity;
  const figures = all.find(isWithin) ?? all.reduce((best, one) => (medianMs(one) < medianMs(best) ? one : best));
  if (all.length === 1) return { figures, note: null };
  const medians = all.map((one) => `${medianMs(one).toPrecision(3)} ms`).join(", ");
  return {
    figures,
    note: `The first measurement was beyond a limit, so the candidate was measured ${all.length} times, because other programs can only slow it down (p50 ${medians}). ${isWithin(figures) ? "The first figures within the limits count." : "All were beyond a limit; the fastest count."}`,
  };
}

/** Evidence from figures that are already measured; null when only a latency comparison can give it. */
function figureEvidence(
  { policy }: PlannedCheck,
  candidate: PerformanceFigures,
  baseline: PerformanceFigures | null,
  without: PerformanceRequest["withoutBaseline"],
): Evidence | null {
  const definition = performanceDefinitions[policy.metric];
  const observed = definition?.read(candidate) ?? null;
  const n =
    policy.metric === "model_bytes" || policy.metric === "cold_start_ms" || policy.metric === "peak_rss_bytes"
      ? 1
      : ((policy.metric.startsWith("throughput_") ? candidate.batches.at(-1) : candidate.batches[0])?.runs ?? 0);
  if (definition === undefined || observed === null)
    return { kind: "missing", n: 0, why: `${policy.metric} could not be measured here` };
  if (policy.kind === "limit")
    return {
      kind: "value",
      observed,
      baseline: baseline === null ? null : definition.read(baseline),
      interval: null,
      n,
    };
  if (baseline === null)
    return without.incomparable
      ? { kind: "incomparable", observed, n, why: without.why }
      : { kind: "no-baseline", observed, n, why: without.why };
  if (definition.quantile !== undefined) return null;
  const other = definition.read(baseline);
  if (policy.metric !== "model_bytes" || other === null)
    return {
      kind: "missing",
      n,
      why: `${policy.metric} is measured once per run, which decides no comparison; give it a limit, or compare latency_p50_ms`,
    };
  const difference = typeof policy.margin === "number" ? observed - other : observed / other - 1;
  return {
    kind: "contrast",
    observed,
    baseline: other,
    difference,
    interval: { low: difference, high: difference, level: 0.95, method: "exact" },
    n,
  };
}

function questionOf({ policy, alpha }: PlannedCheck): Question {
  if (policy.kind === "limit") throw new Error("a limit is no question for a latency comparison");
  return {
    quantile: performanceDefinitions[policy.metric]?.quantile as Question["quantile"],
    kind: policy.kind,
    alpha,
    margin: typeof policy.margin === "number" ? { ms: policy.margin } : { relative: policy.margin.relative },
  };
}

/**
 * Evidence from a latency comparison. The comparison has already decided, by the ratio of latencies. The check takes
 * over that decision and shows the difference in its margin's scale. For a margin in milliseconds, the ratio is
 * converted with the baseline's latency at the interim analysis that decided, because the margin was compared with that
 * latency.
 */
export function comparisonEvidence(
  comparison: Pick<LatencyComparison, "candidate" | "baseline">,
  result: TestResult,
): Evidence {
  const field = percentileField[result.question.quantile];
  const [observed, baseline] = [comparison.candidate[field], comparison.baseline[field]];
  const scale = "relative" in result.question.margin ? 1 : result.baselineMs;
  const difference = (result.ratio - 1) * scale;
  const interval =
    result.interval === null
      ? null
      : { ...result.interval, low: (result.interval.low - 1) * scale, high: (result.interval.high - 1) * scale };
  if (result.decision === "inconclusive" || interval === null)
    return { kind: "undecided", observed, baseline, difference, interval, n: result.rounds, why: result.reason };
  return {
    kind: "contrast",
    observed,
    baseline,
    difference,
    interval,
    n: result.rounds,
    decision: { outcome: result.decision, reason: result.reason },
  };
}

/** A ratio of 1.02 is a change of 2 %. */
const percentChange = (ratio: number) => `${((ratio - 1) * 100).toFixed(2)} %`;
const range = (interval: { low: number; high: number } | null) =>
  interval === null ? "no interval" : `${percentChange(interval.low)} to ${percentChange(interval.high)}`;

/** The latency tails with their own intervals. They are shown whether or not a check asks for them. */
export function tailNote({
  ratios,
  candidate,
  baseline,
}: Pick<LatencyComparison, "ratios" | "candidate" | "baseline">): string {
  const queries = Math.min(candidate.queries, baseline.queries);
  const tails = ratios.flatMap(({ quantile, ratio, interval, queriesNeeded }) =>
    queriesNeeded === null
      ? []
      : [
          `p${100 * quantile} ${percentChange(ratio)} (${range(interval)}${queries < queriesNeeded ? `; ${queriesNeeded.toLocaleString("en")} queries would let it decide` : ""})`,
        ],
  );
  return `Tail latency, candidate against baseline, over ${queries.toLocaleString("en")} queries each: ${tails.join(", ")}.`;
}

export function selfComparisonNote({
  aa,
  candidate,
  baseline,
  blocks,
  rounds,
  elapsedMs,
}: Pick<LatencyComparison, "aa" | "candidate" | "baseline" | "blocks" | "rounds" | "elapsedMs">): string {
  const kept = rounds.filter((round) => round.sameProcessors).length;
  const share =
    kept === rounds.length
      ? "every round"
      : kept === 0
        ? "no round, which costs precision"
        : `${kept} of ${rounds.length} rounds`;
  return `Each model against a second process of itself (A/A): ${percentChange(aa.ratio)} (${range(aa.interval)}), over ${rounds.length} rounds and ${blocks} blocks in ${(elapsedMs / 1000).toFixed(0)} s; p50 ${candidate.p50Ms.toPrecision(3)} ms against ${baseline.p50Ms.toPrecision(3)} ms; processes kept on the same processors in ${share}.`;
}
