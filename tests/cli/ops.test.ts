import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { releaseMessage } from "../../github/registry/release.ts";
import { startGitHub, type SeededGitHub } from "../../rehearsal/github/seeded/github.ts";
import { opsFile, type OpsFile, type OpsModel } from "../../watch/schema/ops.ts";
import { gatedModel, riskRows, served, type Served } from "../watch/live-model.ts";
import { sluice } from "./sluice.ts";

const DAY_MS = 86_400_000;
const now = Date.now();
const daysAgo = (days: number, minutes = 0) => new Date(now - days * DAY_MS + minutes * 60_000).toISOString();
const commitOf = (n: number) => String(n).repeat(40);

type Past = { at: string; kind?: "deploy" | "rollback"; commit: number; version: string; state?: string };

/** 1.0.0, then 1.1.0 that is rolled back after eight minutes, one whose proof fails, and 1.2.0. */
const past: Past[] = [
  { at: daysAgo(60), commit: 1, version: "1.0.0" },
  { at: daysAgo(20), commit: 2, version: "1.1.0" },
  { at: daysAgo(20, 8), kind: "rollback", commit: 2, version: "1.0.0" },
  { at: daysAgo(12), commit: 3, version: "1.2.0", state: "failure" },
  { at: daysAgo(10), commit: 3, version: "1.2.0" },
];

let root = "";
let server: Served;
let github: SeededGitHub;
beforeAll(async () => {
  const { dir } = await gatedModel();
  root = join(dir, "../..");
  server = await served(dir);
  await server.ask(riskRows(600, 3));
  github = await startGitHub({
    mergeBases: { [`${commitOf(1)}...${commitOf(2)}`]: commitOf(1), [`${commitOf(2)}...${commitOf(3)}`]: commitOf(2) },
  });
  // Commits of the stand-in are made when they are first asked for.
  github.state.workflows.now = () => now - 21 * DAY_MS;
  for (const [i, { at, kind = "deploy", commit, version, state = "success" }] of past.entries()) {
    github.state.rows.push({
      id: 7000 + i,
      sha: commitOf(commit),
      ref: commitOf(commit),
      task: "sluice",
      environment: "risk-production",
      description: "",
      createdAt: at,
      payload: {
        schemaVersion: 1,
        kind,
        space: "octo/risk",
        spaceCommit: `revision ${i}`,
        model: { id: "risk", version, sha256: `sha of ${version}` },
        verdictSha256: "",
        reason: "",
        actor: "octo",
      },
      transient_environment: false,
      production_environment: true,
    });
    // A card's record repeats the success a day later, and the next deployment ends it.
    github.state.deployments[7000 + i] = [
      { state: "in_progress", at },
      { state, at },
      { state, at: new Date(Date.parse(at) + DAY_MS).toISOString() },
      { state: "inactive", at: daysAgo(0) },
    ].map(({ state: one, at: createdAt }, id) => ({
      id,
      state: one,
      description: "",
      log_url: "",
      environment_url: "",
      createdAt,
    }));
  }
  const tagOf = (version: string, digest: string) => {
    const record = JSON.stringify({
      model: { id: "risk", version, sha256: `sha of ${version}` },
      dataset: { id: "applications", digest, rows: 2000 },
      verdict: "PASS",
    });
    const sha = Buffer.from(version.padEnd(20, "0")).toString("hex");
    github.state.git.tags[sha] = {
      tag: `risk@${version}`,
      message: releaseMessage("risk", version, record, commitOf(1)),
      object: commitOf(1),
    };
    github.state.git.refs[`refs/tags/risk@${version}`] = { sha, type: "tag" };
  };
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) tagOf(version, "digest of old rows");
  tagOf("1.3.0", "digest of new rows");
}, 60_000);
afterAll(() => github.close());

const environment = () => ({ GITHUB_TOKEN: "ghs_token", GITHUB_API_URL: github.url, GITHUB_REPOSITORY: "octo/models" });
async function ops(
  args: readonly string[],
  env: NodeJS.ProcessEnv = environment(),
): Promise<{ code: number | null; file: OpsFile; model: OpsModel }> {
  const { code, stdout, stderr } = await sluice(root, ["ops", "--json", ...args], env);
  if (stdout === "") throw new Error(stderr);
  const file = opsFile.parse(JSON.parse(stdout));
  return { code, file, model: file.models[0]! };
}

