import { afterEach, expect, it } from "vitest";
import { askForApproval } from "../../../bot/events/approval-buttons.ts";
import { waitingRun } from "../../../bot/approvals/waiting-runs.ts";
import { ana, ben, gateRun, group, main, release, botInProcess, waits, type InProcessBot } from "../in-process.ts";

const bad = "b".repeat(40);
const newer = "c".repeat(40);
let here: InProcessBot;
afterEach(() => here.close());

async function begun(config: object = {}): Promise<void> {
  here = await botInProcess(config);
  here.link(ana, "ana-gh");
  here.link(ben, "ben-gh");
  here.state.workflows.people["octo"] = { id: 5, role: "admin" };
  gateRun(here.state, { sha: main });
}

it("a dispatch on a green main that deploys a failed commit shows the failure and cannot be approved", async () => {
  await begun();
  gateRun(here.state, { sha: bad, conclusion: "failure" });
  const run = waits(here.state, { title: `Deploy mood to production at ${bad}`, sha: main });
  const key = await here.says(ana, "/approve");
  expect(here.text(key)).toContain("commit bbbbbbb · gate: ❌ FAILURE");
  expect(here.text(key)).not.toContain("PASS ·");
  expect(here.labels(key)).toEqual(["Reject mood-production"]);
  expect(run.reviews).toEqual([]);
});

it.each([
  ["a title that does not tell", { title: "Deploy mood" }],
  ["a branch, which moves", { title: "Deploy mood to production at main" }],
  ["a workflow file of another branch", { branch: "topic" }],
  ["a model that is not the environment's", { title: `Deploy births to production at ${main}` }],
  ["an input that poses as another", { title: `Deploy mood to production at ${main} and ${bad}` }],
  ["a later part that poses as the commit", { title: `Deploy mood to production at ${bad} at ${main}` }],
  ["an older form of the run-name", { event: "workflow_run", title: "Deploy after a merge" }],
  ["a push to another branch", { event: "push", branch: "topic" }],
  ["a pull request", { event: "pull_request" }],
  ["a fork", { event: "push", fork: "mallory" }],
  ["another workflow", { file: "other.yml" }],
  ["the version before, whichever that is", { title: "Deploy mood to production back to previous" }],
])("%s is a commit unknown, and never a green", async (_, run) => {
  await begun();
  const waiting = waits(here.state, run);
  const key = await here.says(ana, "/approve");
  expect(here.text(key)).toContain("commit unknown");
  expect(here.text(key)).not.toContain("PASS ·");
  expect(here.labels(key)).toEqual(["Reject mood-production"]);
  expect(waiting.reviews).toEqual([]);
});

it("a gate run that an edited title skipped says nothing about the commit: the run before it does", async () => {
  await begun();
  gateRun(here.state, { sha: bad, conclusion: "failure" });
  gateRun(here.state, { sha: bad, conclusion: "skipped" });
  waits(here.state, { title: `Deploy mood to production at ${bad}`, sha: main });
  expect(here.text(await here.says(ana, "/approve"))).toContain("commit bbbbbbb · gate: ❌ FAILURE");
});

it("after a second merge, the first one's approval is about the first", async () => {
  await begun();
  gateRun(here.state, { sha: newer, status: "in_progress", conclusion: null });
  here.state.git.refs["refs/heads/main"] = { sha: newer, type: "commit" };
  const run = waits(here.state, { event: "workflow_run", title: `Deploy after the gate of ${main}`, sha: newer });
  const key = await here.says(ana, "/approve");
  expect(here.text(key)).toContain("commit 1a2b3c4 · gate: ✅ PASS");
  await here.presses(ana, key, "Approve mood-production");
  await here.presses(ana, key, "Yes, approve");
  await here.settle();
  expect(run.reviews.map(({ state }) => state)).toEqual(["approved"]);
});

it.each([["mood@1.2.0"], ["refs/tags/mood@1.2.0"]])("a tag (%s) is the tag's commit", async (ref) => {
  await begun();
  release(here.state, "1.2.0", bad);
  gateRun(here.state, { sha: bad, conclusion: "failure" });
  waits(here.state, { title: `Deploy mood to production at ${ref}` });
  expect(here.text(await here.says(ana, "/approve"))).toContain("commit bbbbbbb · gate: ❌ FAILURE");
  here.state.git.refs["refs/heads/mood@1.2.0"] = { sha: main, type: "commit" };
  expect(here.text(await here.says(ana, "/approve"))).toContain("commit unknown");
});

it("rolls back, and approves the roll-back, while main is red", async () => {
  await begun();
  release(here.state, "1.0.0", bad);
  here.state.git.refs["refs/heads/main"] = { sha: newer, type: "commit" };
  gateRun(here.state, { sha: newer, conclusion: "failure" });
  const asked = await here.says(ana, "/rollback mood staging 1.0.0");
  expect(here.text(asked)).toContain("auroc: 0.92");
  await here.presses(ana, asked, "Roll back…");
  await here.presses(ana, asked, "Yes, roll back");
  await here.settle();
  expect(here.changes()).toEqual(["POST /actions/workflows/deploy.yml/dispatches"]);
  const run = here.state.workflows.runs.at(-1);
  Object.assign(run as object, {
    status: "waiting",
    sha: newer,
    pending: [{ id: 78, name: "mood-staging", reviewers: ["ben-gh"] }],
  });
  const key = await here.says(ben, "/approve");
  expect(here.text(key)).toMatch(/mood 1\.0\.0 waits for mood-staging[\s\S]*commit bbbbbbb · gate: ✅ PASS/);
  await here.presses(ben, key, "Approve mood-staging");
  await here.presses(ben, key, "Yes, approve");
  await here.settle();
  expect(run?.reviews.map(({ state, user }) => [state, user])).toEqual([["approved", "ben-gh"]]);
});

