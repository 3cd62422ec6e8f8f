import { describe, expect, it } from "vitest";
import type { Expected } from "../../deploy/bundle/deployed.ts";
import { Overtaken } from "../../deploy/hub/commit-once.ts";
import { prove } from "../../deploy/prove/prove.ts";
import { TREE_HEADER } from "../../models/core/tree-digest.ts";
import { quietDeps } from "./hub-http.ts";

const base = "http://space.invalid";
const expected: Expected = {
  deployed: {
    schemaVersion: 1,
    model: { id: "m", version: "2.0.0", task: "regression", sha256: "a".repeat(64) },
    source: { repository: "o/r", commit: "c".repeat(40) },
    verdict: { verdict: "PASS", sha256: "b".repeat(64) },
    server: { version: "1" },
    files: {},
  },
  golden: {
    schemaVersion: 1,
    machine: { cpu: "a cpu", onnxruntime: "1.30.0" },
    rows: [
      { row: { x: 1 }, heads: { y: { value: 10 } } },
      { row: { x: 2 }, heads: { y: { value: 20 } } },
    ],
  },
  treeDigest: "d".repeat(32),
};
const info = {
  id: "m",
  version: "2.0.0",
  artifact: { sha256: "a".repeat(64) },
  engine: { onnxruntime: "1.30.0" },
  machine: { cpu: "a cpu" },
  deployment: { source: { commit: "c".repeat(40) }, verdict: { sha256: "b".repeat(64) } },
};

/** What the app answers, where it is not what it should; undefined: as it should. */
type Spoil = (path: string, round: number, body: { x: number } | null) => Response | Error | undefined;
const json = (body: unknown, headers: Record<string, string> = { [TREE_HEADER]: "d".repeat(32) }, status = 200) =>
  Response.json(body, { status, headers });
const value = (x: number, delta = 0) => json({ heads: { y: { value: 10 * x + delta } } });

/** A Space's app that is asked for the wanted number of rounds, on a clock that pauses and slow answers move. */
async function proven(
  spoil: Spoil = () => undefined,
  {
    settings: given = "passes=5 probes=2 poll-interval=1",
    untilMs = 60_000,
    token = null as string | null,
    tookMs = 0,
    stillRuns = (_look: number): void => {},
  } = {},
) {
  let round = 0;
  let looks = 0;
  const asked: string[] = [];
  const tokens = new Set<string | null>();
  const { clock, settings, deps, http, abort } = quietDeps((input, init) => {
    const path = new URL(String(input)).pathname;
    if (path === "/readyz") round += 1;
    asked.push(`${round} ${path}`);
    tokens.add(new Headers(init?.headers).get("authorization"));
    const body = typeof init?.body === "string" ? (JSON.parse(init.body) as { x: number }) : null;
    if (path === "/predict") clock.now += tookMs;
    const answer = spoil(path, round, body);
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(answer);
    if (path === "/readyz") return Promise.resolve(json({ status: "ready" }));
    return Promise.resolve(path === "/model/info" ? json(info) : value(body!.x));
  }, given);
  const notes: string[] = [];
  const proof = prove(base, expected, token === null ? null : () => Promise.resolve(token), settings, untilMs, {
    ...deps,
    http,
    onRound: (text) => notes.push(text),
    stillRuns: () => {
      looks += 1;
      return Promise.resolve().then(() => stillRuns(looks));
    },
  });
  return {
    abort,
    proof: await proof.then(
      (found) => found,
      (error: unknown) => error as Error & { code?: string },
    ),
    rounds: () => round,
    looks: () => looks,
    asked,
    notes,
    tokens,
    clock,
  };
}

