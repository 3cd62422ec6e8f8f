import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readSpaceFiles } from "../../deploy/bundle/make.ts";
import { readSettings } from "../../deploy/hub/settings.ts";
import { notesOnGitHub } from "../../deploy/record/rollout-notes.ts";
import { lookAtRollout, type RolloutLook } from "../../deploy/rollout/look.ts";
import type { Wish } from "../../deploy/rollout/next.ts";
import { renderLook } from "../../deploy/rollout/render.ts";
import { rolloutContext, runDeploy, runRollback, type SessionDeps } from "../../deploy/session.ts";
import { VERSION_HEADER } from "../../models/core/rollout/plan.ts";
import { builtAction } from "./built-action.ts";
import { fast, Stage, tokens, unpackDeployAction, type DeployAction } from "./stage.ts";

let action: DeployAction;
let spaceDir = "";
beforeAll(async () => {
  action = await unpackDeployAction();
  spaceDir = join(await builtAction(), "dist/space");
}, 120_000);
afterAll(() => {
  action.remove();
});

const secret = "a secret of a roll-out's test";

/** A stage whose production serves births 1.0.0, and what one does with a candidate beside it. */
async function rolledOut(rollout: string) {
  const stage = await Stage.open(action);
  onTestFinished(() => stage.finish());
  const deps: SessionDeps = {
    env: {
      ...process.env,
      HF_ENDPOINT: stage.hub.url,
      GITHUB_API_URL: stage.github.url,
      GITHUB_REPOSITORY: "octo/models",
      GITHUB_ACTOR: "octo",
    },
    fetch,
    random: Math.random,
    now: Date.now,
    monotonic: () => performance.now(),
    signal: new AbortController().signal,
    mask: () => {},
    sink: { line: () => {}, group: () => {}, endGroup: () => {} },
    sleep: async (ms) => {
      await sleep(ms);
    },
    spaceFiles: () => readSpaceFiles(spaceDir),
    prepareNative: async () => {},
  };
  const request = {
    root: stage.repository.dir,
    model: "births",
    stage: "production",
    space: "octo/births",
    reason: "",
    settings: readSettings(fast, "test"),
    hubToken: tokens.hub,
    githubToken: tokens.github,
    out: ".sluice",
    dryRun: false,
    verdict: ".sluice",
    bundle: null,
  };
  const deploy = (beside: boolean) =>
    runDeploy({ ...request, ...(beside ? { rollout: { key: secret, beside: null } } : {}) }, deps);
  stage.repository.write(
    "sluice.yaml",
    `schemaVersion: 1\nmodels: [models/births]\nspaces: {births: {production: octo/births}}\nrollout: {births: ${rollout}}\n`,
  );
  stage.repository.release("1.0.0", "production");
  expect((await deploy(false)).receipt.outcome).toBe("live");
  return {
    stage,
    deploy,
    back: () => runRollback({ ...request, version: null }, deps),
    async look(wish: Wish = null): Promise<RolloutLook> {
      const { context } = await rolloutContext(request, deps);
      return lookAtRollout(
        context,
        notesOnGitHub(context.github!, context.environment, context.commit!, null),
        secret,
        wish,
      );
    },
    /** Questions of as many users, one after the other. @returns how many answers each version gave */
    async traffic(count: number, from = 0): Promise<Record<string, number>> {
      const by: Record<string, number> = {};
      const { row } = (await (await fetch(`http://${stage.hub.domain}/models/births`)).json().then((card: unknown) => ({
        row: (card as { input: { examples: unknown[] } }).input.examples[0],
      }))) as { row: unknown };
      for (let i = from; i < from + count; i++) {
        const answer = await fetch(`http://${stage.hub.domain}/predict`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-user": `user ${i}` },
          body: JSON.stringify(row),
        });
        expect(answer.status).toBe(200);
        const version = answer.headers.get(VERSION_HEADER) ?? "none";
        by[version] = (by[version] ?? 0) + 1;
        await answer.arrayBuffer();
        // A shadow takes at most a quarter of the time; what comes faster is shed.
        await sleep(20);
      }
      await sleep(500);
      return by;
    },
  };
}

const steps = `
  steps: [shadow, 50 %]
  key: {header: x-user}
  metrics: {errors: {margin: 0.2}}
  minimum: {rows: 10, recent: 0}`
  .trim()
  .split("\n")
  .map((line) => line.trim())
  .join(", ");

