import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll } from "vitest";
import type { z } from "zod";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import { CONTROL_HEADER, controlKey, digestOf, rolloutPlan } from "../../../../models/core/rollout/plan.ts";
import type { rolloutSettings } from "../../../../models/core/rollout/settings.ts";
import { rolloutStatus, type RolloutStatus } from "../../../../models/core/rollout/status.ts";
import { startServer, type Server } from "../../../../spaces/server/server.ts";
import { settingsSchema } from "../../../../spaces/server/settings/settings.ts";
import { riskManifest, type LabelledRow } from "../../../watch/live-model.ts";

const folders: string[] = [];
const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) await server.drain(2000);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export const key = controlKey("a secret of a test", "roll-1");

/** The head of a candidate whose answers are "yes" from another score on: 0.5 is as good as can be. */
export const withThreshold = (threshold: number): Partial<ManifestInput> => ({
  postprocess: [
    {
      name: "risk",
      from: "prediction",
      kind: "classification",
      activation: "sigmoid",
      labels: ["no", "yes"],
      threshold,
    },
  ],
});

/** A Space's folder: the gated model as the live version, and a candidate of the same weights. */
export function besideFolder(
  dir: string,
  candidate: Partial<ManifestInput>,
  settings: z.input<typeof rolloutSettings>,
): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-rollout-"));
  folders.push(folder);
  const own = join(folder, "candidate", "models", "risk");
  cpSync(dir, join(folder, "models", "risk"), { recursive: true });
  mkdirSync(own, { recursive: true });
  for (const name of ["linear.onnx", "profile.json"]) cpSync(join(dir, name), join(own, name));
  writeFileSync(join(own, "model.yaml"), stringify(riskManifest({ version: "2.0.0", ...candidate })));
  const version = { sha256: "0".repeat(64), commit: null };
  writeFileSync(
    join(folder, "rollout.json"),
    JSON.stringify({
      schemaVersion: 1,
      id: "roll-1",
      model: "risk",
      baseline: { version: "1.0.0", ...version },
      candidate: { version: "2.0.0", ...version },
      controlSha256: digestOf(key),
      settings,
    } satisfies z.input<typeof rolloutPlan>),
  );
  return folder;
}

export type Beside = {
  url: string;
  stop: () => Promise<unknown>;
  predict: (row: unknown, headers?: Record<string, string>) => Promise<Response>;
  status: (headers?: Record<string, string>) => Promise<RolloutStatus>;
  command: (body: object, headers?: Record<string, string>) => Promise<Response>;
  begin: (step: number, state?: unknown) => Promise<RolloutStatus>;
  /** Sends rows one by one, each of its own user, and their labels. @returns how many each version answered */
  traffic: (rows: readonly LabelledRow[], more?: { stopAt?: (status: RolloutStatus) => boolean }) => Promise<Spoken>;
};
type Spoken = { asked: number; by: Record<string, number>; failed: number };

export async function serveBeside(folder: string, settings: Record<string, unknown> = {}): Promise<Beside> {
  const server = await startServer(
    [join(folder, "models", "risk")],
    settingsSchema.parse({
      host: "127.0.0.1",
      port: 0,
      logLevel: "silent",
      watch: false,
      sweepBudgetMs: 0,
      rolloutFile: join(folder, "rollout.json"),
      ...settings,
    }),
    { env: {}, fetch },
  );
  servers.push(server);
  await server.loaded;
  const url = server.address;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}/models/risk/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const status: Beside["status"] = async (headers = {}) =>
    rolloutStatus.parse(await (await fetch(`${url}/models/risk/rollout`, { headers })).json());
  const until = async (done: (status: RolloutStatus) => boolean) => {
    for (let i = 0; i < 500; i++) {
      const now = await status();
      if (done(now)) return now;
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    throw new Error(`not reached: ${JSON.stringify(await status())}`);
  };
  await until(({ candidate }) => candidate.state !== "loading");
  const command: Beside["command"] = (body, headers = { [CONTROL_HEADER]: key }) => post("rollout", body, headers);
  return {
    url,
    stop: () => server.drain(5000),
    predict: (row, headers) => post("predict", row, headers),
    status,
    command,
    async begin(step, state) {
      const answer = await command({
        rollout: "roll-1",
        from: (await status()).step,
        step,
        ...(state === undefined ? {} : { state }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return rolloutStatus.parse(await answer.json());
    },
    async traffic(rows, { stopAt } = {}) {
      const spoken: Spoken = { asked: 0, by: {}, failed: 0 };
      for (const [i, { row, label }] of rows.entries()) {
        const answer = await post("predict", row, { "x-user": `user ${i}` });
        spoken.asked++;
        if (!answer.ok) {
          spoken.failed++;
          continue;
        }
        const { predictionId, version } = (await answer.json()) as { predictionId: string; version: string };
        spoken.by[version] = (spoken.by[version] ?? 0) + 1;
        // A shadow's answer is there a moment later; a label never comes so soon outside a test.
        await until(({ shadow }) => shadow.compared + shadow.shed >= spoken.asked || shadow.waiting === 0);
        await post("feedback", { predictionId, label });
        const now = await status();
        if (now.decision.action === "ABORT" || stopAt?.(now) === true) break;
      }
      return spoken;
    },
  };
}
