import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor, type Predictor } from "../../../models/core/predictor/predictor.ts";
import { readDataset, type EvaluationDataset } from "../../../eval/dataset/read.ts";

const folder = fileURLToPath(new URL("../../../models/births", import.meta.url));
const offline = { env: {}, fetch: () => Promise.reject(new Error("no network in this test")) };

/** The births model and its 730 days. `asked.rows` counts the rows that the model was really asked. */
export async function openBirths(cacheDir: string) {
  const loaded = await loadManifest(folder);
  const dataset = await readDataset(loaded.manifest, loaded.dir, {
    ...offline,
    root: loaded.dir,
    cacheDir,
    workDir: cacheDir,
    lfs: () => Promise.reject(new Error("no LFS objects in this test")),
  });
  const model = await openPredictor(loaded, {}, offline);
  const asked = { rows: 0 };
  const predictor: Pick<Predictor, "predict" | "describe"> = {
    describe: () => model.describe(),
    predict: (rows, options) => {
      asked.rows += rows.length;
      return model.predict(rows, options);
    },
  };
  return {
    manifest: loaded.manifest,
    dataset,
    predictor,
    asked,
    production: () => openPredictorAt(join(folder, "production")),
  };
}

async function openPredictorAt(dir: string) {
  const loaded = await loadManifest(dir);
  return { manifest: loaded.manifest, predictor: await openPredictor(loaded, {}, offline) };
}

/** The dataset with some fields of some rows replaced. */
export function withRows(
  dataset: EvaluationDataset,
  changes: Record<number, Record<string, unknown>>,
  more: Partial<EvaluationDataset> = {},
): EvaluationDataset {
  return {
    ...dataset,
    ...more,
    rows: dataset.rows.map((row, i) =>
      changes[i] === undefined ? row : { ...row, row: { ...row.row, ...changes[i] } },
    ),
  };
}
