import { afterAll, afterEach, describe, expect, it } from "vitest";
import { addRun } from "../../../rehearsal/github/seeded/state.ts";
import {
  alreadyLinked,
  ask,
  group,
  labels,
  main,
  tap,
  polledTwice,
  remember,
  requireRemembered,
  said,
  until,
  world,
  type World,
} from "../harness.ts";
import { released } from "../released.ts";

let here: World;

afterEach(async () => {
  const { violations } = here.telegram;
  await here.close();
  expect(violations).toEqual([]);
  remember(here);
});

const alerts = () => said(here, group).filter(({ text }) => !/hears of|No alerts|digest comes/.test(text ?? ""));

async function begun(config: object = {}): Promise<void> {
  here = await world({ config });
  released(here);
  alreadyLinked(here, here.ana, "ana-gh");
  await here.start();
  await ask(here, here.ana, "/subscribe all all", group);
  await polledTwice(here);
}

/** A deployment that failed. */
function failed(id: number, model: string, environment: string): void {
  const { rows, deployments } = here.github.state;
  rows.push({
    id,
    sha: main,
    ref: main,
    task: "sluice",
    environment,
    description: "",
    payload: { model: { id: model, version: "2", sha256: "x" } },
    transient_environment: false,
    production_environment: true,
  });
  deployments[id] = [{ id: 1, state: "failure", description: "", log_url: "", environment_url: "" }];
}

afterAll(requireRemembered);

describe("events", () => {
  it("reports a gate only when its branch changes colour, and nothing that was there before the bot", async () => {
    await begun();
    expect(alerts()).toEqual([]);
    const gate = (conclusion: string, sha: string) =>
      addRun(here.github.state.workflows, {
        file: "gate.yml",
        name: "gate",
        conclusion,
        sha: sha.repeat(40),
        actor: "octo",
      });
    gate("failure", "d");
    await until(() => alerts().length === 1, "the red alert");
    expect(alerts()[0]).toMatchObject({
      text: expect.stringMatching(/^❌ failure gate of main ddddddd by octo, after success$/) as string,
      silent: false,
    });
    gate("failure", "e");
    await polledTwice(here);
    expect(alerts()).toHaveLength(1);
    gate("success", "f");
    await until(() => alerts().length === 2, "the green alert");
    await here.kill();
    await here.start();
    await polledTwice(here);
    expect(alerts()).toHaveLength(2);
  });

  it("follows a deployment in one message, with a sound when it fails or recovers", async () => {
    await begun();
    const { rows, deployments } = here.github.state;
    const status = (state: string, description: string) => ({
      id: 1,
      state,
      description,
      log_url: "",
      environment_url: "https://octo-mood.hf.space",
    });
    rows.push({
      id: 7500,
      sha: main,
      ref: main,
      task: "sluice",
      environment: "mood-production",
      description: "",
      payload: { model: { id: "mood", version: "1.2.0", sha256: "x" }, verdictSha256: "y" },
      transient_environment: false,
      production_environment: true,
    });
    deployments[7500] = [status("in_progress", "build")];
    await until(() => alerts().length === 1, "the deployment's message");
    expect(alerts()[0]).toMatchObject({
      text: expect.stringMatching(/^🚚 deploying mood 1\.2\.0 in mood-production, ✅ PASS\nbuild/) as string,
      silent: true,
    });
    deployments[7500].push(status("failure", "wrong answers: rolled back to 1.1.0"));
    await until(() => alerts().length === 2, "the failure");
    expect(alerts()[1]).toMatchObject({
      text: expect.stringMatching(/^🛑 failed mood 1\.2\.0[\s\S]*wrong answers: rolled back/) as string,
      silent: false,
    });
    rows.push({
      ...(rows.at(-1) as (typeof rows)[number]),
      id: 7501,
      payload: JSON.stringify({ model: "mood", version: "1.2.1", verdict: "PASS" }),
    });
    deployments[7501] = [status("success", "live")];
    await until(() => alerts().length === 3, "the recovery");
    expect(alerts()[2]).toMatchObject({
      text: expect.stringMatching(/^🟢 live mood 1\.2\.1/) as string,
      silent: false,
    });
  });

  it("asks for a waiting run's approval with buttons, and removes them when it is decided elsewhere", async () => {
    await begun();
    const { workflows } = here.github.state;
    const run = addRun(workflows, {
      file: "deploy.yml",
      title: "Deploy mood",
      status: "waiting",
      sha: main,
      pending: [{ id: 77, name: "mood-production", reviewers: ["ana-gh"] }],
    });
    const other = addRun(workflows, {
      file: "deploy.yml",
      title: "Deploy births",
      status: "waiting",
      sha: main,
      pending: [{ id: 78, name: "births-staging", reviewers: ["ana-gh"] }],
    });
    const [first, second] = await until(() => (alerts().length === 2 ? alerts() : null), "two alerts");
    expect(labels(first as NonNullable<typeof first>)).toEqual(["Approve mood-production", "Reject mood-production"]);
    await tap(here, here.ana, first as NonNullable<typeof first>, "Approve mood-production");
    await tap(here, here.ana, first as NonNullable<typeof first>, "Yes, approve");
    await until(() => run.reviews.length === 1, "the review");
    Object.assign(other, { status: "completed", conclusion: "failure", pending: [] });
    await until(() => second?.text?.includes("waits no more"), "the end of the question");
    expect(labels(second as NonNullable<typeof second>)).toEqual([]);
  });

  it("makes no sound in quiet hours, but for a failed production", async () => {
    const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
    await begun({ quietHours: { from: inHours(-1), to: inHours(1) } });
    failed(7700, "mood", "mood-staging");
    failed(7701, "mood", "mood-production");
    await until(() => alerts().length === 2, "both failures");
    expect(
      alerts()
        .map(({ text, silent }) => [/in (\S+?),?\n/.exec(text ?? "")?.[1], silent])
        .toSorted(),
    ).toEqual([
      ["mood-production", false],
      ["mood-staging", true],
    ]);
  });

  it("is silent while a model is muted", async () => {
    await begun();
    await ask(here, here.ana, "/mute mood 1h", group);
    failed(7600, "mood", "mood-staging");
    failed(7601, "births", "births-staging");
    await until(() => alerts().some(({ text }) => text?.includes("births")), "the other model's alert");
    await polledTwice(here);
    expect(alerts()).toHaveLength(1);
  });

  it("sends one digest a day, however often it starts", async () => {
    here = await world({ config: { digest: { hourUtc: 0 } } });
    released(here);
    await here.start();
    await ask(here, here.ana, "/digest daily");
    await here.stop();
    const digests = () => said(here, here.ana.id).filter(({ text }) => text?.startsWith("Digest of"));
    await here.start();
    const [digest] = await until(() => (digests().length > 0 ? digests() : null), "the digest");
    expect(digest?.text).toMatch(
      /gates: 1 \(1 green, 0 red\) · deployments: \d · waiting: 0\nmood 1\.1\.0 ✅ PASS · auroc ▁█\nbirths not live/,
    );
    await here.stop();
    await here.start();
    await ask(here, here.ana, "/help");
    expect(digests()).toHaveLength(1);
  });
});
