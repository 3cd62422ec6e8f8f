import { describe, expect, it } from "vitest";
import { Overtaken } from "../../deploy/hub/commit-once.ts";
import { Space } from "../../deploy/hub/space.ts";
import { waitForRevision } from "../../deploy/wait.ts";
import { quietDeps } from "./hub-http.ts";

const [ours, before, theirs] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)];
type Sight = { stage: string; sha?: string | null; head?: string };

/** A Space that shows these looks, a minute apart, the last one for ever. Answers what became of the wait. */
async function waited(looks: readonly Sight[], { restart = 200, given = "", lines = [] as string[] } = {}) {
  let at = 0;
  const restarts: string[] = [];
  const logs: string[] = [];
  const { clock, settings, deps, http, notes } = quietDeps((input, init) => {
    const url = new URL(String(input));
    const { stage, sha = before, head = ours } = looks[Math.min(at, looks.length - 1)]!;
    if (url.pathname.endsWith("/restart")) {
      restarts.push(url.search);
      expect(init?.method).toBe("POST");
      return Promise.resolve(new Response("{}", { status: restart }));
    }
    if (url.pathname.includes("/logs/")) {
      logs.push(url.pathname.split("/").at(-1)!);
      return Promise.resolve(new Response(lines.map((data) => `data: ${JSON.stringify({ data })}\n\n`).join("")));
    }
    if (url.pathname.endsWith("/runtime")) {
      at += 1;
      return Promise.resolve(Response.json({ stage, sha, domains: [{ domain: "d" }] }));
    }
    return Promise.resolve(Response.json({ id: "o/m", sha: head }));
  }, `poll-interval=60 build-timeout=1800 start-timeout=900 stall-after=300 settle-after=90 retries=0 ${given}`);
  const stages: string[] = [];
  const space = new Space({
    endpoint: "http://hub.invalid",
    name: "o/m",
    http,
    settings,
    credentials: { kind: "HF_TOKEN", token: () => Promise.resolve("hf_x") },
  });
  const outcome = await waitForRevision({ commit: ours, before }, space, settings, {
    ...deps,
    http,
    onStage: (text) => stages.push(text),
    onLog: () => {},
  }).then(
    (runtime) => runtime,
    (error: unknown) => error as Error & { code: string; log?: string[] },
  );
  return { outcome, restarts, logs, stages, notes, minutes: Math.round(clock.now / 60_000) };
}

const runs: Sight = { stage: "RUNNING", sha: ours };

it("waits for our very revision, whatever else runs before it", async () => {
  const { outcome, stages, restarts, minutes } = await waited([
    { stage: "RUNNING", sha: before },
    { stage: "RUNNING_BUILDING", sha: before },
    { stage: "APP_STARTING", sha: null },
    runs,
  ]);
  expect(outcome).toMatchObject({ stage: "RUNNING", sha: ours });
  expect(stages).toEqual([
    "RUNNING bbbbbbb",
    "RUNNING_BUILDING bbbbbbb",
    "APP_STARTING",
    "RUNNING aaaaaaa (this deployment)",
  ]);
  expect([restarts, minutes]).toEqual([[], 3]);
});

describe("somebody else's commit", () => {
  it("is not waited for", async () => {
    const { outcome } = await waited([{ stage: "BUILDING" }, { ...runs, head: theirs }]);
    expect(outcome).toBeInstanceOf(Overtaken);
    expect(outcome).toMatchObject({ commit: ours, head: theirs });
  });

  it("is not what a replica says that lags behind, unless it goes on", async () => {
    expect((await waited([{ stage: "BUILDING", head: before }])).outcome).toBeInstanceOf(Overtaken);
  });
});

describe("a Space that does not get on", () => {
  it("is restarted once, rebuilt once, and then given up", async () => {
    const { outcome, restarts, minutes } = await waited([{ stage: "RUNNING", sha: before }]);
    expect(restarts).toEqual(["", "?factory=true"]);
    expect(outcome).toMatchObject({ code: "stalled" });
    expect(minutes).toBe(15);
  });

  it("is woken once", async () => {
    const { outcome, restarts } = await waited([
      { stage: "SLEEPING" },
      { stage: "SLEEPING" },
      { stage: "BUILDING" },
      runs,
    ]);
    expect(outcome).toMatchObject({ sha: ours });
    expect(restarts).toEqual([""]);
  });

  it("is waited for where the token may not restart it", async () => {
    const { outcome, restarts, notes } = await waited([{ stage: "SLEEPING" }, { stage: "SLEEPING" }, runs], {
      restart: 403,
    });
    expect(outcome).toMatchObject({ sha: ours });
    expect(restarts).toEqual([""]);
    expect(notes.join("\n")).toContain("this token may not restart the Space");
  });

  it("is not given up for stalling where the token may not restart it, but for its time", async () => {
    const { outcome, restarts } = await waited([{ stage: "RUNNING", sha: before }], { restart: 401 });
    expect(restarts).toEqual([""]);
    expect(outcome).toMatchObject({ code: "build-timeout" });
  });

  it("counts as restarted when nobody says whether the request arrived", async () => {
    const { restarts } = await waited([{ stage: "RUNNING", sha: before }], { restart: 502 });
    expect(restarts).toEqual(["", "?factory=true"]);
  });
});

it.each<[string, Sight[], string, string]>([
  [
    "a build that fails: with the build's log",
    [{ stage: "BUILDING" }, { stage: "BUILD_ERROR" }],
    "build-error",
    "build",
  ],
  [
    "an app that falls over: with its own log",
    [{ stage: "APP_STARTING" }, { stage: "RUNTIME_ERROR" }],
    "runtime-error",
    "run",
  ],
])("ends with %s", async (_, looks, code, log) => {
  const { outcome, logs } = await waited(looks, { lines: ["one", "two", "three"], given: "log-tail=2" });
  expect(outcome).toMatchObject({ code, log: ["two", "three"] });
  expect(logs.at(-1)).toBe(log);
});

it("an error of the old revision right after the commit is not ours, until it stays", async () => {
  expect((await waited([{ stage: "RUNTIME_ERROR", sha: before }, { stage: "BUILDING" }, runs])).outcome).toMatchObject({
    sha: ours,
  });
  const { outcome, minutes } = await waited([{ stage: "RUNTIME_ERROR", sha: before }]);
  expect(outcome).toMatchObject({ code: "runtime-error" });
  expect(minutes).toBe(2);
});

it.each([
  ["BUILDING", "build-timeout", 30],
  ["APP_STARTING", "start-timeout", 15],
])("%s for ever ends with %s", async (stage, code, after) => {
  const { outcome, minutes } = await waited([{ stage }]);
  expect(outcome).toMatchObject({ code });
  expect(minutes).toBe(after);
});

it("a new build after a start gets its time for starting anew", async () => {
  const twice = [
    ...Array.from({ length: 10 }, () => ({ stage: "APP_STARTING" })),
    { stage: "BUILDING" },
    ...Array.from({ length: 10 }, () => ({ stage: "APP_STARTING" })),
    runs,
  ];
  expect((await waited(twice)).outcome).toMatchObject({ sha: ours });
});
