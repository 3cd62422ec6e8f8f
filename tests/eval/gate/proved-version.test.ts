import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GateRequest } from "../../../eval/gate/context.ts";
import { releaseRecords } from "../../../eval/gate/references.ts";
import { releases as local } from "../../../cli/releases.ts";
import { productionTag } from "../../../github/registry/production.ts";
import { releaseMessage } from "../../../github/registry/release.ts";
import { linearManifest, teamRepository, type TeamRepository } from "../../cli/repository.ts";
import { gateOf, verdictOn } from "./verdict-on.ts";

let team: TeamRepository;
beforeEach(() => {
  team = teamRepository();
});
afterEach(() => team.remove());

const { sha256 } = linearManifest().artifact;

/** A commit on the current branch whose model answers `offset` too high. */
function version(name: string, offset: number): string {
  team.model({ version: name, offset });
  team.git("add", "-A");
  team.git("commit", "-qm", name);
  return team.git("rev-parse", "HEAD").trim();
}

type Release = { weights?: string; model?: string; day?: string; word?: string; made?: string; tag?: string };

/** What a deployment that is proved in production writes. @param commit its full name */
function release(name: string, commit: string, changes: Release = {}) {
  const { weights = sha256, model = "linear", day = "2020-01-01", word = "PASS", made = commit } = changes;
  const { tag = productionTag("linear-production", new Date(day)) } = changes;
  const record = JSON.stringify({ model: { id: model, version: name, sha256: weights }, metrics: [], verdict: word });
  team.git("tag", "-a", tag, "-m", releaseMessage(model, name, record, made), commit);
}

const now = () => new Date("2020-02-01");
const head = () => team.git("rev-parse", "HEAD").trim();

const verdict = (request: Partial<GateRequest> = {}, releases = local) =>
  verdictOn(team.dir, request, "linear", { releases, now });

describe("the default baseline", () => {
  it("is what production served last, although main has moved on", async () => {
    const proved = version("1.1.0", 0.1);
    release("1.1.0", proved);
    version("1.2.0", 1.4);
    team.model({ version: "1.3.0", offset: 1.4 });
    const judged = await verdict();
    expect(judged).toMatchObject({
      verdict: "FAIL",
      baseline: { version: "1.1.0" },
      baselineSource: `linear 1.1.0, which production served last (linear-production@20200101T000000Z), models/linear at ${proved.slice(0, 7)}`,
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
    release("1.0.0", head());
    version("1.2.0", 0);
    team.model({ id: "straight", formerly: "linear", version: "1.3.0" });
    expect(await verdictOn(team.dir, {}, "straight", { releases: local, now })).toMatchObject({
      verdict: "PASS",
      baselineSource: expect.stringMatching(/^linear 1\.0\.0, .*models\/linear\/production at/),
    });
  });

  it("is not what a tag from outside the base's history says", async () => {
    team.git("checkout", "-qb", "weak");
    release("9.0.0", version("9.0.0", 3));
    team.git("checkout", "-qf", "main");
    team.model({ version: "1.1.0", offset: 1.5 });
    const judged = await verdict();
    expect(judged).toMatchObject({ verdict: "FAIL", baseline: { version: "1.0.0" } });
    expect(judged.notes.join("\n")).toMatch(/do not count: linear-production@\S+ is not in the base branch's history/);
  });

  it.each<[string, () => void, RegExp]>([
    [
      "a receipt for other weights",
      () => release("1.0.0", head(), { weights: "0".repeat(64) }),
      /weights at its commit are not those of its receipt/,
    ],
    [
      "a receipt for another model",
      () => release("1.0.0", head(), { model: "curve" }),
      /its receipt is for curve 1\.0\.0/,
    ],
    ["a receipt that is no PASS", () => release("1.0.0", head(), { word: "FAIL" }), /its receipt says FAIL/],
    [
      "a message for another commit",
      () => release("1.0.0", head(), { made: "a".repeat(40) }),
      /it is of [0-9a-f]{7}, and its message of aaaaaaa/,
    ],
    ["a time to come", () => release("1.0.0", head(), { day: "9999-01-01" }), /is of a time to come/],
    [
      "no receipt",
      () => team.git("tag", "-a", "linear-production@20200101T000000Z", "-m", "released"),
      /its message has no receipt/,
    ],
    [
      "no message at all",
      () => team.git("tag", "linear-production@20200101T000000Z"),
      /linear-production@20200101T000000Z is not an annotated tag/,
    ],
    [
      "no word of production",
      () => release("1.0.0", head(), { tag: "linear@1.0.0" }),
      /linear@1\.0\.0 alone does not: another stage may have proved it/,
    ],
  ])("is not a version whose tag has %s", async (_, write, why) => {
    write();
    team.model({ offset: 0.05 });
    const judged = await verdict();
    expect(judged).toMatchObject({
      verdict: "PASS",
      baselineSource: expect.stringMatching(/^models\/linear at merge base/),
    });
    expect(judged.notes.join("\n")).toMatch(why);
  });

  it("is the version that production was rolled back to, with the newest tag that counts", async () => {
    const [old, bad] = [version("1.1.0", 0), version("1.2.0", 3)];
    release("1.1.0", old, { day: "2020-01-01" });
    release("1.2.0", bad, { day: "2020-01-02" });
    release("1.1.0", old, { day: "2020-01-03" });
    release("1.2.0", bad, { day: "2020-01-04", word: "ERROR" });
    team.model({ version: "1.3.0", offset: 1.5 });
    const judged = await verdict();
    expect(judged).toMatchObject({ verdict: "FAIL", baseline: { version: "1.1.0" } });
    expect(judged.baselineSource).toMatch(/linear-production@20200103T000000Z/);
    expect(judged.notes.join("\n")).toMatch(/linear-production@20200104T000000Z: its receipt says ERROR/);
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
          local,
        );
        const baseline = { ref: base, production: true };
        expect(await verdictOn(dir, { baseline }, "linear", { releases: records, now })).toMatchObject({
          verdict: "FAIL",
          baseline: { version: "1.1.0" },
        });
        expect(asked).toHaveLength(flags.length - 1);
        // Without GitHub, a shallow clone cannot tell; then the base branch's model counts, and that is said.
        if (flags.length === 1) continue;
        const alone = await verdictOn(dir, { baseline }, "linear", {
          releases: { ...records, findMergeBase: null },
          now,
        });
        expect(alone.baseline?.version).toBe("1.2.0");
        expect(alone.notes.join("\n")).toMatch(/linear-production@\S+ may not be in the base branch's history/);
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
