import { describe, expect, it } from "vitest";
import { commitOnce, CommitUnclear, HeadMoved, Overtaken } from "../../deploy/hub/commit-once.ts";
import { Space } from "../../deploy/hub/space.ts";
import { quietDeps } from "./hub-http.ts";

const [parent, ours, theirs] = ["b".repeat(40), "a".repeat(40), "c".repeat(40)];
const mark = "[mark 42]";
type Commit = { id: string; title: string; message: string };
const base: Commit = { id: parent, title: "before", message: "" };
const made: Commit = { id: ours, title: "ours", message: `why ${mark}` };
const other: Commit = { id: theirs, title: "theirs", message: "by hand" };

/** What happens to a request for a commit. `makes`: what main holds afterwards, newest first. */
type Sent = { makes?: Commit[]; answers: number | "nothing" };

/** A Hub whose answers to the commit requests are these, the last one for ever. */
async function committed(
  sent: readonly Sent[],
  {
    isDone = false,
    stale = 0,
    hidden = 0,
    cutOff = 0,
    away = false,
    settleMs = 0,
    abortsAtSend = false,
  }: {
    isDone?: boolean;
    stale?: number;
    hidden?: number;
    cutOff?: number;
    away?: boolean;
    settleMs?: number;
    abortsAtSend?: boolean;
  } = {},
) {
  let log: Commit[] = [base];
  let posts = 0;
  let heads = 0;
  let logs = 0;
  const bodies: string[] = [];
  const { settings, deps, http, clock, abort } = quietDeps(async (input, init) => {
    const url = new URL(String(input));
    if (init?.method === "POST") {
      const { makes, answers } = sent[Math.min(posts, sent.length - 1)]!;
      posts += 1;
      bodies.push(await new Response(init.body).text());
      if (makes !== undefined) log = [...makes, base];
      if (abortsAtSend) abort.abort(new Error("cancelled"));
      if (answers === "nothing") throw new TypeError("fetch failed");
      return Response.json(answers === 200 ? { commitOid: log[0]!.id } : { error: "no" }, { status: answers });
    }
    if (away) throw new TypeError("fetch failed");
    if (url.pathname.includes("/commits/")) {
      logs += 1;
      return Response.json(logs <= hidden ? [] : logs <= cutOff ? log.slice(0, 1) : log);
    }
    return Response.json({ id: "o/m", sha: heads++ < stale ? parent : log[0]!.id });
  }, "retries=0");
  const space = new Space({
    endpoint: "http://hub.invalid",
    name: "o/m",
    http,
    settings,
    credentials: { kind: "HF_TOKEN", token: () => Promise.resolve("hf_x") },
  });
  const outcome = await commitOnce(
    space,
    {
      lines: [{ key: "deletedFile", value: { path: "old" } }],
      parent,
      title: "ours",
      description: `why ${mark}`,
      mark,
      isDone: () => Promise.resolve(isDone),
    },
    { ...deps, http, retryMs: 1000, outageMs: 60_000, settleMs },
  ).catch((error: unknown) => error as Error);
  return { outcome, posts, body: bodies[0]!, seconds: Math.round(clock.now / 1000) };
}

it("names its parent, so that two can never both succeed", async () => {
  const { outcome, posts, body } = await committed([{ makes: [made], answers: 200 }]);
  expect([outcome, posts]).toEqual([ours, 1]);
  expect(body.split("\n").map((line) => JSON.parse(line) as unknown)).toEqual([
    { key: "header", value: { summary: "ours", description: `why ${mark}`, parentCommit: parent } },
    { key: "deletedFile", value: { path: "old" } },
  ]);
});

describe("an answer that is lost", () => {
  it.each<[string, Sent[], object, number]>([
    ["was made: it is found by its mark and not sent again", [{ makes: [made], answers: "nothing" }], {}, 1],
    ["was made, and the answer was a 502", [{ makes: [made], answers: 502 }], {}, 1],
    ["was made, though HEAD lags behind at first", [{ makes: [made], answers: "nothing" }], { stale: 2 }, 1],
    ["was made, though the log is empty at first", [{ makes: [made], answers: "nothing" }], { hidden: 2 }, 1],
    ["was not made: it is sent again", [{ answers: "nothing" }, { makes: [made], answers: 200 }], {}, 2],
    [
      "was made late: the second is refused for its parent, and the first found",
      [{ answers: "nothing" }, { makes: [made], answers: 412 }],
      { stale: 3 },
      2,
    ],
    [
      "was made late, and the second is refused for another reason: the first is found all the same",
      [{ answers: "nothing" }, { makes: [made], answers: 403 }],
      { stale: 3 },
      2,
    ],
    [
      "is refused for a commit at the same moment that came to nothing: it is sent again",
      [{ answers: 409 }, { makes: [made], answers: 200 }],
      {},
      2,
    ],
  ])("%s", async (_, sent, options, wanted) => {
    const { outcome, posts } = await committed(sent, options);
    expect([outcome, posts]).toEqual([ours, wanted]);
  });

  it("and whose commit nobody marked is known by what HEAD contains", async () => {
    const plain = { ...made, message: "" };
    expect((await committed([{ makes: [plain], answers: "nothing" }], { isDone: true })).outcome).toBe(ours);
    expect((await committed([{ makes: [plain], answers: "nothing" }])).outcome).toBeInstanceOf(HeadMoved);
  });

  it("and of whose commit the Hub says nothing for long is unclear", async () => {
    const { outcome, posts, seconds } = await committed([{ answers: "nothing" }], { away: true });
    expect(outcome).toBeInstanceOf(CommitUnclear);
    expect(posts).toBe(1);
    expect(seconds).toBeGreaterThanOrEqual(60);
  });

  it("four times is not made, and that is said only when it can no longer take effect", async () => {
    const { outcome, posts, seconds } = await committed([{ answers: "nothing" }], { settleMs: 300_000 });
    expect((outcome as Error).message).toContain("the connection failed");
    expect(outcome).not.toBeInstanceOf(CommitUnclear);
    expect(posts).toBe(4);
    expect(seconds).toBeGreaterThanOrEqual(300);
  });
});

describe("somebody else's commit", () => {
  it("in between: ours is not made, and theirs stays", async () => {
    const { outcome, posts } = await committed([{ makes: [other], answers: 412 }]);
    expect(outcome).toBeInstanceOf(HeadMoved);
    expect(posts).toBe(1);
  });

  it("on top of ours: we are overtaken", async () => {
    const { outcome } = await committed([{ makes: [other, made], answers: "nothing" }]);
    expect(outcome).toBeInstanceOf(Overtaken);
    expect(outcome).toMatchObject({ commit: ours, head: theirs });
  });

  it("on top of ours, in a log that shows only the newest at first: we are overtaken", async () => {
    const { outcome } = await committed([{ makes: [other, made], answers: "nothing" }], { cutOff: 2 });
    expect(outcome).toBeInstanceOf(Overtaken);
  });
});

it.each([400, 401, 403, 404, 413])("a refusal with %i is told at once, and nothing is looked for", async (status) => {
  const { outcome, posts, seconds } = await committed([{ answers: status }]);
  expect(outcome).toMatchObject({ status });
  expect([posts, seconds]).toEqual([1, 0]);
});

it("a job that is cancelled while it commits does not know whether it did", async () => {
  const { outcome } = await committed([{ makes: [made], answers: "nothing" }], { abortsAtSend: true });
  expect(outcome).toBeInstanceOf(CommitUnclear);
});