describe("passes", () => {
  it("must be as many as wanted, with a look at the Space before each and after the last", async () => {
    const { proof, rounds, looks, notes, clock } = await proven();
    expect(proof).toMatchObject({
      rounds: 5,
      predictions: 10,
      exact: true,
      commit: "c".repeat(40),
      sha256: "a".repeat(64),
    });
    expect([rounds(), looks(), notes.length]).toEqual([5, 6, 5]);
    // About half an interval lies between two rounds.
    expect(clock.pauses).toEqual([500, 500, 500, 500]);
  });

  it("must be consecutive: after a failure they count from one again, and so do the timed predictions", async () => {
    const { proof, rounds } = await proven((path, round) =>
      path === "/predict" && round === 3 ? json({ heads: { y: { value: 7 } } }) : undefined,
    );
    expect(proof).toMatchObject({ rounds: 5, predictions: 10 });
    expect(rounds()).toBe(8);
  });

  it("must last for two intervals, so that what has only just started is not proved by quick answers", async () => {
    const { proof, clock } = await proven(undefined, { settings: "passes=1 probes=1 poll-interval=10" });
    expect((proof as { rounds: number }).rounds).toBeGreaterThan(1);
    expect(clock.now).toBeGreaterThanOrEqual(20_000);
  });

  it("are not believed when the revision was replaced during the last", async () => {
    const overtaken = new Overtaken("o/m", "c".repeat(40), "e".repeat(40));
    const { proof } = await proven(undefined, {
      stillRuns: (look) => {
        if (look === 6) throw overtaken;
      },
    });
    expect(proof).toBe(overtaken);
  });
});

describe("what is wrong three times in a row", () => {
  it.for<[string, string, Spoil]>([
    [
      "weights",
      "wrong-weights",
      (path) => (path === "/model/info" ? json({ ...info, artifact: { sha256: "e".repeat(64) } }) : undefined),
    ],
    ["another model", "wrong-model", (path) => (path === "/model/info" ? json({ ...info, id: "n" }) : undefined)],
    [
      "another version",
      "wrong-model",
      (path) => (path === "/model/info" ? json({ ...info, version: "1.0.0" }) : undefined),
    ],
    [
      "another commit",
      "wrong-revision",
      (path) =>
        path === "/model/info"
          ? json({ ...info, deployment: { ...info.deployment, source: { commit: "e".repeat(40) } } })
          : undefined,
    ],
    [
      "another verdict",
      "wrong-revision",
      (path) =>
        path === "/model/info"
          ? json({ ...info, deployment: { ...info.deployment, verdict: { sha256: "e".repeat(64) } } })
          : undefined,
    ],
    ["another app", "wrong-app", (path) => (path === "/model/info" ? json({ hello: "world" }) : undefined)],
    ["one golden answer", "wrong-answers", (path, _round, body) => (body?.x === 2 ? value(2, 1e-3) : undefined)],
    ["a refused golden row", "wrong-answers", (path) => (path === "/predict" ? json({}, {}, 422) : undefined)],
    [
      "a broken model",
      "wrong-start",
      (path) => (path === "/readyz" ? json({ models: { m: "broken" } }, {}, 503) : undefined),
    ],
  ])("ends the proof: %s", async ([, code, spoil]) => {
    const { proof, rounds } = await proven(spoil);
    expect(proof).toMatchObject({ code });
    expect(rounds()).toBe(3);
  });

  it("ends it for any of the golden rows, also where fewer predictions are timed", async () => {
    const { proof } = await proven((path, _round, body) => (body?.x === 2 ? value(2, 1) : undefined), {
      settings: "passes=5 probes=1 poll-interval=1",
    });
    expect(proof).toMatchObject({ code: "wrong-answers" });
  });

  it("does not end it when rounds passed in between", async () => {
    const { proof, rounds } = await proven((path, round, body) =>
      path === "/predict" && [1, 3, 5].includes(round) ? value(body!.x, 1) : undefined,
    );
    expect(proof).toMatchObject({ rounds: 5 });
    expect(rounds()).toBe(10);
  });

  it("does not end it when another fault came in between", async () => {
    const wrong = (x: number): Response => value(x, 1);
    const { proof } = await proven((path, round, body) => {
      if (round > 5) return undefined;
      if (round === 3) return path === "/readyz" ? json({}, {}, 503) : undefined;
      return path === "/predict" ? wrong(body!.x) : undefined;
    });
    expect(proof).toMatchObject({ rounds: 5 });
  });
});

