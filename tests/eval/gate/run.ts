import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runGate, type GateOutcome } from "../../../eval/gate.ts";
import type { GateDeps, GateRequest } from "../../../eval/gate/context.ts";
import type { ModelVerdict } from "../../../eval/schema/verdict.ts";
import { verdictFile } from "../../../eval/schema/verdict.ts";

/** A gate of a repository, in this process: no network, a fixed clock, a cache of its own. */
export async function gateOf(
  root: string,
  request: Partial<GateRequest> = {},
  deps: Partial<GateDeps> = {},
): Promise<GateOutcome> {
  const cache = mkdtempSync(join(tmpdir(), "sluice-cache-"));
  try {
    const outcome = await runGate(
      {
        root,
        configFile: "sluice.yaml",
        models: [],
        baseline: "auto",
        out: ".sluice",
        seed: 1,
        performance: false,
        ...request,
      },
      {
        env: { ...process.env, SLUICE_CACHE: cache },
        now: () => new Date("2026-11-29T06:00:00Z"),
        fetch: () => Promise.reject(new Error("no network in this test")),
        onEvent: () => {
          /* nobody watches */
        },
        ...deps,
      },
    );
    // Whatever the verdict is, it fits the published schema.
    verdictFile.parse(outcome.verdict);
    return outcome;
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** The verdict on one model; the first where none is named. */
export async function verdictOn(
  root: string,
  request: Partial<GateRequest> = {},
  id?: string,
  deps: Partial<GateDeps> = {},
): Promise<ModelVerdict> {
  const { models } = (await gateOf(root, request, deps)).verdict;
  const found = id === undefined ? models[0] : models.find(({ model }) => model.id === id);
  if (found === undefined) throw new Error(`no verdict on ${id}: ${models.map(({ model }) => model.id).join(", ")}`);
  return found;
}
