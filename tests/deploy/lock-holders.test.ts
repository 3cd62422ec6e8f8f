import { expect, it, type TestContext } from "vitest";
import { breakLock, Locked, lockHolder, releaseLock, takeLock, type Holder } from "../../deploy/record/lock.ts";
import { GitHubRecords } from "../../deploy/record/github-records.ts";
import { lockRef, writeLockNote } from "../../github/registry/lock.ts";
import type { Fault } from "../../rehearsal/github/exchange.ts";
import { startGitHub } from "../../rehearsal/github/seeded/github.ts";
import { quietDeps } from "./hub-http.ts";
import { tokens } from "./stage.ts";

const commit = "1".repeat(40);
const holder = (name: string, run: Holder["run"] = null): Holder => ({
  holder: name,
  reason: "a story",
  at: "2026-01-02T03:04:05Z",
  run,
});
const attempt = (id: string, number: number) => ({ id, attempt: number, url: `https://runs/${id}` });

async function begun({ onTestFinished }: TestContext) {
  const github = await startGitHub();
  onTestFinished(() => github.close());
  const { http, deps } = quietDeps();
  const records = new GitHubRecords(http, github.url, { owner: "octo", repo: "models" }, tokens.github);
  return {
    state: github.state,
    records,
    deps,
    take: (who: Holder, environment = "births-production") => takeLock(records, environment, who, commit),
    fails: (method: string, path: RegExp, does: Fault["does"]) =>
      github.state.faults.push({ method, path, times: 1, does }),
    ref: () => github.state.git.refs[lockRef("births-production")],
  };
}

it("a lock holds for one environment until it is released", async (test) => {
  const { records, take } = await begun(test);
  const held = await take(holder("ana"));
  await take(holder("ben"), "births-staging");
  await expect(take(holder("ben"))).rejects.toThrow(
    "births-production is locked by ana since 2026-01-02T03:04:05Z: a story",
  );
  expect(await lockHolder(records, "births-production")).toMatchObject(holder("ana"));
  await releaseLock(records, held);
  expect(await lockHolder(records, "births-production")).toBeNull();
  expect(await lockHolder(records, "births-staging")).toMatchObject({ holder: "ben" });
});

it("whoever had the lock before does not release the lock of who has it now", async (test) => {
  const { records, take, ref } = await begun(test);
  const first = await take(holder("ana"));
  expect(await breakLock(records, "births-production")).toBe(true);
  const second = await take(holder("ben"));
  await releaseLock(records, first);
  expect(ref()?.sha).toBe(second.tag);
  await releaseLock(records, second);
  expect(ref()).toBeUndefined();
  await releaseLock(records, second);
  expect(await breakLock(records, "births-production")).toBe(false);
});

it.for<[string, Holder["run"], Holder["run"], boolean]>([
  ["a later attempt of the run", attempt("42", 1), attempt("42", 2), true],
  ["the same attempt", attempt("42", 2), attempt("42", 2), false],
  ["an earlier attempt", attempt("42", 2), attempt("42", 1), false],
  ["another run", attempt("42", 1), attempt("43", 2), false],
  ["somebody without a run", attempt("42", 1), null, false],
  ["a run, from somebody without one", null, attempt("42", 2), false],
])("what was left behind is taken over only by a later attempt of the run: %s", async ([, left, now, takes], test) => {
  const { records, take, ref } = await begun(test);
  const before = await take(holder("ana", left));
  if (takes) {
    const after = await take(holder("ana", now));
    expect(after).toEqual(before);
    await releaseLock(records, after);
    expect(ref()).toBeUndefined();
  } else {
    await expect(take({ ...holder("ana", now), at: "2026-01-02T03:04:06Z" })).rejects.toThrow(Locked);
    expect(ref()?.sha).toBe(before.tag);
  }
});

it.for<[string, Fault["does"], string]>([
  ["was taken, and the answer was lost", { kind: "accept-then-reset" }, "ana"],
  ["was taken, and the answer was a 502", { kind: "accept-then-fail", status: 502 }, "ana"],
  ["was not taken, and the request was lost", { kind: "reset" }, "ana"],
])("a lock that %s is held once", async ([, does, name], test) => {
  const { records, take, fails, ref } = await begun(test);
  fails("POST", /git\/refs$/, does);
  const held = await take(holder(name));
  expect(ref()?.sha).toBe(held.tag);
  expect(await lockHolder(records, "births-production")).toMatchObject({ holder: name });
});

it("somebody's lock that came in between is not ours, though our answer was lost", async (test) => {
  const { state, take, fails, ref } = await begun(test);
  const theirs = "9".repeat(40);
  fails("POST", /git\/refs$/, { kind: "reset" });
  state.git.tags[theirs] = { tag: "x", message: writeLockNote({ ...holder("ben"), request: null }), object: commit };
  state.git.refs[lockRef("births-production")] = { sha: theirs, type: "tag" };
  await expect(take(holder("ana"))).rejects.toThrow("locked by ben");
  expect(ref()?.sha).toBe(theirs);
});

it("a refusal to create the lock is told at once, and nothing is held", async (test) => {
  const { take, fails, ref } = await begun(test);
  fails("POST", /git\/refs$/, { kind: "answer", status: 403, message: "Resource not accessible by integration" });
  await expect(take(holder("ana"))).rejects.toThrow("Resource not accessible");
  expect(ref()).toBeUndefined();
});

it.for<[string, string | null]>([
  ["an unreadable note", "not a note"],
  ["no tag object at all", null],
])("a lock with %s is a lock", async ([, message], test) => {
  const { state, records, take } = await begun(test);
  const sha = "9".repeat(40);
  if (message !== null) state.git.tags[sha] = { tag: "x", message, object: commit };
  state.git.refs[lockRef("births-production")] = { sha, type: "tag" };
  expect(await lockHolder(records, "births-production")).toBe("unreadable");
  await expect(take(holder("ana", attempt("42", 2)))).rejects.toThrow("somebody (its note cannot be read)");
});
