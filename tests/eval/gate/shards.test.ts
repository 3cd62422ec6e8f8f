import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { predictShard } from "../../../eval/gate.ts";
import { teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { folderWith } from "../dataset/build.ts";
import { gate, sha256 } from "./run.ts";

let team: TeamRepository;
let parts: string;
beforeEach(async () => {
  team = teamRepository();
  team.model({ offset: 1.5 });
  parts = folderWith({});
  for (const index of [0, 1])
    await predictShard(
      {
        root: team.dir,
        configFile: "sluice.yaml",
        models: [],
        baseline: "auto",
        out: parts,
        seed: 1,
        performance: false,
      },
      { index, count: 2 },
      {
        env: { ...process.env, SLUICE_CACHE: join(folderWith({}), "cache") },
        now: () => new Date(0),
        fetch,
        onEvent: () => {},
      },
    );
});
afterEach(() => team.remove());

type Line = { id: string; label: number; score: number; half: string };
type Manifest = { machine: { cpuFlags: string[] }; heads: { sha256: string }[] };

/** Rewrites a shard so that it agrees with itself. */
function rewrite(name: string, line: (one: Line) => Line, manifest: (one: Manifest) => void = () => {}): void {
  const folder = join(parts, "shards", name);
  const lines = readFileSync(join(folder, "head-0.jsonl"), "utf8").trimEnd().split("\n");
  const text = lines.map((one) => `${JSON.stringify(line(JSON.parse(one) as Line))}\n`).join("");
  writeFileSync(join(folder, "head-0.jsonl"), text);
  const shard = JSON.parse(readFileSync(join(folder, "shard.json"), "utf8")) as Manifest;
  shard.heads[0]!.sha256 = sha256(text);
  manifest(shard);
  writeFileSync(join(folder, "shard.json"), JSON.stringify(shard));
}

const judge = () => gate(team, { shards: parts }, { drawSeed: () => 7 });

it("true shards are judged as they are, and the sample is in the notes, with its seed", async () => {
  const { verdict } = await judge();
  expect(verdict.verdict).toBe("FAIL");
  expect(verdict.models[0]?.notes).toContain(
    "linear: candidate 1.1.0: 128 rows of 2 shards were predicted again here (seed 7), with the same answers.",
  );
});

it("shards that hold other answers than the model's are ERROR", async () => {
  rewrite("linear.candidate.0-of-2", (one) => ({ ...one, score: one.score - 1.5 }));
  const { verdict } = await judge();
  expect(verdict.verdict).toBe("ERROR");
  expect(verdict.models[0]?.reason).toMatch(/shard of rows 0 to 100 does not hold what the model answers/);
});

it("true values, slices and weights are the dataset's, whatever a shard says", async () => {
  const honest = (await judge()).verdict.models[0]?.checks;
  for (const part of ["0-of-2", "1-of-2"])
    rewrite(`linear.candidate.${part}`, (one) => ({ ...one, label: one.score, half: "even" }));
  expect((await judge()).verdict.models[0]?.checks).toEqual(honest);
});

it("other answers of another kind of processor are INCOMPARABLE, also for limits", async () => {
  const elsewhere = (shard: Manifest) => void (shard.machine.cpuFlags = ["avx512_vnni"]);
  // Without a baseline, only the limit decides, and it holds.
  const limits = () => gate(team, { shards: parts, baseline: "none" }, { drawSeed: () => 7 });
  rewrite("linear.candidate.1-of-2", (one) => one, elsewhere);
  expect((await limits()).verdict.verdict).toBe("PASS");
  rewrite("linear.candidate.1-of-2", (one) => ({ ...one, score: one.score + 0.1 }), elsewhere);
  const { verdict } = await limits();
  expect(verdict.verdict).toBe("INCOMPARABLE");
  expect(verdict.models[0]?.reason).toMatch(/rows 100 to 200 were predicted on a machine with other instruction sets/);
  expect((await judge()).verdict.models[0]?.checks[0]).toMatchObject({ metric: "mae", verdict: "INCOMPARABLE" });
});