describe("what may pass", () => {
  it.for<[string, Spoil]>([
    ["is not ready", (path) => (path === "/readyz" ? json({}, {}, 503) : undefined)],
    ["is overloaded", (path) => (path === "/predict" ? json({}, {}, 429) : undefined)],
    ["fails", (path) => (path === "/predict" ? json({}, {}, 500) : undefined)],
    [
      "answers from two trees",
      (path) => (path === "/predict" ? json({}, { [TREE_HEADER]: "e".repeat(32) }) : undefined),
    ],
    ["answers once without its tree", (path) => (path === "/predict" ? json({}, {}) : undefined)],
    ["is out of reach", () => new TypeError("fetch failed")],
  ])("is waited for until the time is up: %s", async ([, spoil]) => {
    const soon = await proven((path, round, body) => (round <= 5 ? spoil(path, round, body) : undefined));
    expect(soon.proof).toMatchObject({ rounds: 5 });
    const never = await proven(spoil, { untilMs: 10_000, settings: "passes=5 probes=2 poll-interval=1 retries=0" });
    expect(never.proof).toBeInstanceOf(Error);
    expect(never.clock.now).toBeGreaterThanOrEqual(10_000);
    expect(never.clock.now).toBeLessThan(13_000);
  });

  it("asks for a pause: none is tried before it is over", async () => {
    const { clock, proof } = await proven(
      (path, round) => (path === "/readyz" && round === 1 ? json({}, { "retry-after": "9" }, 503) : undefined),
      { settings: "passes=1 probes=1 poll-interval=1 retries=0" },
    );
    expect(proof).toMatchObject({ rounds: expect.any(Number) as number });
    expect(clock.pauses[0]).toBe(9000);
  });
});

it.for<[string, object, string | null]>([
  ["another processor: within the tolerance", { ...info, machine: { cpu: "another" } }, null],
  ["another runtime: within the tolerance", { ...info, engine: { onnxruntime: "1.29.0" } }, null],
  ["the same machine: to the last bit", info, "wrong-answers"],
])("golden answers on %s", async ([, said, code]) => {
  const { proof } = await proven((path, _round, body) => {
    if (path === "/model/info") return json(said);
    return path === "/predict" ? value(body!.x, 1e-5) : undefined;
  });
  expect(proof).toMatchObject(code === null ? { rounds: 5, exact: false } : { code });
});

it.for([
  [100, 100, null],
  [101, 100, "slow"],
] as const)("a median of %d ms of at most %d", async ([tookMs, , code]) => {
  const { proof } = await proven(undefined, {
    tookMs,
    settings: "passes=5 probes=2 poll-interval=1 max-p50-ms=100",
  });
  expect(proof).toMatchObject(code === null ? { p50Ms: 100 } : { code });
});

it("the token goes to a private Space only", async () => {
  expect([...(await proven(undefined, { token: "hf_secret" })).tokens]).toEqual(["Bearer hf_secret"]);
  expect([...(await proven()).tokens]).toEqual([null]);
});

it("answers that do not name their tree have the app asked who it is before each timed prediction", async () => {
  const bare = await proven((path, _round, body) => {
    if (path === "/model/info") return json(info, {});
    return path === "/readyz" ? json({}, {}) : json({ heads: { y: { value: 10 * body!.x } } }, {});
  });
  expect(bare.proof).toMatchObject({ rounds: 5 });
  expect(bare.asked.filter((one) => one === "2 /model/info")).toHaveLength(3);
  expect((await proven()).asked.filter((one) => one === "2 /model/info")).toHaveLength(1);
});
