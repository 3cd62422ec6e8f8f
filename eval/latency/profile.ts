import { fetchGraphs, type ArtifactDeps } from "../../models/core/artifact/artifact.ts";
import { artifactFiles } from "../../models/core/manifest/artifact-files.ts";
import { loadManifest, modelsOf } from "../../models/core/predictor/load.ts";
import type { Provider } from "../../models/core/session/session.ts";
import type { PerformanceFigures } from "../schema/metrics.ts";
import { realTimeFactor } from "./real-time-factor.ts";
import { startModelProcess, type ProcessDeps } from "./model-process.ts";
import type { OpenCommand } from "./protocol.ts";
import { quantileOfSorted } from "../stats/quantile.ts";

export type ProfileOptions = {
  provider?: Provider;
  threads?: number;
  /** Lookup step → the feature table of the exam. */
  histories?: OpenCommand["histories"];
  /** Batch sizes to time, in rows per call; default: 1 and the manifest's runtime.batch. */
  batches?: readonly number[];
  /**
   * Measuring time over all batch sizes together, without warm-up. A slow model takes longer, because every size is
   * timed at least `atLeast` times.
   */
  measureMs?: number;
  /** Longest warm-up, ms of processor time. */
  warmMs?: number;
  atLeast?: number;
  /** Length of each row's audio; null where it is not known. */
  audioSeconds?: readonly (number | null)[];
};

/** Rows beyond these would enlarge the message to the process and not change the figures. */
const MAX_ROWS = 256;

/**
 * A model's performance figures, measured in one fresh process.
 *
 * One `Predictor.predict` call is timed: preprocessing, ONNX run and postprocessing of a batch. That is the cost of a
 * served request without HTTP and queueing. Calls follow each other with nothing in between (one client, closed loop).
 * - p50Ms, p95Ms, p99Ms: quantiles (type 7) of the calls' durations. `runs` is their number; a p99 of fewer than a few
 *   hundred is little more than the slowest.
 * - throughputRowsPerSecond: rows answered / wall time of the whole loop.
 * - throughputTokensPerSecond, firstTokenP50Ms: of a model that generates, tokens made / wall time of the whole loop, and
 *   the median time from the start of a decode loop, its encoder included, to its first token.
 * - rtf: `realTimeFactor` of the calls of one row.
 * - coldStartMs: just before fork() → first answer of one row, in this fresh process. It includes Node's start, all
 *   imports and the file's sha256 check, but no download. Unbuilt TypeScript starts slower than a bundle, so compare
 *   only figures of one kind.
 * - peakRssBytes: highest resident memory of that process, Node included, after all batch sizes.
 * - modelBytes: ONNX file and its external data.
 * - bytesPerRow: bytes of the tensors that go into the graph and come out of it, padding included, per row of one run
 *   of the last batch size.
 *
 * All of this describes this machine at this moment. To compare two models, use `compareLatency`.
 *
 * @param rows at least one; the model must be able to use each of them
 * @throws ConfigurationError for a wrong manifest; EvaluationError when the model cannot answer
 */
export async function profile(
  modelDir: string,
  rows: OpenCommand["rows"],
  options: ProfileOptions,
  deps: ProcessDeps & ArtifactDeps,
): Promise<PerformanceFigures> {
  const { measureMs = 150, warmMs = 40, atLeast = 3 } = options;
  const loaded = await loadManifest(modelDir);
  // Fetched first, so that a cold start never includes a download. A local file needs no second reading.
  for (const { manifest, dir } of modelsOf(loaded))
    if (artifactFiles(manifest.artifact).some(({ file }) => file.hub !== undefined))
      await fetchGraphs(manifest.artifact, dir, deps);
  const child = await startModelProcess(
    {
      modelDir,
      rows: rows.slice(0, MAX_ROWS),
      warmMs,
      slowdownMs: 0,
      histories: options.histories ?? {},
      ...(options.provider === undefined ? {} : { provider: options.provider }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    },
    deps,
  );
  try {
    const sizes = [...new Set(options.batches ?? [1, child.opened.servedBatch])];
    const batches: PerformanceFigures["batches"] = [];
    let rtf: number | null = null;
    for (const batch of sizes) {
      const { durationsMs, elapsedMs, generated } = await child.turn({
        start: 0,
        batch,
        lead: 1,
        budgetMs: measureMs / sizes.length,
        atLeast,
      });
      const sorted = durationsMs.toSorted();
      batches.push({
        batch,
        runs: sorted.length,
        p50Ms: quantileOfSorted(sorted, 0.5),
        p95Ms: quantileOfSorted(sorted, 0.95),
        p99Ms: quantileOfSorted(sorted, 0.99),
        throughputRowsPerSecond: (batch * sorted.length * 1000) / elapsedMs,
        ...(generated === null
          ? {}
          : {
              throughputTokensPerSecond: (generated.tokens * 1000) / elapsedMs,
              firstTokenP50Ms: quantileOfSorted(generated.firstTokensMs.toSorted(), 0.5),
            }),
      });
      if (batch === 1) rtf = realTimeFactor(durationsMs, (options.audioSeconds ?? []).slice(0, MAX_ROWS));
    }
    const { peakRssBytes, bytesPerRow } = await child.footprint(sizes.at(-1) ?? 1);
    const { coldStartMs, opened } = child;
    const bytes = bytesPerRow === null ? {} : { bytesPerRow };
    const factor = rtf === null ? {} : { rtf };
    return { batches, coldStartMs, peakRssBytes, modelBytes: opened.modelBytes, ...bytes, ...factor };
  } finally {
    await child.close();
  }
}
