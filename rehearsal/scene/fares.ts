import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { root, sha256, type Files } from "./repository.ts";

export type FareModel = {
  id: string;
  version: string;
  /** Number of extra 512 × 512 matrix products. They cost time and do not change the answer. */
  layers?: 6 | 12;
  /** How far the model misjudges the minutes, per kilometre beyond the third, by where a ride starts; 0 is exact. */
  wrong?: { airport?: number; centre?: number };
  /** The same beyond the eighth kilometre. No ride of the test set is so long. */
  wrongOnLongRides?: number;
  checks: NonNullable<ManifestInput["gates"]>["checks"];
};

/**
 * A made-up model of taxi fares: an exact formula of three columns, with as much error as a story needs. Its 3,000
 * rides have little noise, so they decide in one second what takes a real data set ten.
 */
export function fareModel({ id, version, layers, wrong = {}, wrongOnLongRides, checks }: FareModel): Files {
  const weights = readFileSync(
    join(root, `tests/fixtures/${layers === undefined ? "linear" : `linear-${layers}-layers`}.onnx`),
  );
  const manifest: ManifestInput = {
    schemaVersion: 1,
    id,
    version,
    task: "regression",
    description: "Fare of a taxi ride from its length, time and zones",
    license: "Apache-2.0",
    artifact: { path: "model.onnx", sha256: sha256(weights) },
    preprocess: {
      row: {
        kind: "tabular",
        columns: {
          km: { type: "number" },
          minutes: { type: "number" },
          zones: { type: "number" },
          airport: { type: "number" },
        },
        derive: {
          seen: `minutes + (airport * ${wrong.airport ?? 0} + (1 - airport) * ${wrong.centre ?? 0}) * (km - 3)${wrongOnLongRides === undefined ? "" : ` + ${wrongOnLongRides} * max(0, km - 8)`}`,
        },
        features: ["km", "seen", "zones"].map((column) => ({ column, encode: "number" as const })),
      },
    },
    inputs: [{ name: "features", dtype: "float32", shape: ["batch", 3], from: "row.features" }],
    outputs: [{ name: "prediction", dtype: "float32", shape: ["batch", 1] }],
    postprocess: [{ name: "fare", from: "prediction", kind: "regression", unit: "euro" }],
    dataset: {
      id: `${id}-rides`,
      files: [{ path: "data/rides.jsonl" }],
      idField: "id",
      labels: { fare: { field: "fare" } },
      slices: ["from"],
    },
    gates: { checks },
    serving: { examples: [{ km: 4, minutes: 3, zones: 1, airport: 0 }] },
  };
  return {
    [`models/${id}/model.yaml`]: stringify(manifest),
    [`models/${id}/model.onnx`]: weights,
    [`models/${id}/README.md`]: `# ${id}\n\nFares of taxi rides.\n`,
  };
}

/**
 * Rides with their fares: the model's formula plus noise from -1 to 1 with mean 0. Every fifth ride starts at the
 * airport.
 */
export function rides(id: string, count: number): Files {
  const rows = Array.from({ length: count }, (_, i) => {
    const [km, minutes, zones, airport] = [i % 7, (i * 3) % 5, i % 3, i % 5 === 0 ? 1 : 0];
    return {
      id: `ride-${i}`,
      km,
      minutes,
      zones,
      airport,
      from: airport === 1 ? "airport" : "centre",
      fare: km + 10 * minutes + 100 * zones + 0.5 + ((i * 37) % 101) / 50 - 1,
    };
  });
  return { [`models/${id}/data/rides.jsonl`]: rows.map((row) => `${JSON.stringify(row)}\n`).join("") };
}
