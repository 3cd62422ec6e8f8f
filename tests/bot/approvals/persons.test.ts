import { afterEach, expect, it } from "vitest";
import { ana, ben, carla, gateRun, group, main, botInProcess, waits, type InProcessBot } from "../in-process.ts";

let here: InProcessBot;
afterEach(() => here.close());

const two = { environments: { staging: { danger: true, persons: 2 }, production: { danger: true, persons: 2 } } };

async function begun(config: object = two): Promise<void> {
  here = await botInProcess(config);
  here.link(ana, "ana-gh");
  here.link(ben, "ben-gh");
  here.link(carla, "carla-gh");
  here.state.workflows.people["octo"] = { id: 5, role: "write" };
  gateRun(here.state, { sha: main });
}

/** Ana presses Approve and confirms. @returns the key of the question */
async function anaApproves(): Promise<string> {
  const key = await here.says(ana, "/approve", group);
  await here.presses(ana, key, "Approve mood-production", group);
  await here.presses(ana, key, "Yes, approve", group);
  await here.settle();
  return key;
}

async function alsoApproves(user: number, login: string, key: string): Promise<void> {
  await here.presses(user, key, "Approve…", group);
  if (here.labels(key).includes(`Yes, I approve (${login})`))
    await here.presses(user, key, `Yes, I approve (${login})`, group);
  await here.settle();
}

it("a person who started the run is the first of two", async () => {
  await begun();
  const run = waits(here.state, { actor: "octo" });
  await anaApproves();
  expect(run.reviews).toMatchObject([{ state: "approved", user: "ana-gh" }]);
});

it.each([
  ["a bot by its name", "dependabot[bot]", "write", two],
  ["a person who may only read", "octo", "read", two],
  [
    "a person, where the team does not let starters count",
    "octo",
    "write",
    { environments: { production: { danger: true, persons: 2, starterCounts: false } } },
  ],
])("whoever started the run does not count: %s", async (_, actor, role, config) => {
  await begun(config);
  here.state.workflows.people[actor] = { id: 5, role };
  const run = waits(here.state, { actor });
  const key = await anaApproves();
  expect(run.reviews).toEqual([]);
  expect(here.text(key)).toMatch(/1 of 2 persons[\s\S]*whoever started the run does not count/);
  await alsoApproves(ben, "ben-gh", key);
  expect(run.reviews).toMatchObject([{ state: "approved" }]);
});

it("a run that the bot started was started by whoever asked the bot", async () => {
  await begun({
    environments: { staging: { danger: false }, production: { danger: true, persons: 2 } },
  });
  // Without a token of ana's, the bot's own account starts the run.
  const { links } = here.context.store;
  const token = links.token.bind(links);
  links.token = () => null;
  const asked = await here.says(ana, "/deploy mood staging");
  await here.presses(ana, asked, "Deploy");
  await here.settle();
  const run = here.state.workflows.runs.at(-1);
  expect(run?.actor).toBe("sluice[bot]");
  links.token = token;
  Object.assign(run as object, {
    status: "waiting",
    pending: [{ id: 77, name: "mood-production", reviewers: ["ben-gh"] }],
  });
  const key = await here.says(ana, "/approve", group);
  await here.presses(ana, key, "Approve mood-production", group);
  expect(here.toasts.at(-1)).toBe("You started this run: somebody else must approve.");
  await here.presses(ben, key, "Approve mood-production", group);
  await here.presses(ben, key, "Yes, approve", group);
  await here.settle();
  expect(run?.reviews).toHaveLength(1);
});

it("a bot's account does not act, whatever it may do in the repository", async () => {
  await begun();
  here.link(carla, "carla[bot]");
  expect(here.text(await here.says(carla, "/deploy mood staging"))).toContain("bots do not count as persons");
});

it("rights are read again at each tap: an approver who lost them does not count", async () => {
  await begun({ environments: { production: { danger: true, persons: 3, starterCounts: false } } });
  const run = waits(here.state);
  const key = await anaApproves();
  await alsoApproves(ben, "ben-gh", key);
  expect(here.text(key)).toContain("2 of 3 persons");
  Object.assign(here.state.workflows.people["ben-gh"] as object, { role: "read" });
  await alsoApproves(carla, "carla-gh", key);
  expect(here.text(key)).toContain("2 of 3 persons");
  expect(run.reviews).toEqual([]);
  Object.assign(here.state.workflows.people["ben-gh"] as object, { role: "write" });
  await alsoApproves(ben, "ben-gh", key);
  expect(run.reviews).toHaveLength(1);
});

it.each([
  ["an approver", "ben-gh"],
  ["who asked", "ana-gh"],
])("rights are read again right before acting: %s lost them since the last tap", async (_, login) => {
  await begun();
  const key = await here.says(ana, "/deploy mood staging", group);
  await here.presses(ana, key, "Deploy…", group);
  await here.presses(ana, key, "Yes, deploy", group);
  await here.presses(ben, key, "Approve…", group);
  await here.presses(ben, key, "Yes, I approve (ben-gh)", group);
  Object.assign(here.state.workflows.people[login] as object, { role: "read" });
  await here.settle();
  expect(here.text(key)).toMatch(new RegExp(`refused[\\s\\S]*${login} has read`));
  expect(here.changes()).toEqual([]);
});

it("the second person has as long as bot.yaml says, and what was agreed then begins soon or not at all", async () => {
  await begun({ ...two, approvals: { expireSeconds: 60, secondPersonSeconds: 1200 } });
  const ask = async () => {
    const key = await here.says(ana, "/deploy mood staging", group);
    await here.presses(ana, key, "Deploy…", group);
    await here.presses(ana, key, "Yes, deploy", group);
    return key;
  };
  const key = await ask();
  here.later(1_190_000);
  await alsoApproves(ben, "ben-gh", key);
  expect(here.changes()).toHaveLength(1);
  const late = await ask();
  here.later(1_201_000);
  await here.presses(ben, late, "Approve…", group);
  expect(here.toasts.at(-1)).toMatch(/too old/);
  await here.settle();
  expect(here.text(late)).toMatch(/cancelled[\s\S]*nobody confirmed in time/);
  expect(here.changes()).toHaveLength(1);
});

it("only linked persons with write access mute or unsubscribe; /status and /audit show it", async () => {
  await begun();
  const { subscriptions } = here.context.store;
  subscriptions.add({ chat: group, topic: null, model: "all", event: "all" });
  const reader = 14;
  here.context.bot.telegram.users.push({ id: reader });
  for (const words of ["/mute all 30d", "/mute all off", "/subscribe all off"])
    expect(here.text(await here.says(reader, words, group))).toContain("no GitHub account is linked");
  here.link(reader, "dan-gh", "read");
  expect(here.text(await here.says(reader, "/mute all 30d", group))).toContain("dan-gh has read");
  expect(subscriptions.listeners(["mood"], "gate", here.context.now())).toHaveLength(1);
  expect(here.text(await here.says(ana, "/mute all 1d", group))).toMatch(/No alerts of all until .* UTC/);
  const now = here.context.now();
  expect(subscriptions.listeners(["mood"], "gate", now)).toEqual([]);
  expect(subscriptions.listeners(["mood"], "approval", now)).toHaveLength(1);
  expect(subscriptions.listeners(["mood"], "deploy", now, false)).toHaveLength(1);
  expect(here.text(await here.says(ben, "/status", group))).toMatch(/🔕 all muted here until .* by ana-gh/);
  expect(here.text(await here.says(ben, "/audit", group))).toMatch(/ana-gh mutes: all/);
});
