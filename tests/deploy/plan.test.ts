import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deployInputs } from "../../actions/deploy/inputs.ts";
import { treeFile } from "../../deploy/bundle/tree.ts";
import { secretIn } from "../../deploy/bundle/secrets.ts";
import { changesTo, restorationOf } from "../../deploy/content.ts";
import type { RemoteFile } from "../../deploy/hub/repository.ts";
import type { Runtime } from "../../deploy/hub/space.ts";
import { paymentDiagnostic, plan, refusals, type CurrentState, type Wanted } from "../../deploy/plan.ts";
import { differenceOf } from "../../deploy/prove/compare.ts";
import { readSettings, settingsSchema } from "../../deploy/hub/settings.ts";
import { nextStep, type Sighting } from "../../deploy/stages.ts";
import { repositoryRoot } from "../actions/gate/runner.ts";

const file = (path: string, text: string) => treeFile(path, Buffer.from(text));
const remote = (path: string, text: string): RemoteFile => ({
  path,
  size: text.length,
  oid: file(path, text).gitOid,
  lfs: null,
});
const large = (path: string, text: string): RemoteFile => ({
  path,
  size: text.length,
  oid: `pointer of ${text}`,
  lfs: { oid: file(path, text).sha256, size: text.length },
});

const deployed: Wanted["deployed"] = {
  schemaVersion: 1,
  model: { id: "m", version: "2.0.0", task: "regression", sha256: "a".repeat(64) },
  source: { repository: "o/r", commit: "c" },
  verdict: { verdict: "PASS", sha256: "b".repeat(64) },
  server: { version: "1" },
  files: {},
};
const current = (files: RemoteFile[], more: Partial<CurrentState> = {}): CurrentState => ({
  space: "o/m",
  info: { head: "head", sdk: "docker", private: false, disabled: false },
  runtime: { stage: "RUNNING", sha: "head", errorMessage: null, domain: "x" },
  files,
  verified: [],
  released: null,
  ...more,
});

describe("the plan", () => {
  it("commits what differs by content, removes what is not wanted, and keeps the Hub's own file", () => {
    const wanted = { files: [file("a", "1"), file("b", "2"), file("w.onnx", "weights")], deployed };
    const [first] = plan(
      current([
        remote("a", "1"),
        remote("b", "old"),
        large("w.onnx", "weights"),
        remote("extra", "x"),
        remote(".gitattributes", "y"),
      ]),
      wanted,
    );
    expect(first).toMatchObject({
      kind: "commit",
      parent: "head",
      changes: { upload: [{ path: "b" }], remove: ["extra"], kept: 2 },
    });
  });

  it("commits nothing when nothing differs, and still waits, proves and records", () => {
    const steps = plan(current([remote("a", "1")]), { files: [file("a", "1")], deployed });
    expect(steps.map(({ kind }) => kind)).toEqual(["unchanged", "wait", "prove", "fall-back", "record"]);
  });

  it("wakes what sleeps, and does not tag a version twice", () => {
    const steps = plan(
      current([], {
        runtime: { stage: "SLEEPING", sha: null, errorMessage: null, domain: null },
        released: { tagged: "c", madeFor: ["c"], sha256: deployed.model.sha256, source: "s" },
      }),
      { files: [file("a", "1")], deployed },
    );
    expect(steps.map(({ kind }) => kind)).toContain("wake");
    expect(steps.at(-1)).toEqual({ kind: "record", tag: null });
  });

  it("falls back to what main holds now if that was proved, but not if main is unchanged and was proved", () => {
    const verified = [
      { commit: "head", model: "m", version: "2.0.0", source: "s" },
      { commit: "older", model: "m", version: "1.0.0", source: "s" },
    ];
    const to = (files: RemoteFile[]) =>
      plan(current(files, { verified }), { files: [file("a", "1")], deployed }).find(
        (step) => step.kind === "fall-back",
      );
    expect(to([])).toMatchObject({ to: { commit: "head" } });
    expect(to([remote("a", "1")])).toMatchObject({
      to: null,
      why: "nothing was changed, and this very revision was proved before",
    });
    const unproved = plan(current([remote("a", "1")], { verified: verified.slice(1) }), {
      files: [file("a", "1")],
      deployed,
    }).find((step) => step.kind === "fall-back");
    expect(unproved).toMatchObject({ to: { commit: "older" } });
  });
});