describe("a candidate beside the live version, from deployment to deployment", () => {
  it("is proved, gets its steps, survives a restart in each, and is tagged only when everybody has it", async () => {
    const { stage, deploy, back, look, traffic } = await rolledOut(`{${steps}}`);
    stage.repository.release("1.1.0", "candidate");
    const made = (await deploy(true)).receipt;
    expect(made.reason).toBe("proved");
    expect(made.deployed.model.version).toBe("1.0.0");
    expect(made.deployed.rollout?.candidate.model.version).toBe("1.1.0");
    expect(await stage.serves()).toBe("1.0.0");
    expect(stage.tags()).toEqual(["births@1.0.0"]);
    expect(stage.inProduction().map((one) => one.split(" ")[0])).toEqual(["1.0.0"]);

    expect(await traffic(10)).toEqual({ "1.0.0": 10 });
    expect((await look()).words).toBe("shadow: begun");
    expect(await traffic(40)).toEqual({ "1.0.0": 40 });
    const shadowed = await look();
    expect(shadowed.words).toMatch(/^canary 50 %: all 1 metrics keep their margins/);

    // What a restart forgets is handed back at the next look, and nobody gets the candidate until then.
    await traffic(30, 100);
    const before = await look();
    expect(before).toMatchObject({ verdict: "INCONCLUSIVE" });
    await restarted(stage);
    expect(await traffic(10, 200)).toEqual({ "1.0.0": 10 });
    const resumed = await look();
    expect(resumed.words).toContain(
      "the Space was restarted: canary 50 % and its evidence up to the last look were handed back",
    );
    expect(resumed.note.restarts).toBe(1);

    const half = await traffic(120, 300);
    expect(half["1.1.0"]).toBeGreaterThan(30);
    const promoted = await look();
    expect(promoted.words).toMatch(/^live for everybody, proved: all 1 metrics keep their margins/);
    expect(promoted.verdict).toBe("PASS");
    expect(await stage.serves()).toBe("1.1.0");
    expect(stage.tags()).toEqual(["births@1.0.0", "births@1.1.0"]);
    expect(stage.inProduction().map((one) => one.split(" ")[0])).toEqual(["1.0.0", "1.1.0"]);
    const states = stage.github.state.rows
      .filter(({ task }) => task === "sluice-rollout")
      .map(
        ({ environment, id }) =>
          `${environment}: ${stage.github.state.deployments[id]!.map(({ state }) => state).join(" ")}`,
      );
    expect(states).toHaveLength(1);
    expect(states[0]).toMatch(/^births-production-rollout: (success|in_progress)/);
    expect(renderLook(await look())).toContain("PASS  births 1.1.0 beside 1.0.0");

    // Going back leads to the version's own tree, not to the one with a candidate beside it.
    expect((await back()).receipt.outcome).toBe("live");
    expect(await stage.serves()).toBe("1.0.0");
    expect((await fetch(`http://${stage.hub.domain}/models/births/rollout`)).status).toBe(404);
  }, 120_000);

  it("waits for a person where that is configured; overrides need a reason, and an end by hand stays", async () => {
    const waiting = `{steps: [shadow, {at: 50 %, approve: true}], approveAll: true, key: {header: x-user}, metrics: {errors: {margin: 0.2}}, minimum: {rows: 10, recent: 0}}`;
    const { stage, deploy, look, traffic } = await rolledOut(waiting);
    stage.repository.release("1.1.0", "candidate");
    expect((await deploy(true)).receipt.outcome).toBe("live");
    await look();
    expect((await look({ does: "promote", by: "omar", reason: "" })).words).toContain("an override would be needed");
    await traffic(40);
    const waits = await look();
    expect(waits.words).toMatch(/^canary 50 % waits for a person/);
    expect(waits.note.waitsFor).toBe(1);
    expect((await look()).note.step).toBe(0);
    expect((await look({ does: "promote", by: "omar", reason: "" })).words).toBe("canary 50 %: approved by omar");
    const over = await look({ does: "override", by: "omar", reason: "the holidays begin" });
    expect(over.words).toBe("live for everybody, proved: overridden by omar: the holidays begin");
    expect(await stage.serves()).toBe("1.1.0");

    stage.repository.release("1.2.0", "production");
    expect((await deploy(true)).receipt.outcome).toBe("live");
    await look();
    const ended = await look({ does: "abort", by: "lena", reason: "complaints" });
    expect(ended).toMatchObject({ verdict: "FAIL", words: "ended by lena: complaints" });
    expect(ended.note.ended?.by).toBe("lena");
    // After a restart as well: what has ended is begun by nobody.
    await restarted(stage);
    expect((await look()).words).toBe("ended by lena: complaints");
    expect(await traffic(20)).toEqual({ "1.1.0": 20 });
    expect(await stage.serves()).toBe("1.1.0");
  }, 120_000);

  it("is refused before anything is changed where it cannot stand beside what serves", async () => {
    const { stage, deploy } = await rolledOut(`{${steps}}`);
    const commits = stage.commits();
    await expect(deploy(true)).rejects.toThrow("the candidate is the version that serves already");
    expect(stage.commits()).toEqual(commits);
  }, 60_000);

  it("whose server has no room for the candidate is not live, and goes back", async () => {
    const { stage, deploy } = await rolledOut(`{memoryMb: 10}`);
    stage.repository.release("1.1.0", "candidate");
    const { receipt } = await deploy(true);
    expect(receipt.outcome).toBe("rolled-back");
    expect(receipt.reason).toMatch(/the candidate births 1\.1\.0 is refused: .*more than the bound of 10 MiB/);
    expect(await stage.serves()).toBe("1.0.0");
  }, 90_000);
});

/** Restarts the Space and waits until another process answers, with its candidate. */
async function restarted(stage: Stage): Promise<void> {
  const now = async () => {
    const answer = await fetch(`http://${stage.hub.domain}/models/births/rollout`);
    return (answer.ok ? await answer.json() : {}) as { instance?: string; candidate?: { state: string } };
  };
  const before = (await now()).instance;
  await stage.hub.space.restart(false);
  for (let i = 0; i < 400; i++) {
    const { instance, candidate } = await now();
    if (instance !== undefined && instance !== before && candidate?.state === "ready") return;
    await sleep(50);
  }
  throw new Error("the Space did not come back");
}
