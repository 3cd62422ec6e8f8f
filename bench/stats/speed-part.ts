import { catalog, metricsFor } from "../../eval/metrics/catalog.ts";
import { sampleOf, slicesOf } from "../../eval/metrics/measure.ts";
import { acceleration, leaveOneOut } from "../../eval/stats/jackknife.ts";
import { bca } from "../../eval/stats/bca.ts";
import { bootstrapInWorkers } from "../../eval/stats/bootstrap-workers.ts";
import { columnSums, type SumStatistic } from "../../eval/stats/sums.ts";
import type { Predictions } from "../../eval/predictions/predictions.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { drawBinary, separationOf } from "./binormal.ts";

/**
 * speed-part.ts PART ROWS REPEATS
 *
 * One measurement in its own process, so that its peak memory is not mixed with others. Prints one JSON line.
 */
const [part = "", rows = "0", repeats = "1"] = process.argv.slice(2);
const n = Number(rows);
const world = {
  share: 0.1,
  correlation: 0.95,
  candidate: { separation: separationOf(0.9), shift: 0 },
  baseline: { separation: separationOf(0.9), shift: 0 },
};

const seconds: number[] = [];
const processorSeconds: number[] = [];
let answer: unknown = null;
async function timed(work: () => unknown): Promise<void> {
  for (let i = 0; i < Number(repeats); i++) {
    const started = performance.now();
    const before = process.cpuUsage();
    answer = await work();
    const { user, system } = process.cpuUsage(before);
    seconds.push((performance.now() - started) / 1000);
    processorSeconds.push((user + system) / 1e6);
  }
}

switch (part) {
  case "contrast": {
    const { candidate, baseline } = drawBinary(world, n, 1, 0).samples("auroc");
    await timed(() => catalog.get("auroc")?.contrast(candidate, baseline, { level: 0.9, seed: 1 }));
    break;
  }
  case "memory": {
    // The least memory that two models' answers on so many rows can take, plus the comparison.
    const random = new RandomStream(1);
    const labels = Float64Array.from({ length: n }, () => (random.uniform() < 0.1 ? 1 : 0));
    const scores = () => Float64Array.from(labels, (y) => y + random.uniform() * 3);
    const sample = (values: Float64Array) => ({ labels, scores: values, classCount: 2, weights: null, groups: null });
    const [candidate, baseline] = [sample(scores()), sample(scores())];
    await timed(() => catalog.get("auroc")?.contrast(candidate, baseline, { level: 0.9, seed: 1 }));
    break;
  }
  case "bca-1":
  case "bca-2": {
    const random = new RandomStream(2);
    const statistic: SumStatistic = {
      cells: Float64Array.from({ length: n }, () => Math.log(random.uniform()) - Math.log(random.uniform())),
      width: 1,
      value: (sums, count) => (sums[0] as number) / count,
    };
    await timed(async () =>
      bca(
        await bootstrapInWorkers(statistic, { seed: 1, resamples: 2_000, workers: part === "bca-1" ? 1 : 2 }),
        statistic.value(columnSums(statistic), n),
        acceleration(leaveOneOut(statistic)),
        0.9,
      ),
    );
    break;
  }
  case "slices": {
    const drawn = drawBinary(world, n, 1, 0).samples("brier");
    const source = Array.from({ length: n }, (_, i) => `s${i % 50}`);
    const predictions = (scores: Float64Array): Predictions => ({
      head: "h",
      task: "binary-classification",
      ids: source.map((_, i) => String(i)),
      labels: drawn.candidate.labels,
      scores,
      classes: ["no", "yes"],
      slices: { source },
      groups: null,
      weights: null,
      datasetDigest: null,
    });
    const [candidate, baseline] = [predictions(drawn.candidate.scores), predictions(drawn.baseline.scores)];
    const metrics = metricsFor("binary-classification").filter(({ name }) => name !== "partial_auroc");
    await timed(() => {
      let contrasts = 0;
      for (const [slice, members] of slicesOf(candidate)) {
        if (slice === "all") continue;
        const [one, two] = [sampleOf(candidate, members), sampleOf(baseline, members)];
        for (const metric of metrics)
          if (
            metric.contrast(one, two, {
              level: 0.9,
              seed: 1,
              ...(metric.name === "precision" ? { threshold: 0.3 } : {}),
            }).status === "ok"
          )
            contrasts++;
      }
      return { contrasts, metrics: metrics.length };
    });
    break;
  }
  default:
    throw new Error(`no part ${part}`);
}
const middle = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
process.stdout.write(
  `${JSON.stringify({ seconds: middle(seconds), processorSeconds: middle(processorSeconds), peakRssBytes: process.resourceUsage().maxRSS * 1024, answer })}\n`,
);