describe("what is refused before anything is changed", () => {
  const settings = readSettings("max-space-bytes=10", "the test");
  const info = { head: "head", sdk: "docker", private: false, disabled: false };
  const runtime = (stage: string) => ({ stage, sha: "head", errorMessage: null, domain: "x" });
  it.each<[string, Partial<CurrentState>, string, string[]]>([
    ["nothing", {}, "1234567890", []],
    ["a Space that is no Docker Space", { info: { ...info, sdk: "gradio" } }, "1", ["space-sdk"]],
    ["a Space that the Hub has disabled", { info: { ...info, disabled: true } }, "1", ["space-disabled"]],
    ["a paused Space", { runtime: runtime("PAUSED") }, "1", ["space-paused"]],
    ["a Space that is being deleted", { runtime: runtime("DELETING") }, "1", ["space-deleting"]],
    ["a byte too many", {}, "12345678901", ["space-size"]],
    [
      "all at once",
      { info: { ...info, sdk: null }, runtime: runtime("PAUSED") },
      "12345678901",
      ["space-sdk", "space-paused", "space-size"],
    ],
  ])("%s", (_, more, text, codes) => {
    const found = refusals(current([], more), { files: [file("a", text)], deployed }, settings);
    expect(found.map(({ code }) => code)).toEqual(codes);
    for (const { place } of found) expect(place).toBe("spaces/o/m");
  });

  it("a Space without a plan, by name", () => {
    expect(paymentDiagnostic("o/m")).toMatchObject({ code: "space-plan", place: "spaces/o/m" });
  });
});

it("a restoration references large files and sends small ones", () => {
  const good = [remote("a", "1"), large("w.onnx", "old"), remote(".gitattributes", "1")];
  expect(
    restorationOf(good, [remote("a", "2"), large("w.onnx", "new"), remote("b", "x"), remote(".gitattributes", "2")]),
  ).toEqual({
    large: [{ key: "lfsFile", value: { path: "w.onnx", algo: "sha256", oid: file("w.onnx", "old").sha256, size: 3 } }],
    small: [good[0]],
    remove: ["b"],
  });
  expect(changesTo([file("a", "1")], [large("a", "1")]).upload).toEqual([]);
});

describe("what a stage means", () => {
  const settings = readSettings("build-timeout=100 start-timeout=50 stall-after=20 settle-after=10", "test");
  const see = (runtime: Partial<Runtime>, more: Partial<Sighting> = {}) =>
    nextStep(
      {
        commit: "ours",
        runtime: { stage: "RUNNING", sha: "old", errorMessage: null, domain: null, ...runtime },
        sinceStartMs: 1000,
        unchangedMs: 1000,
        sawBuild: false,
        sinceBuiltMs: null,
        woken: false,
        restarts: 0,
        mayRestart: true,
        ...more,
      },
      settings,
    );

  it.each([
    ["RUNNING with our sha", see({ sha: "ours" }), { do: "go" }],
    ["RUNNING with another", see({}), { do: "wait" }],
    ["RUNNING without one", see({ sha: null }), { do: "wait" }],
    ["another for long", see({}, { unchangedMs: 20_000 }), { do: "restart", factory: false }],
    ["still, after a restart", see({}, { unchangedMs: 20_000, restarts: 1 }), { do: "restart", factory: true }],
    ["still, after both", see({}, { unchangedMs: 20_000, restarts: 2 }), { do: "fail", code: "stalled" }],
    ["still, and no right to restart", see({}, { unchangedMs: 20_000, mayRestart: false }), { do: "wait" }],
    ["BUILDING", see({ stage: "BUILDING", sha: null }), { do: "wait" }],
    [
      "BUILDING for too long",
      see({ stage: "RUNNING_BUILDING" }, { sinceStartMs: 100_000 }),
      { do: "fail", code: "build-timeout" },
    ],
    [
      "starting for too long",
      see({ stage: "APP_STARTING" }, { sinceBuiltMs: 50_000 }),
      { do: "fail", code: "start-timeout" },
    ],
    ["an error right after the commit, which may be the old one's", see({ stage: "BUILD_ERROR" }), { do: "wait" }],
    [
      "an error that persists",
      see({ stage: "BUILD_ERROR" }, { unchangedMs: 10_000 }),
      { do: "fail", code: "build-error" },
    ],
    [
      "an error after a build was seen",
      see({ stage: "CONFIG_ERROR" }, { sawBuild: true }),
      { do: "fail", code: "config-error" },
    ],
    ["our own runtime error", see({ stage: "RUNTIME_ERROR", sha: "ours" }), { do: "fail", code: "runtime-error" }],
    [
      "no Dockerfile",
      see({ stage: "NO_APP_FILE", sha: null }, { sawBuild: true }),
      { do: "fail", code: "no-app-file" },
    ],
    ["asleep", see({ stage: "SLEEPING" }), { do: "wake" }],
    ["asleep again", see({ stage: "STOPPED" }, { woken: true }), { do: "wait" }],
    ["paused", see({ stage: "PAUSED" }), { do: "fail", code: "paused" }],
    ["being deleted", see({ stage: "DELETING" }), { do: "fail", code: "deleting" }],
    ["something new", see({ stage: "TELEPORTING" }), { do: "wait" }],
    [
      "something new for too long",
      see({ stage: "TELEPORTING" }, { sinceStartMs: 100_000 }),
      { do: "fail", code: "build-timeout" },
    ],
  ])("%s", (_name, decision, wanted) => {
    expect(decision).toMatchObject(wanted);
  });
});

