import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { parseManifest, type LoadedManifest } from "../../../../models/core/predictor/load.ts";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import type { lookupStep } from "../../../../models/core/lookup/schema.ts";
import type { z } from "zod";
import { linearManifest, temporaryFolder } from "../build.ts";
import { digestOf } from "./tables.ts";

type StepInput = z.input<typeof lookupStep>;

/**
 * The linear model, prediction = spend + 10 visits + 100 amount + 0.5: `spend` and `visits` are looked up by card, and
 * `amount` is in the row.
 */
export function cardManifest(
  table: Uint8Array,
  step: Partial<StepInput> = {},
  changes: Partial<ManifestInput> = {},
): ManifestInput {
  return linearManifest({
    preprocess: {
      card: {
        kind: "lookup",
        key: ["card_id"],
        time: "at",
        store: { path: "card.features", sha256: digestOf(table) },
        features: { spend: {}, visits: {} },
        ...step,
      },
      row: {
        kind: "tabular",
        columns: {
          spend: { type: "lookup", from: "card.spend" },
          visits: { type: "lookup", from: "card.visits" },
          amount: { type: "number" },
        },
        features: ["spend", "visits", "amount"].map((column) => ({ column, encode: "number" as const })),
      },
    },
    ...changes,
  });
}

/** A folder with the linear graph, a feature table and model.yaml. */
export function cardFolder(manifest: ManifestInput, table: Uint8Array, dir = temporaryFolder()): LoadedManifest {
  cpSync(join(import.meta.dirname, "../../../fixtures/linear.onnx"), join(dir, "linear.onnx"));
  writeFileSync(join(dir, "card.features"), table);
  const text = stringify(manifest);
  writeFileSync(join(dir, "model.yaml"), text);
  return parseManifest(text, dir, join(dir, "model.yaml"));
}
