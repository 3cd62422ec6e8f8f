import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { deployedSchema } from "../deploy/bundle/deployed.ts";
import { deploymentReceipt } from "../deploy/receipt.ts";
import { botConfiguration } from "../bot/config/config.ts";
import { configuration } from "../eval/schema/configuration.ts";
import { adviceFile } from "../eval/schema/advice.ts";
import { metricsFile } from "../eval/schema/metrics.ts";
import { calibrationFile } from "../eval/schema/calibration.ts";
import { planFile } from "../eval/schema/plan.ts";
import { productionReceiptFile } from "../eval/schema/production-receipt.ts";
import { verdictFile } from "../eval/schema/verdict.ts";
import { waiversFile } from "../eval/schema/waivers.ts";
import { liveCounts } from "../models/profile/live.ts";
import { profileFile } from "../models/profile/schema.ts";
import { watchState } from "../watch/schema/state.ts";
import { opsFile } from "../watch/schema/ops.ts";
import { watchFile } from "../watch/schema/verdict.ts";
import { referencePages } from "./reference.ts";
import { modelFile } from "../models/core/predictor/load.ts";

/**
 * Published file name → its schema and title. `io: "input"` describes what a person may write, where defaults may be
 * omitted.
 */
const published: Record<string, { schema: z.ZodType; title: string; io: "input" | "output" }> = {
  "model.schema.json": { schema: modelFile, title: "model.yaml: a model that Sluice gates and serves", io: "input" },
  "sluice.schema.json": {
    schema: configuration,
    title: "sluice.yaml: the models that a repository keeps",
    io: "input",
  },
  "bot.schema.json": {
    schema: botConfiguration,
    title: "bot.yaml: who may do what in the Telegram bot, and where",
    io: "input",
  },
  "waivers.schema.json": {
    schema: waiversFile,
    title: "waivers.yaml: checks that a team lets fail until a date",
    io: "input",
  },
  "verdict.schema.json": { schema: verdictFile, title: "verdict.json: the judgement of a gate run", io: "output" },
  "metrics.schema.json": { schema: metricsFile, title: "metrics.json: what a gate run measured", io: "output" },
  "advice.schema.json": {
    schema: adviceFile,
    title: "advice.json: what was seen of remote models, which decides nothing",
    io: "output",
  },
  "plan.schema.json": { schema: planFile, title: "sluice plan --json: what each check can decide", io: "output" },
  "calibration.schema.json": {
    schema: calibrationFile,
    title: "sluice calibrate --json: how often the gate is red for no reason",
    io: "output",
  },
  "ops.schema.json": { schema: opsFile, title: "sluice ops --json: delivery, cost and test-set wear", io: "output" },
  "deployment.schema.json": {
    schema: deploymentReceipt,
    title: "deployment.json of a deployment: what was deployed, what became of it, what serves now",
    io: "output",
  },
  "space.schema.json": {
    schema: deployedSchema,
    title: "deployment.json of a Space's tree: what this is",
    io: "output",
  },
  "profile.schema.json": {
    schema: profileFile,
    title: "profiles/MODEL.json of a gate: how its rows and the model's answers to them are distributed",
    io: "output",
  },
  "live-counts.schema.json": {
    schema: liveCounts,
    title: "GET /models/{id}/watch: what a live model saw and answered, as counts",
    io: "output",
  },
  "watch.schema.json": { schema: watchFile, title: "verdict.json of sluice watch", io: "output" },
  "watch-state.schema.json": {
    schema: watchState,
    title: "The counts that sluice watch --state keeps between runs",
    io: "output",
  },
  "receipt.schema.json": {
    schema: productionReceiptFile,
    title: "receipt.json: what was measured when a version was let through",
    io: "output",
  },
};

/** File name → text of the published JSON Schemas (draft 2020-12), generated from the zod schemas. */
export function generateSchemas(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(published).map(([name, { schema, title, io }]) => [
      name,
      `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io, target: "draft-2020-12" }) }, null, 2)}\n`,
    ]),
  );
}

// npm run schemas         writes them
// npm run schemas:check   compares instead, names what differs, exits with 1
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = join(import.meta.dirname, "..");
  const fresh: [string, string][] = [
    ...Object.entries(generateSchemas()).map(([name, text]): [string, string] => [`schemas/${name}`, text]),
    ...referencePages().map(({ path, text }): [string, string] => [path, text]),
  ];
  if (process.argv.includes("--check")) {
    const stale = fresh.filter(([name, text]) => readIfThere(join(root, name)) !== text).map(([name]) => name);
    if (stale.length > 0) {
      console.error(`Not what the sources generate: ${stale.join(", ")}. Run: npm run schemas`);
      process.exitCode = 1;
    }
  } else {
    mkdirSync(join(root, "schemas"), { recursive: true });
    for (const [name, text] of fresh) writeFileSync(join(root, name), text);
  }
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
