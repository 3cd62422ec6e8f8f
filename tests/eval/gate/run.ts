import { createHash } from "node:crypto";
import { join } from "node:path";
import { runGate, type GateDeps, type GateOutcome, type GateRequest } from "../../../eval/gate.ts";
import type { TeamRepository } from "../../cli/repository.ts";
import { folderWith } from "../dataset/build.ts";

export type Gated = GateOutcome & { notes: string[] };

/** Runs the gate on a team's repository, quality only, with a cache of its own unless `env` names one. */
export async function gate(
  team: Pick<TeamRepository, "dir">,
  changes: Partial<GateRequest> = {},
  deps: Partial<GateDeps> = {},
): Promise<Gated> {
  const notes: string[] = [];
  const outcome = await runGate(
    {
      root: team.dir,
      configFile: "sluice.yaml",
      models: [],
      baseline: "auto",
      out: join(folderWith({}), "out"),
      seed: 1,
      performance: false,
      ...changes,
    },
    {
      now: () => new Date(0),
      fetch: () => Promise.reject(new TypeError("fetch failed", { cause: { code: "ENETUNREACH" } })),
      onEvent: (event) => void (event.kind === "note" && notes.push(event.text)),
      ...deps,
      env: { ...process.env, SLUICE_CACHE: join(folderWith({}), "cache"), ...deps.env },
    },
  );
  return { ...outcome, notes };
}

export const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");

/** A Git LFS pointer to these bytes. */
export const pointerTo = (content: string | Uint8Array) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${content.length}\n`;
