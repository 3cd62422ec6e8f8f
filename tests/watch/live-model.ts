import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll } from "vitest";
import { RandomStream } from "../../eval/stats/random.ts";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { watchPolicy, type WatchSettings } from "../../models/core/manifest/watch.ts";
import type { LiveCounts } from "../../models/profile/live.ts";
import { startServer, type Server } from "../../spaces/server/server.ts";
import { settingsSchema } from "../../spaces/server/settings/settings.ts";
import { runWatch } from "../../watch/watch.ts";
import { linearManifest, teamRepository, jsonLines } from "../cli/repository.ts";
import { folderWith } from "../eval/dataset/build.ts";
import { gate, type Gated } from "../eval/gate/run.ts";

/** A row and what came of it: the model's score is the sigmoid of a + 10 b + ½, and so is the truth's probability. */
type RiskRow = { a: number; b: number; c: number };
export type LabelledRow = { row: RiskRow; label: "no" | "yes" };

type World = {
  /** Added to a; b moves so that the score stays. */
  shift?: number;
  /** Added to a alone. */
  scoreShift?: number;
  /** Share of labels that are turned round. */
  flipped?: number;
};

export function riskRows(
  count: number,
  seed: number,
  { shift = 0, scoreShift = 0, flipped = 0 }: World = {},
): LabelledRow[] {
  const random = new RandomStream(seed);
  const normal = () => {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += random.next() / 2 ** 32;
    return sum - 6;
  };
  return Array.from({ length: count }, () => {
    const [a, b] = [2 * normal() + shift + scoreShift, 0.2 * normal() - shift / 10];
    const score = 1 / (1 + Math.exp(-(a + 10 * b + 0.5)));
    const yes = random.next() / 2 ** 32 < score;
    return { row: { a, b, c: 0 }, label: yes !== random.next() / 2 ** 32 < flipped ? "yes" : "no" };
  });
}

export function riskManifest(changes: Partial<ManifestInput> = {}): ManifestInput {
  return {
    ...linearManifest(),
    id: "risk",
    version: "1.0.0",
    task: "binary-classification",
    preprocess: {
      row: {
        kind: "tabular",
        columns: {
          a: { type: "number", min: -40, max: 40 },
          b: { type: "number", missing: { fill: 0 } },
          c: { type: "number" },
        },
        features: ["a", "b", "c"].map((column) => ({ column, encode: "number" as const })),
      },
    },
    postprocess: [
      { name: "risk", from: "prediction", kind: "classification", activation: "sigmoid", labels: ["no", "yes"] },
    ],
    dataset: {
      id: "applications",
      files: [{ path: "data/rows.jsonl" }],
      idField: "id",
      labels: { risk: { field: "label" } },
    },
    gates: {
      checks: [
        { kind: "limit", metric: "accuracy", min: 0.7 },
        { kind: "non-inferiority", metric: "accuracy", margin: 0.05 },
      ],
    },
    serving: { examples: [{ a: 1, b: 0, c: 0 }] },
    ...changes,
  };
}

/** Takes a model through the real gate. `dir`: its folder, with the profile beside it as in a Space. */
export async function gatedModel(
  manifest = riskManifest(),
  data = riskRows(2000, 1),
): Promise<{ dir: string; gated: Gated }> {
  const team = teamRepository();
  afterAll(team.remove);
  const { id } = manifest;
  team.write("sluice.yaml", `schemaVersion: 1\nmodels: [models/${id}]\n`);
  team.write(`models/${id}/model.yaml`, stringify(manifest));
  team.write(
    `models/${id}/data/rows.jsonl`,
    jsonLines(data.map(({ row, label }, i) => ({ id: `row-${i}`, ...row, label }))),
  );
  copyFileSync(join(team.dir, "models/linear/linear.onnx"), join(team.dir, `models/${id}/linear.onnx`));
  const out = join(team.dir, "out");
  const gated = await gate(team, { baseline: "none", out });
  const dir = join(team.dir, "models", id);
  const { profile } = gated.verdict.models[0]!;
  if (profile === undefined) throw new Error(gated.verdict.reason);
  copyFileSync(join(out, profile.file), join(dir, "profile.json"));
  return { dir, gated };
}

const running: Server[] = [];
afterAll(async () => {
  for (const server of running) await server.drain(1000);
});

export type Served = {
  url: string;
  stop: () => Promise<unknown>;
  post: (path: string, body: unknown) => Promise<{ status: number; json: Record<string, unknown> }>;
  /** Sends rows as one batch; the labels follow if `labelled`. @returns the id of the predictions */
  ask: (rows: readonly LabelledRow[], options?: { labelled?: boolean }) => Promise<string>;
  counts: () => Promise<LiveCounts>;
};

/** The server that a Space runs, in this process, on a port of its own. */
export async function served(dir: string, settings: Record<string, unknown> = {}, model = "risk"): Promise<Served> {
  const server = await startServer(
    [dir],
    settingsSchema.parse({
      host: "127.0.0.1",
      port: 0,
      logLevel: "silent",
      watch: false,
      sweepBudgetMs: 0,
      featureShare: 1,
      ...settings,
    }),
    { env: {}, fetch },
  );
  running.push(server);
  await server.loaded;
  const url = server.address;
  const post: Served["post"] = async (path, body) => {
    const response = await fetch(`${url}/models/${model}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  return {
    url,
    stop: () => server.drain(5000),
    post,
    async ask(rows, { labelled = false } = {}) {
      const { json } = await post("predict/batch", { rows: rows.map(({ row }) => row) });
      const id = String(json["predictionId"]);
      const sent = labelled ? rows.length : 0;
      for (let from = 0; from < sent; from += 1000)
        await post("feedback", {
          feedback: rows.slice(from, from + 1000).map(({ label }, i) => ({ predictionId: `${id}:${from + i}`, label })),
        });
      return id;
    },
    counts: async () => (await fetch(`${url}/models/${model}/watch`)).json() as Promise<LiveCounts>,
  };
}

/** One run of the watch, as `sluice watch` makes it. */
export async function watched(
  urls: readonly string[],
  options: { policy?: WatchSettings; state?: string; now?: Date; out?: string } = {},
) {
  const out = options.out ?? folderWith({});
  const { verdict, files } = await runWatch(
    {
      targets: [
        {
          model: "risk",
          origins: urls,
          gates: {
            alpha: 0.05,
            minimumPerClass: 30,
            onInsufficient: "fail",
            checks: [
              { kind: "limit", metric: "accuracy", slices: [], min: 0.7, confident: false },
              { kind: "non-inferiority", metric: "accuracy", slices: [], margin: 0.05 },
            ],
          },
          policy: watchPolicy(options.policy),
        },
      ],
      out,
      state: options.state ?? null,
    },
    { fetch, now: () => options.now ?? new Date() },
  );
  return { verdict, files, model: verdict.models[0]! };
}