describe("sluice ops", () => {
  it("reads DORA's five figures from GitHub's records, and fails an objective that was missed", async () => {
    const { code, model } = await ops([]);
    expect(model.delivery).toMatchObject({
      environment: "risk-production",
      deployments: 4,
      unproved: 1,
      changeFailureRate: 0.25,
      recoveryMedianMs: 8 * 60_000,
      unrestored: 0,
      reworkRate: 0.25,
    });
    // One commit waited for one day, the other for eleven.
    expect(model.delivery!.leadTimeMedianMs! / DAY_MS).toBeCloseTo(6, 3);
    expect(model.delivery!.deploymentsPerWeek).toBeCloseTo(4 / (90 / 7), 5);
    expect(model.checks.map(({ metric, verdict }) => [metric, verdict])).toEqual([
      ["change_failure_rate", "FAIL"],
      ["recovery_minutes", "PASS"],
    ]);
    expect(code).toBe(1);
  });

  it("passes a period in which nothing failed", async () => {
    const { code, model } = await ops(["--days", "15"]);
    expect(model.delivery).toMatchObject({ deployments: 1, changeFailureRate: 0 });
    expect(model.delivery!.leadTimeMedianMs! / DAY_MS).toBeCloseTo(11, 3);
    expect(code).toBe(0);
  });

  it("decides nothing where nothing was deployed", async () => {
    const { code, model } = await ops(["--stage", "staging"]);
    expect(model).toMatchObject({ verdict: "INCONCLUSIVE", delivery: { deployments: 0, changeFailureRate: null } });
    expect(code).toBe(3);
  });

  it("counts different candidates by the digest of the rows, from tags and verdicts", async () => {
    const verdict = join(root, "out/verdict.json");
    const { model } = await ops(["--verdict", verdict, "--verdict", verdict]);
    const own = JSON.parse(readFileSync(verdict, "utf8")).models[0].dataset.digest as string;
    expect(Object.fromEntries(model.wear.map(({ digest, candidates }) => [digest, candidates]))).toEqual({
      "digest of old rows": 3,
      "digest of new rows": 1,
      [own]: 1,
    });
    expect(model.wear[0]!.optimism).toBeCloseTo(Math.sqrt(Math.log(120) / 4000), 10);
  });

  it("says without a token that GitHub was not asked", async () => {
    const { code, model } = await ops([], { GITHUB_TOKEN: "" });
    expect(model).toMatchObject({ delivery: null, wear: [] });
    expect(model.notes.join()).toContain("GITHUB_TOKEN");
    expect(code).toBe(3);
  });

  it("reckons cost and use from what a server shows, and enforces wear where that is configured", async () => {
    appendFileSync(
      join(root, "sluice.yaml"),
      "ops:\n  testSetOptimism: 0.03\n  hostings:\n    - {name: now, pricePerHour: 0.6, throughputPerSecond: 100}\n    - {name: int8, pricePerHour: 0.3, throughputPerSecond: 200}\n    - {name: unmeasured, pricePerHour: 0.1}\n",
    );
    const { code, file, model } = await ops(["--url", server.url, "--days", "15"]);
    expect(file.currency).toBe("USD");
    expect(model.use).toMatchObject({ servers: 1, answers: 600 });
    expect(model.use!.busyShare).toBeGreaterThan(0);
    expect(model.costs.map(({ name, reason }) => [name, reason])).toEqual([
      ["now", null],
      ["int8", null],
      ["unmeasured", "its throughput was not measured"],
    ]);
    expect(model.costs[0]!.per1000).toBeCloseTo((model.use!.hours * 0.6) / 0.6, 10);
    expect(model.costs[1]!.per1000).toBeCloseTo(model.costs[0]!.per1000! / 2, 10);
    expect(model.checks.filter(({ metric }) => metric === "test_set_optimism").map(({ verdict }) => verdict)).toEqual([
      "FAIL",
      "FAIL",
    ]);
    expect(code).toBe(1);
    const { stdout } = await sluice(root, ["ops", "risk", "--url", server.url], environment());
    expect(stdout).toMatch(/change failure +25.0 %/);
    expect(stdout).toMatch(/now +[\d.]+ USD/);
  });

  it.each([
    [["nobody"], "no model nobody"],
    [["--days", "0"], "from 1 to 366"],
    [["--verdict", "sluice.yaml"], "not the verdict of a gate"],
  ])("refuses %j in a sentence", async (args, words) => {
    const { code, stderr } = await sluice(root, ["ops", ...args]);
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });
});

describe("sluice export", () => {
  it.each([
    [
      ["prometheus", "risk"],
      ["sluice.rules.yaml", "sluice.rules.test.yaml"],
    ],
    [["grafana"], ["sluice.dashboard.json"]],
  ])("%j writes %j", async (args, files) => {
    const { code, stdout } = await sluice(root, ["export", ...args, "--out", "monitoring", "--json"]);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { files: string[] }).files).toEqual(
      files.map((file) => expect.stringContaining(file)),
    );
    for (const file of files) expect(existsSync(join(root, "monitoring", file))).toBe(true);
  });

  it.each([
    [["helm"], "Allowed choices are prometheus, grafana"],
    [["prometheus", "nobody"], "no model nobody"],
    [["grafana", "risk"], "the dashboard is of all models"],
    [["prometheus", "--match", "job"], "not label matchers"],
  ])("refuses %j in a sentence", async (args, words) => {
    const { code, stderr } = await sluice(root, ["export", ...args]);
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });
});
