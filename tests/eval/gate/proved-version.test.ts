import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GateRequest } from "../../../eval/gate/context.ts";
import { releaseRecords } from "../../../eval/gate/references.ts";
import type { ReleaseRecords } from "../../../eval/gate/releases.ts";
import { readRelease, releaseMessage } from "../../../github/registry/release.ts";
import { linearManifest, teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { gateOf, verdictOn } from "./verdict-on.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const local: ReleaseRecords = { read: readRelease, fetch: null, findMergeBase: null };
const { sha256 } = linearManifest().artifact;

/** A commit on the current branch whose model answers `offset` too high. */
function version(name: string, offset: number): string {
  team.model({ version: name, offset });
  team.git("add", "-A");
  team.git("commit", "-qm", name);
  return team.git("rev-parse", "HEAD").trim();
}

/** What a proved deployment writes. */
function release(name: string, commit: string, weights = sha256, model = "linear") {
  const record = JSON.stringify({ model: { id: model, version: name, sha256: weights }, metrics: [], verdict: "PASS" });
  team.git("tag", "-a", `linear@${name}`, "-m", releaseMessage(model, name, record), commit);
}

const verdict = (request: Partial<GateRequest> = {}, releases = local) =>
  verdictOn(team.dir, request, "linear", { releases });

describe("the default baseline", () => {
  it("is the last proved version, although main has moved on", async () => {
    const proved = version("1.1.0", 0.1);
    release("1.1.0", proved);
    version("1.2.0", 1.4);
    team.model({ version: "1.3.0", offset: 1.4 });
    const judged = await verdict();
    expect(judged).toMatchObject({
      verdict: "FAIL",
      baseline: { version: "1.1.0" },
      baselineSource: `linear@1.1.0, the last proved version, models/linear at ${proved.slice(0, 7)}`,
    });
    expect(judged.notes.join("\n")).not.toMatch(/do not count/);
    // Who names a commit means that commit.
    expect(await verdict({ baseline: { ref: "main" } })).toMatchObject({
      verdict: "PASS",
      baseline: { version: "1.2.0" },
    });
  });

  it("is found by the old name of a renamed model, and in the production folder of its commit", async () => {
    const { dataset: _dataset, gates: _gates, ...answers } = linearManifest({ version: "1.0.0" });
    const weights = readFileSync(join(team.dir, "models/linear/linear.onnx"));
    team.write("models/linear/production/model.yaml", JSON.stringify(answers));
    team.write("models/linear/production/linear.onnx", weights);
    team.model({ artifact: { path: "linear.onnx", sha256: "0".repeat(64) } });
    team.git("add", "-A");
    team.git("commit", "-qm", "weights that are not here yet");
    release("1.0.0", team.git("rev-parse", "HEAD").trim());
    version("1.2.0", 0);
    team.model({ id: "straight", formerly: "linear", version: "1.3.0" });
    expect(await verdictOn(team.dir, {}, "straight", { releases: local })).toMatchObject({
      verdict: "PASS",
      baselineSource: expect.stringMatching(/^linear@1\.0\.0, .*models\/linear\/production at/),
    });
  });

  it("is not what a tag from outside the base's history says", async () => {
    team.git("checkout", "-qb", "weak");
    release("9.0.0", version("9.0.0", 3));
    team.git("checkout", "-qf", "main");
    team.model({ version: "1.1.0", offset: 1.5 });
    const judged = await verdict();
    expect(judged).toMatchObject({ verdict: "FAIL", baseline: { version: "1.0.0" } });
    expect(judged.notes.join("\n")).toMatch(/do not count: linear@9\.0\.0 is not in the base branch's history/);
  });

  it.each([
    [
      "other weights",
      () => release("1.0.0", "HEAD", "0".repeat(64)),
      /weights at its commit are not those of its receipt/,
    ],
    ["another model", () => release("1.0.0", "HEAD", sha256, "curve"), /its receipt is for curve 1\.0\.0/],
    ["nothing", () => team.git("tag", "-a", "linear@1.0.0", "-m", "released"), /its message has no receipt/],
  ])("is not a version whose tag has a receipt for %s", async (_, write, why) => {
    write();
    team.model({ offset: 0.05 });
    const judged = await verdict();
    expect(judged).toMatchObject({
      verdict: "PASS",
      baselineSource: expect.stringMatching(/^models\/linear at merge base/),
    });
    expect(judged.notes.join("\n")).toMatch(why);
  });

  it("is not an older version whose tag was written again", async () => {
    const [old, good] = [version("1.1.0", 3), version("1.2.0", 0)];
    release("1.2.0", good);
    release("1.1.0", old);
    team.model({ version: "1.3.0", offset: 1.5 });
    expect(await verdict()).toMatchObject({ verdict: "FAIL", baseline: { version: "1.2.0" } });
  });

  it("comes from origin into a clone without tags, also into a shallow one that asks GitHub", async () => {
    release("1.1.0", version("1.1.0", 0.1));
    const base = version("1.2.0", 1.4);
    const parent = mkdtempSync(join(tmpdir(), "sluice-clones-"));
    try {
      for (const flags of [["--no-tags"], ["--no-tags", "--depth=1"]]) {
        const dir = join(parent, String(flags.length));
        execFileSync("git", ["clone", "-q", ...flags, pathToFileURL(team.dir).href, dir]);
        const asked: string[] = [];
        const records = releaseRecords(
          dir,
          {
            env: process.env,
            token: null,
            note: () => undefined,
            findMergeBase: (commit) => {
              asked.push(commit);
              return Promise.resolve(commit);
            },
          },
          readRelease,
        );
        const baseline = { ref: base, production: true };
        expect(await verdictOn(dir, { baseline }, "linear", { releases: records })).toMatchObject({
          verdict: "FAIL",
          baseline: { version: "1.1.0" },
        });
        expect(asked).toHaveLength(flags.length - 1);
        // Without GitHub, a shallow clone cannot tell; then the base branch's model counts, and that is said.
        if (flags.length === 1) continue;
        const alone = await verdictOn(dir, { baseline }, "linear", { releases: { ...records, findMergeBase: null } });
        expect(alone.baseline?.version).toBe("1.2.0");
        expect(alone.notes.join("\n")).toMatch(/linear@1\.1\.0 may not be in the base branch's history/);
      }
    } finally {
      rmSync(parent, { recursive: true });
    }
  });
});

it("nothing of an earlier run is left when a gate ends early, and nothing else is touched", async () => {
  team.model({ offset: 0.05 });
  const out = ".sluice";
  await gateOf(team.dir, { out });
  team.write(".sluice/predictions/notes.csv", "mine");
  team.write("sluice.yaml", "schemaVersion: 1\nmodels: [models/nowhere]\n");
  await expect(gateOf(team.dir, { out })).rejects.toThrow(/no model manifest here/);
  const left = (path: string) => existsSync(join(team.dir, ".sluice", path));
  expect(
    ["verdict.json", "metrics.json", "report.md", "report.html", "predictions/linear/value.candidate.csv"].filter(left),
  ).toEqual([]);
  expect(left("predictions/notes.csv")).toBe(true);
});
