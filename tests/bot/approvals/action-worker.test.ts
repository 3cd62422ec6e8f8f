import { afterEach, expect, it } from "vitest";
import { lockRef } from "../../../github/registry/lock.ts";
import type { Fault } from "../../../rehearsal/github/exchange.ts";
import { ana, ben, gateRun, main, botInProcess, waits, type InProcessBot } from "../in-process.ts";

let here: InProcessBot;
afterEach(() => here.close());

async function begun(config: object = {}): Promise<void> {
  here = await botInProcess(
    { environments: { staging: { danger: false }, production: { danger: false } }, ...config },
    300,
  );
  here.link(ana, "ana-gh");
  here.link(ben, "ben-gh");
  gateRun(here.state, { sha: main });
}

const fails = (method: string, path: RegExp, does: Fault["does"], times = 1_000): Fault => {
  const fault = { method, path, times, does };
  here.state.faults.push(fault);
  return fault;
};
const answers = (status: number, message = "an error") => ({ kind: "answer" as const, status, message });
const deploys = () => here.changes().filter((one) => one.endsWith("/dispatches")).length;

async function deployIsAgreed(): Promise<string> {
  const key = await here.says(ana, "/deploy mood staging");
  await here.presses(ana, key, "Deploy");
  return key;
}

it("a review that was answered 502, and whose run is gone, ends as unsure; another action goes on meanwhile", async () => {
  await begun();
  const run = waits(here.state);
  const stuck = await here.says(ana, "/approve");
  fails("POST", /pending_deployments/, answers(502));
  await here.presses(ana, stuck, "Approve mood-production");
  const hung = fails("GET", new RegExp(`/runs/${run.id}/approvals`), answers(404, "Not Found"));
  const other = await deployIsAgreed();
  const began = here.context.now();
  await here.settle();
  expect(here.context.now() - began).toBeLessThan(100_000);
  expect(hung.times).toBeLessThan(1_000);
  expect(here.text(stuck)).toMatch(/unsure[\s\S]*GitHub has no such thing \(404\)[\s\S]*Look at the runs before/);
  expect(here.labels(stuck)).toEqual(["/runs"]);
  expect(here.text(other)).toContain(": done");
  expect(deploys()).toBe(1);
});

it("no action waits for another one, whose check fails again and again", async () => {
  await begun();
  waits(here.state);
  const stuck = await here.says(ana, "/approve");
  await here.presses(ana, stuck, "Approve mood-production");
  fails("GET", /\/runs\/501$/, { kind: "hang" });
  const other = await deployIsAgreed();
  here.worker.kick();
  for (let i = 0; i < 400 && !here.text(other).includes(": done"); i += 1)
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  expect(here.text(other)).toContain(": done");
  expect(here.text(stuck)).toContain("is being checked");
  here.state.faults.length = 0;
  await here.settle();
  expect(here.text(stuck)).toContain(": done");
});

it("look-ups that are answered 500 for long end as unsure", async () => {
  await begun({ approvals: { settleSeconds: 1, giveUpSeconds: 2 } });
  const key = await deployIsAgreed();
  fails("POST", /dispatches/, { kind: "reset" });
  fails("GET", /\/workflows\/deploy.yml\/runs/, answers(500));
  await here.settle();
  expect(here.text(key)).toMatch(/unsure[\s\S]*GitHub answered 500 when asked whether it happened/);
  expect(deploys()).toBe(0);
});

it.each([401, 403, 404])(
  "a check that is refused with %i ends with the next step, not in an endless try",
  async (status) => {
    await begun();
    const key = await deployIsAgreed();
    fails("GET", /matching-refs/, answers(status));
    await here.settle();
    expect(here.text(key)).toMatch(/refused[\s\S]*could not be checked/);
    expect(deploys()).toBe(0);
  },
);

it("what was agreed does not run after its expiry, also when GitHub was away in between", async () => {
  await begun({ approvals: { expireSeconds: 30 } });
  const key = await deployIsAgreed();
  const away = fails("GET", /\/permission$/, { kind: "reset" });
  here.worker.kick();
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  here.later(31_000);
  away.times = 0;
  await here.settle();
  expect(here.text(key)).toMatch(/refused[\s\S]*it came too late/);
  expect(deploys()).toBe(0);
});

