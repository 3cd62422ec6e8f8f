// npm run bench:reasons
//
// What reasons from a model's trees cost: microseconds an alert, by models/fraud on its own judged rows, and the share of
// rows that are alerts. Alternates answers with and without reasons, so that a busy machine slows both. Prints; writes
// nothing.
import { join, resolve } from "node:path";
import { formatOf, openReader } from "../eval/dataset/formats/open.ts";
import { openHistories } from "../models/core/feature-store/file.ts";
import { loadManifest } from "../models/core/predictor/load.ts";
import { openPredictor } from "../models/core/predictor/predictor.ts";
import type { Row } from "../models/core/row.ts";

const dir = resolve(import.meta.dirname, "../models/fraud");
const deps = { env: process.env, fetch };
const loaded = await loadManifest(dir);
const stores = await openHistories(
  Object.fromEntries(
    ["card", "terminal"].map((step) => [step, { dir, path: `data/${step}.features`, sha256: null as never }]),
  ),
);
const file = join(dir, "data/eval.csv");
const texts = new Map(["card_id", "terminal_id", "channel"].map((name) => [name, "text"] as const));
const rows: Row[] = [];
for await (const reading of (await openReader(file, file, await formatOf(file, file, undefined), texts)).readings)
  if (reading.kind === "record") rows.push(reading.fields);

const { reasons, ...rest } = loaded.manifest;
if (reasons === undefined) throw new Error("models/fraud declares no reasons");
const all = await openPredictor(
  { ...loaded, manifest: { ...rest, reasons: { ...reasons, answers: "all" } } },
  { stores },
  deps,
);
const none = await openPredictor({ ...loaded, manifest: rest }, { stores }, deps);
const own = await openPredictor(loaded, { stores }, deps);
const alerts = (await own.predict(rows, { batch: 1024 })).filter((one) => one.ok && one.features !== undefined).length;

const timeOf = async (predictor: typeof all): Promise<number> => {
  const begun = performance.now();
  await predictor.predict(rows, { batch: 1024 });
  return ((performance.now() - begun) * 1000) / rows.length;
};
const differences: number[] = [];
const without: number[] = [];
for (let round = 0; round < 12; round++) {
  const [plain, explained] = [await timeOf(none), await timeOf(all)];
  if (round >= 2) {
    differences.push(explained - plain);
    without.push(plain);
  }
}
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
console.log(
  `${rows.length} rows: ${median(without).toFixed(1)} µs a row without reasons; reasons for a row take ${median(differences).toFixed(1)} µs (medians of ${differences.length} rounds)`,
);
console.log(
  `${alerts} rows are alerts (${((100 * alerts) / rows.length).toFixed(2)} %), so they add ${((median(differences) * alerts) / rows.length).toFixed(2)} µs a row`,
);
await Promise.all([all, none, own].map((one) => one.close()));