it("somebody else's run with the mark of an approved request is not that request", async () => {
  await begun();
  gateRun(here.state, { sha: bad, conclusion: "failure" });
  const asked = await here.says(ana, "/deploy mood staging");
  await here.presses(ana, asked, "Deploy…");
  await here.presses(ana, asked, "Yes, deploy");
  await here.settle();
  const mark = /sl-[0-9a-f]{16}/.exec(here.text(asked))?.[0];
  waits(here.state, { title: `Deploy mood to production at ${bad} ${mark}`, actor: "mallory" });
  expect(here.text(await here.says(ana, "/approve"))).toContain("commit bbbbbbb · gate: ❌ FAILURE");
});

it("the evidence is looked at again at each tap", async () => {
  await begun({ environments: { production: { danger: true, persons: 2, starterCounts: false } }, live: "production" });
  const run = waits(here.state);
  const key = await here.says(ana, "/approve", group);
  const gate = here.state.workflows.runs[0];
  Object.assign(gate as object, { status: "in_progress", conclusion: null });
  // The report is the same, but the gate runs again for this commit.
  await here.presses(ana, key, "Approve mood-production", group);
  expect(here.toasts.at(-1)).toBe("The gate says IN_PROGRESS.");
  Object.assign(gate as object, { status: "completed", conclusion: "success" });
  await here.presses(ana, key, "Approve mood-production", group);
  await here.presses(ana, key, "Yes, approve", group);
  expect(here.text(key)).toContain("1 of 2 persons");
  Object.assign(gate as object, { conclusion: "failure" });
  await here.presses(ben, key, "Approve…", group);
  expect(here.text(key)).toMatch(/refused[\s\S]*the gate says FAILURE/);
  await here.settle();
  expect(run.reviews).toEqual([]);
});

it("the question names model, version and environment, figures, what is live, and who asks; each button has its row", async () => {
  await begun();
  release(here.state, "1.2.0");
  here.state.rows.push({
    id: 7000,
    sha: bad,
    ref: bad,
    task: "sluice",
    environment: "mood-production",
    description: "",
    payload: { model: "mood", version: "1.1.0", verdict: "PASS" },
    transient_environment: false,
    production_environment: true,
  });
  here.state.deployments[7000] = [
    { id: 1, state: "success", description: "", log_url: "", environment_url: "https://octo-mood.hf.space" },
  ];
  waits(here.state, { title: "Deploy mood to production back to 1.2.0" });
  const key = await here.says(ana, "/approve");
  expect(here.text(key)).toMatch(
    /^🔔 mood 1\.2\.0 waits for mood-production\n.*by octo, 0 min ago\ncommit 1a2b3c4 · gate: ✅ PASS · report [0-9a-f]{12}\n• auroc: 0\.92 \[0\.91, 0\.93\]\nlive now: 1\.1\.0 \(bbbbbbb\)$/,
  );
  expect(here.labels(key)).toEqual(["Approve mood-production", "Reject mood-production"]);
  expect(here.rows(key)).toEqual([1, 1]);
  await here.presses(ana, key, "Approve mood-production");
  expect(here.text(key)).toMatch(
    /really approve mood 1\.2\.0 for mood-production[\s\S]*auroc: 0\.92[\s\S]*live now: 1\.1\.0/,
  );
  expect(here.rows(key)).toEqual([1, 1]);
});

it("a question is asked with sound and buttons at once, anew when the gate ends, and again when it is forgotten", async () => {
  await begun({ approvals: { remindSeconds: 600 } });
  const { context } = here;
  context.store.subscriptions.add({ chat: ana, topic: null, model: "all", event: "approval" });
  const gate = here.state.workflows.runs[0];
  Object.assign(gate as object, { status: "in_progress", conclusion: null });
  const run = waits(here.state);
  const look = async () => {
    const read = await context.github.run(run.id);
    await askForApproval(context, await waitingRun(context, read), false, { find: async () => [] });
  };
  await look();
  const key = `run:${run.id}:${ana}`;
  expect(context.store.messages.byKey(key)).toMatchObject({ silent: false, urgent: true });
  expect(here.text(key)).toContain("gate: ⏳ IN_PROGRESS");
  expect(here.labels(key)).toEqual(["Reject mood-production"]);
  Object.assign(gate as object, { status: "completed", conclusion: "success" });
  await look();
  expect(here.labels(key)).toEqual(["Approve mood-production", "Reject mood-production"]);
  await look();
  expect(context.store.messages.withPrefix("run:")).toHaveLength(1);
  here.later(601_000);
  await look();
  await look();
  expect(here.text(`${key}:1`)).toMatch(/^⏰ Nobody has decided since 10 min ago: ana-gh\n🔔 mood/);
  expect(context.store.messages.byKey(`${key}:1`)?.content.html).toContain(`tg://user?id=${ana}`);
  expect(context.store.messages.withPrefix("run:")).toHaveLength(2);
  here.later(3_600_000);
  for (let i = 0; i < 5; i += 1) await look();
  expect(context.store.messages.withPrefix("run:")).toHaveLength(4);
});