it("what was agreed does not run after its expiry, also when the bot was away in between", async () => {
  await begun({ approvals: { expireSeconds: 30 } });
  const key = await deployIsAgreed();
  fails("GET", /./, { kind: "reset" });
  here.later(31_000);
  await here.settle();
  expect(here.text(key)).toMatch(/refused[\s\S]*it came too late/);
  expect(deploys()).toBe(0);
});

it("does not run when the check itself lasts beyond the expiry", async () => {
  await begun({ approvals: { expireSeconds: 30 } });
  const key = await deployIsAgreed();
  fails("GET", /matching-refs/, { kind: "accept-then", run: () => here.later(31_000) }, 1);
  await here.settle();
  expect(here.text(key)).toMatch(/refused[\s\S]*it came too late/);
  expect(deploys()).toBe(0);
});

it.each([
  ["is lost", { kind: "accept-then-reset" as const }],
  ["is a 502", { kind: "accept-then-fail" as const, status: 502 }],
])("a dispatch whose answer %s is looked up, told as done, and not done twice", async (_, does) => {
  await begun();
  const key = await deployIsAgreed();
  fails("POST", /dispatches/, does, 1);
  await here.settle();
  expect(here.text(key)).toMatch(/: done[\s\S]*started run 501/);
  expect(here.state.workflows.runs.filter(({ file }) => file === "deploy.yml")).toHaveLength(1);
});

it("before a second dispatch it waits until the first one could be seen", async () => {
  await begun({ approvals: { settleSeconds: 20 } });
  const key = await deployIsAgreed();
  const at: number[] = [];
  fails("POST", /dispatches/, { kind: "reset" }, 1);
  const lookUps = here.state.workflows.now;
  fails("POST", /dispatches/, { kind: "accept-then", run: () => at.push(lookUps()) }, 1);
  const began = here.context.now();
  await here.settle();
  expect(here.text(key)).toContain(": done");
  expect(at).toHaveLength(1);
  expect((at[0] as number) - began).toBeGreaterThanOrEqual(20_000);
});

it("/unlock removes the locks that were shown, and none that was taken since", async () => {
  await begun();
  const ref = lockRef("mood-staging");
  const note = (holder: string) => JSON.stringify({ schemaVersion: 1, holder, reason: "r", at: "", run: null });
  const lock = (sha: string, holder: string) => {
    here.state.git.refs[ref] = { sha, type: "tag" };
    here.state.git.tags[sha] = { tag: "sluice-lock", message: note(holder), object: main };
  };
  lock("1".repeat(40), "ana-gh");
  const key = await here.says(ana, "/unlock");
  lock("2".repeat(40), "ben-gh");
  await here.presses(ana, key, "Unlock…");
  await here.presses(ana, key, "Yes, unlock");
  await here.settle();
  expect(here.text(key)).toContain("unlocked nothing: the locks are others' now");
  expect(here.state.git.refs[ref]?.sha).toBe("2".repeat(40));
  // Also a lock that changes hands between the look and the removal.
  const again = await here.says(ana, "/unlock");
  await here.presses(ana, again, "Unlock…");
  await here.presses(ana, again, "Yes, unlock");
  fails("GET", /matching-refs/, { kind: "accept-then", run: () => lock("3".repeat(40), "carla-gh") }, 1);
  await here.settle();
  expect(here.state.git.refs[ref]?.sha).toBe("3".repeat(40));
});

it("a lock that somebody released while the bot was away is not taken again", async () => {
  await begun();
  const key = await here.says(ana, "/lock incident 12");
  await here.presses(ana, key, "Lock");
  // The second lock was taken, its answer was lost, and the bot could not look for a while.
  here.state.faults.push({
    method: "POST",
    path: /git\/refs$/,
    times: 1,
    skip: 1,
    does: {
      kind: "accept-then-fail",
      status: 502,
    },
  });
  const blind = fails("GET", /matching-refs/, { kind: "reset" }, 0);
  here.worker.kick();
  for (let i = 0; i < 400 && here.state.git.refs[lockRef("mood-production")] === undefined; i += 1)
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  blind.times = 0;
  delete here.state.git.refs[lockRef("mood-staging")];
  await here.settle();
  expect(here.text(key)).toContain(": done");
  expect(here.state.git.refs[lockRef("mood-staging")]).toBeUndefined();
  expect(here.state.git.refs[lockRef("mood-production")]).toBeDefined();
});
