// Writes models/MODEL/production/receipt.json: measures the production version on the model's dataset and judges it
// by the model's absolute limits. Run it when a version becomes the production version.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { productionReceiptOf } from "../eval/gate/production-receipt.ts";
import { runGate } from "../eval/gate.ts";
import { sluiceVersion } from "../models/core/version.ts";
import { loadManifest } from "../models/core/predictor/load.ts";

const root = resolve(import.meta.dirname, "..");
const [name] = process.argv.slice(2);
if (name === undefined) {
  console.error("usage: node scripts/with-node24.mjs scripts/receipt.ts MODEL");
  process.exit(2);
}
const modelDir = join(root, "models", name);
const production = join(modelDir, "production");
const candidate = parseDocument((await loadManifest(modelDir)).text).toJS() as Record<string, unknown>;
const kept = parseDocument((await loadManifest(production)).text).toJS() as Record<string, unknown>;

const work = await mkdtemp(join(tmpdir(), "sluice-receipt-"));
try {
  // The production version with the model's data and gates. The folder is inside the repository, so that data from npm
  // packages is found in its node_modules.
  const dir = join(root, ".sluice", `receipt-${name}`);
  await rm(dir, { recursive: true, force: true });
  await cp(production, join(dir, name), { recursive: true });
  await cp(join(modelDir, "data"), join(dir, name, "data"), { recursive: true }).catch(() => undefined);
  await rm(join(dir, name, "receipt.json"), { force: true });
  await writeFile(
    join(dir, name, "model.yaml"),
    JSON.stringify({ ...kept, dataset: candidate["dataset"], gates: candidate["gates"] }),
  );
  await writeFile(join(dir, "sluice.yaml"), JSON.stringify({ schemaVersion: 1, models: [name] }));
  const { verdict, metrics } = await runGate(
    {
      root: dir,
      configFile: "sluice.yaml",
      models: [],
      baseline: "none",
      out: join(work, "out"),
      seed: 1,
      performance: true,
    },
    {
      env: process.env,
      now: () => new Date(),
      fetch,
      onEvent: (event) => {
        if (event.kind === "stage") console.error(`${event.model}: ${event.stage}`);
      },
    },
  );
  const [judged] = verdict.models;
  const [measured] = metrics.models;
  if (judged === undefined || measured === undefined || judged.verdict !== "PASS")
    throw new Error(`${name}: ${judged?.verdict}: ${judged?.reason}`);
  await writeFile(
    join(production, "receipt.json"),
    `${JSON.stringify(productionReceiptOf(judged, measured, sluiceVersion), null, 1)}\n`,
  );
  console.error(`Wrote models/${name}/production/receipt.json`);
} finally {
  await rm(work, { recursive: true, force: true });
}
