import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ClientDisconnect } from "../../../spaces/server/scheduling/client-disconnect.ts";
import type { Refused } from "../../../spaces/server/scheduling/refused.ts";
import { createTurns } from "../../../spaces/server/scheduling/turns.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Requests by name, with what became of each: its way to give the turn back, or why it got none. */
function asked(concurrency: number, queue: number) {
  const turns = createTurns({ concurrency, queue }, () => 0);
  const given = new Map<string, () => void>();
  const refused = new Map<string, string>();
  const take = async (name: string, deadlineAt = 1000, disconnect?: ClientDisconnect) => {
    void turns.take({ deadlineAt, ...(disconnect === undefined ? {} : { disconnect }) }).then(
      (back) => given.set(name, back),
      (error: Refused) => refused.set(name, error.reason),
    );
    await settle();
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  return { turns, given, refused, take, settle, has: () => [...given.keys()] };
}

it("as many as there are turns go at once, the others in their order as turns come back", async () => {
  const { take, has, given, settle, turns } = asked(2, 9);
  for (const name of ["a", "b", "c", "d"]) await take(name);
  expect([has(), turns.taken(), turns.waiting()]).toEqual([["a", "b"], 2, 2]);
  given.get("b")!();
  await settle();
  expect([has(), turns.taken(), turns.waiting()]).toEqual([["a", "b", "c"], 2, 1]);
  // A turn is given back once.
  given.get("b")!();
  await settle();
  expect(has()).toEqual(["a", "b", "c"]);
  given.get("a")!();
  given.get("c")!();
  await settle();
  expect([has(), turns.taken(), turns.waiting()]).toEqual([["a", "b", "c", "d"], 1, 0]);
});

it("one too many is refused, and so is one whose time is over or whose client has gone", async () => {
  const { take, has, refused, turns, given, settle } = asked(1, 2);
  const [waits, aborted] = [new ClientDisconnect(), new ClientDisconnect()];
  aborted.abort();
  await take("a");
  await take("gone", 1000, aborted);
  await take("late", 500);
  await take("leaves", 1000, waits);
  await take("more");
  expect([...refused]).toEqual([
    ["gone", "cancelled"],
    ["more", "queue-full"],
  ]);
  await vi.advanceTimersByTimeAsync(499);
  expect(refused.has("late")).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  waits.abort();
  await settle();
  expect([refused.get("late"), refused.get("leaves"), turns.waiting()]).toEqual(["deadline", "cancelled", 0]);
  given.get("a")!();
  await take("next");
  expect([has(), turns.taken()]).toEqual([["a", "next"], 1]);
});

it("closing refuses those that wait and those that come, and ends when the last turn is back", async () => {
  const { take, refused, turns, given, settle } = asked(2, 9);
  for (const name of ["a", "b", "waits"]) await take(name);
  let closed = false;
  void turns.close().then(() => {
    closed = true;
  });
  await take("comes");
  expect(Object.fromEntries(refused)).toEqual({ waits: "draining", comes: "draining" });
  given.get("a")!();
  await settle();
  expect(closed).toBe(false);
  given.get("b")!();
  await settle();
  expect(closed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  await asked(1, 1).turns.close();
});

it("a client that disconnects ends the work of those who listen, now or already", () => {
  const disconnect = new ClientDisconnect();
  const signal = disconnect.signal();
  const heard: string[] = [];
  disconnect.onAborted(() => heard.push("one"));
  disconnect.onAborted(() => heard.push("two"));
  expect([disconnect.aborted, signal.aborted]).toEqual([false, false]);
  disconnect.abort();
  expect([disconnect.aborted, signal.aborted, disconnect.signal().aborted, heard]).toEqual([
    true,
    true,
    true,
    ["one", "two"],
  ]);
});
