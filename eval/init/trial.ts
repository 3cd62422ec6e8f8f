import { basename, dirname } from "node:path";
import { stringify } from "yaml";
import { EvaluationError, SluiceError } from "../../models/core/errors.ts";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import type { MetricName } from "../../models/core/manifest/gates.ts";
import { parseManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { openPredictor } from "../../models/core/predictor/predictor.ts";
import { readDataset, type EvaluationDataset } from "../dataset/read.ts";
import { catalog } from "../metrics/catalog.ts";
import { measurerOf } from "../metrics/measure.ts";
import { predictDataset } from "../predict/predict.ts";
import type { Predictions } from "../predictions/predictions.ts";

/** A wiring that was run over rows, or why it cannot be. */
export type Trial =
  | {
      ok: true;
      metric: MetricName;
      value: number;
      rows: number;
      predictions: Predictions;
      /** Rows that cannot be read. */
      bad: number;
      /** The head's activation follows one that the graph has made. */
      twice: boolean;
      /** Whether a row's answer depends on its batch. */
      leaks: boolean;
      firstRow: Readonly<Record<string, unknown>>;
    }
  | { ok: false; why: string };

export type TrialDeps = {
  env: NodeJS.ProcessEnv;
  fetch: typeof fetch;
  /** Folder that holds the artifact and its files under the names that the manifest gives them. */
  modelDir: string;
  /** The data file or folder, absolute. */
  data: string;
  /** Empty folder for scratch. */
  workDir: string;
};

/** The figure by which wirings are ranked. */
const rankedBy: Partial<Record<ManifestInput["task"], MetricName>> = {
  "binary-classification": "auroc",
  "multiclass-classification": "accuracy",
  regression: "r2",
  forecasting: "smape",
  "token-classification": "entity_f1",
};

/**
 * Runs a wiring over at most `most` rows, spread evenly, with the code that the gate uses.
 *
 * @returns why it does not run, for a wiring that cannot be right; other failures throw
 */
export async function tryWiring(input: ManifestInput, most: number, deps: TrialDeps): Promise<Trial> {
  try {
    const loaded = parseManifest(stringify(tolerant(input)), deps.modelDir, "the wiring");
    const dataset = await dataOf(loaded, deps);
    const part = spread(dataset, most);
    const predictor = await openPredictor(loaded, {}, { env: deps.env, fetch: deps.fetch, cacheDir: deps.workDir });
    try {
      const predicted = await predictDataset(
        { predictor, manifest: loaded.manifest, dataset: part },
        { cacheDir: null },
      );
      const [predictions] = predicted.predictions;
      const metric = rankedBy[input.task]!;
      const definition = catalog.get(metric)!;
      const found = measurerOf(predictions!, 1).figure(definition, "all", {}, null);
      const value = "value" in found ? found.value : null;
      if (value === null || !Number.isFinite(value))
        return { ok: false, why: `${metric} is not defined on these rows` };
      const rows = part.rows.slice(0, 64).map(({ row }) => row);
      const parity = await predictor.batchParity(rows).catch(() => null);
      return {
        ok: true,
        metric,
        value,
        rows: part.rows.length - predicted.badRows.length,
        predictions: predictions!,
        bad: dataset.badRows.length + predicted.badRows.length,
        twice: (await predictor.activatedTwice(rows)).length > 0,
        leaks: parity !== null && !parity.ok,
        firstRow: part.rows[0]!.row,
      };
    } finally {
      await predictor.close();
    }
  } catch (error) {
    if (error instanceof SluiceError || error instanceof EvaluationError) return { ok: false, why: inOneLine(error) };
    throw error;
  }
}

/** Rows that cannot be read are counted, and do not end a trial unless they are most. */
const tolerant = (input: ManifestInput): ManifestInput => ({
  ...input,
  dataset: { ...input.dataset!, maxBadRows: { fraction: 0.5 } },
});

function dataOf(loaded: LoadedManifest, deps: TrialDeps): Promise<EvaluationDataset> {
  const root = dirname(deps.data);
  const [file] = loaded.manifest.dataset!.files;
  return readDataset(
    { ...loaded.manifest, dataset: { ...loaded.manifest.dataset!, files: [{ ...file!, path: basename(deps.data) }] } },
    root,
    {
      root,
      lfs: ([first]) =>
        Promise.reject(
          new EvaluationError({
            code: "lfs-missing",
            place: first?.place ?? deps.data,
            problem: "the data is a Git LFS pointer",
            example: "git lfs pull",
          }),
        ),
      env: deps.env,
      fetch: deps.fetch,
      cacheDir: deps.workDir,
      workDir: deps.workDir,
    },
  );
}

function spread(dataset: EvaluationDataset, most: number): EvaluationDataset {
  const { rows } = dataset;
  if (rows.length <= most) return { ...dataset, maxBadRows: { fraction: 0.5 } };
  const step = rows.length / most;
  const at = Array.from({ length: most }, (_, i) => Math.floor(i * step));
  return {
    ...dataset,
    rows: at.map((i) => rows[i]!),
    placeOf: (index) => dataset.placeOf(at[index]!),
    badRows: [],
    maxBadRows: { fraction: 0.5 },
  };
}

/** The first lines of an error, without its example. */
function inOneLine({ diagnostic }: SluiceError): string {
  const { problem, expected, received } = diagnostic;
  const parts = [
    problem.split("\n", 1)[0],
    expected === undefined ? null : `expected ${expected}`,
    received === undefined ? null : `received ${received.split("\n", 1)[0]}`,
  ];
  return parts
    .filter((one) => one !== null && one !== undefined)
    .join("; ")
    .slice(0, 300);
}