it("golden answers are compared number by number", () => {
  expect(differenceOf({ y: { value: 100 } }, { y: { value: 100.005 } }, 1e-4)).toBeNull();
  expect(differenceOf({ y: { value: 100 } }, { y: { value: 100.005 } }, 0)).toBe(
    "heads.y.value: expected 100, received 100.005",
  );
  expect(differenceOf({ y: { value: 100 } }, { y: { value: 101 } }, 1e-4)).toContain("expected 100, received 101");
  expect(differenceOf({ y: { label: "a" } }, { y: { label: "b" } }, 1)).toContain('expected "a", received "b"');
  expect(differenceOf({ y: { value: 1 } }, {}, 1)).toContain("received nothing");
  expect(differenceOf({ y: { value: 1 } }, { y: { value: "1" } }, 1)).toContain('received "1"');
});

describe("golden answers of other kinds", () => {
  const ranking = (...items: [string, number][]) => ({
    y: { kind: "ranking", items: items.map(([id, score]) => ({ id, score })) },
  });
  const span = (start: number) => ({ y: { kind: "spans", spans: [{ start, end: 20_010, type: "PER", score: 0.5 }] } });
  it.each([
    ["items of one score in another order", ranking(["a", 1], ["b", 1]), ranking(["b", 1], ["a", 1]), 1e-4, null],
    ["the same, where all must be equal", ranking(["a", 1], ["b", 1]), ranking(["b", 1], ["a", 1]), 0, 'expected "a"'],
    ["another item", ranking(["a", 2], ["b", 1]), ranking(["a", 2], ["c", 1.5]), 1e-4, "the rankings differ by 0.25"],
    ["a score", ranking(["a", 2]), ranking(["a", 2.1]), 1e-4, "the rankings differ"],
    ["too few items", ranking(["a", 2], ["b", 1]), ranking(["a", 2]), 1e-4, "the rankings differ by Infinity"],
    ["no list of items", ranking(["a", 2]), { y: { kind: "ranking", items: "a" } }, 1e-4, "expected a list"],
    ["a step within the tolerance", { y: { values: [1, 2] } }, { y: { values: [1, 2.0001] } }, 1e-4, null],
    ["a missing step", { y: { values: [1, 2] } }, { y: { values: [1] } }, 1e-4, "expected 2 items, received 1"],
    ["a further span", { y: { spans: [] } }, { y: { spans: [{ start: 0 }] } }, 1e-4, "expected 0 items, received 1"],
    ["another offset", span(20_000), span(20_001), 1e-4, "expected 20000"],
    ["another text", { y: { text: "a" } }, { y: { text: "b" } }, 1, 'expected "a"'],
  ])("%s", (_, expected, received, tolerance, words) => {
    const found = differenceOf(expected, received, tolerance);
    if (words === null) expect(found).toBeNull();
    else expect(found).toContain(words);
  });
});

it("secrets are found by pattern and by file name, and reported without their value", () => {
  const found = (path: string, text: string) => secretIn(path, Buffer.from(text));
  expect(found("README.md", `a\nkey ghp_${"a1".repeat(20)}`)).toBe("a GitHub token on line 2");
  expect(found("x.txt", `-----BEGIN RSA PRIVATE KEY-----`)).toBe("a private key on line 1");
  expect(found("deep/.env", "")).not.toBeNull();
  expect(found("README.md", "hf_hub_download is a function")).toBeNull();
});

it("the documentation lists every setting and every input", () => {
  const text = readFileSync(join(repositoryRoot, "docs/deploy.md"), "utf8");
  for (const [name, schema] of Object.entries(settingsSchema.shape)) {
    expect(text).toContain(`| \`${name}\` | `);
    expect(text).toContain(schema.description);
  }
  for (const name of Object.keys(deployInputs.shape)) expect(text).toContain(`| \`${name}\` |`);
});
