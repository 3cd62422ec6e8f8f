import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it, type TestContext, vi } from "vitest";
import { startHub, type StandInHub } from "../../rehearsal/hub/server.ts";
import { Stage, unpackDeployAction, type DeployAction, type StageOptions } from "./stage.ts";

// These tests start processes and may be slow on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

let action: DeployAction;
async function open({ onTestFinished }: TestContext, options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.open(action, options);
  onTestFinished(() => stage.finish());
  return stage;
}

beforeAll(async () => {
  action = await unpackDeployAction();
});
afterAll(() => {
  action.remove();
});

describe("a model that passed", () => {
  it.concurrent("is committed once, proved live and recorded; the second run commits nothing and proves again", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.repository.release("1.1.0", "candidate");
    const first = await stage.deploy();
    expect(first.log).toContain("live: births 1.1.0");
    expect(first.code).toBe(0);
    expect(first.outside).toEqual([]);
    expect(first.receipt).toMatchObject({
      outcome: "live",
      committed: true,
      space: "octo/births",
      serving: stage.hub.space.repository.head,
      proof: { rounds: 2, exact: true },
      tag: "births@1.1.0",
      notRecorded: [],
    });
    expect(first.summary).toContain("live and proved");
    const again = await stage.deploy();
    expect(again.code).toBe(0);
    expect(again.receipt).toMatchObject({ outcome: "live", committed: false });
    expect(stage.commits()).toEqual(["Deploy births 1.1.0"]);
    expect(await stage.serves()).toBe("1.1.0");
    expect(stage.tags()).toEqual(["births@1.1.0"]);
    expect(stage.inProduction()).toEqual([`1.1.0 of ${first.receipt!.deployed.source.commit}`]);
    expect(stage.records()).toEqual(["births-production deploy 1.1.0: in_progress success in_progress success"]);
  });

  it.concurrent("is live though its tags are refused, says what to do, and is tagged by the next run", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.repository.release("1.1.0", "candidate");
    // A ruleset for refs/tags/*@* without a bypass for the job. The first ref is the lock.
    const message = "Repository rule violations found\n\nCannot create ref due to creations being restricted.";
    stage.github.state.faults.push({
      method: "POST",
      path: /\/git\/refs$/,
      skip: 1,
      times: 2,
      does: { kind: "answer", status: 422, message },
    });
    const first = await stage.deploy();
    expect(first.code).toBe(5);
    expect(first.receipt).toMatchObject({ outcome: "live", committed: true, tag: null, rolledBackTo: null });
    expect(first.receipt!.notRecorded).toEqual([
      expect.stringMatching(/^the tag births@1\.1\.0 could not be written \(.*creations being restricted/s),
      expect.stringMatching(/let the job create tags births-production@\*, then run this again \(.*restricted/s),
    ]);
    expect([await stage.serves(), stage.inProduction()]).toEqual(["1.1.0", []]);
    const again = await stage.deploy();
    expect(again.code).toBe(0);
    expect(again.receipt).toMatchObject({ outcome: "live", committed: false, tag: "births@1.1.0" });
    expect(stage.inProduction()).toEqual([`1.1.0 of ${first.receipt!.deployed.source.commit}`]);
  });

  it.concurrent("signs in by trusted publishing, and its token goes to the Hub alone", async (test) => {
    const { expect } = test;
    const stage = await open(test, { trusted: true });
    stage.repository.release("1.1.0", "candidate");
    const run = await stage.deploy();
    expect(run.log).toContain("sign in: with trusted publishing");
    expect(run.code).toBe(0);
    expect(stage.hub.issued).toHaveLength(1);
    expect(stage.hub.probes.every(({ authorization }) => authorization === null)).toBe(true);
    expect(
      stage.hub.transcript
        .filter(({ path }) => path.startsWith("/lfs-upload/"))
        .every(({ authorization }) => authorization === null),
    ).toBe(true);
  });

  it.concurrent("shows its token to the app of a private Space only", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.hub.space.private = true;
    stage.repository.release("1.1.0", "candidate");
    expect((await stage.deploy()).code).toBe(0);
    expect(new Set(stage.hub.probes.map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${stage.hub.options.token}`]),
    );
  });

  it.concurrent("asks for a fresh ID token when the exchange fails once, and falls back to HF_TOKEN when it keeps failing", async (test) => {
    const { expect } = test;
    const stage = await open(test, { trusted: true });
    stage.repository.release("1.1.0", "candidate");
    stage.hub.faults.push({
      path: /^\/oauth\/token$/,
      times: 1,
      fault: {
        kind: "status",
        status: 400,
        body: { error: "invalid_grant", error_description: "try again" },
        effect: false,
      },
    });
    expect((await stage.deploy({ "dry-run": "true" })).code).toBe(0);
    expect(Object.keys(stage.github.state.oidc.issued)).toHaveLength(2);
    stage.hub.faults.push({
      path: /^\/oauth\/token$/,
      times: 99,
      fault: { kind: "status", status: 500, effect: false },
    });
    const run = await stage.deploy({ "hf-token": "hf_testtoken", "dry-run": "true" });
    expect(run.log).toContain("HF_TOKEN is used instead");
    expect(run.code).toBe(0);
  });

  it.concurrent("is planned by a dry run that changes nothing", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.repository.release("1.1.0", "candidate");
    const run = await stage.deploy({ "dry-run": "true" });
    expect(run.code).toBe(0);
    expect(run.receipt?.outcome).toBe("planned");
    expect(run.log).toMatch(/commit once on top of \w{7}: \d+ files/);
    expect(run.log).toContain("+ models/births/model.onnx");
    expect(stage.commits()).toEqual([]);
    const writes = [...stage.hub.transcript, ...stage.github.transcript].filter(({ method }) => method !== "GET");
    expect(writes).toEqual([]);
  });

  it.concurrent("is not rolled back by a dry run, which says what it would do", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.repository.release("1.0.0", "production");
    await stage.deploy();
    stage.repository.release("1.1.0", "candidate");
    await stage.deploy();
    const writes = () =>
      [...stage.hub.transcript, ...stage.github.transcript].filter(({ method }) => method !== "GET").length;
    const before = writes();
    const run = await stage.deploy({ version: "previous", "dry-run": "true" });
    expect(run.receipt?.outcome).toBe("planned");
    expect(run.log).toMatch(/back to births 1\.0\.0 on octo\/births/);
    expect([run.code, writes()]).toEqual([0, before]);
    expect(await stage.serves()).toBe("1.1.0");
  });

  it.concurrent("goes to staging and to production with the same bytes", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    // sluice.yaml names both Spaces; each has a Hub of its own here.
    const staging = await startHub("octo/births-staging");
    test.onTestFinished(() => staging.close());
    stage.repository.release("1.1.0", "candidate");
    expect((await stage.deploy({ space: "none", bundle: "out/tree" })).receipt?.outcome).toBe("bundled");
    const first = await stage.deploy({ bundle: "out/tree", environment: "staging" }, { HF_ENDPOINT: staging.url });
    expect(first.receipt).toMatchObject({ outcome: "live", space: "octo/births-staging", committed: true });
    expect([stage.tags(), stage.inProduction()]).toEqual([["births@1.1.0"], []]);
    const second = await stage.deploy({ bundle: "out/tree" });
    expect(second.receipt).toMatchObject({
      outcome: "live",
      space: "octo/births",
      committed: true,
      deployed: first.receipt!.deployed,
    });
    expect(second.code).toBe(0);
    const treeOf = ({ space: { repository } }: StandInHub) =>
      [...repository.commit("main")!.tree].map(([path, { oid, lfs }]) => [path, lfs?.oid ?? oid]).sort();
    expect(treeOf(stage.hub)).toEqual(treeOf(staging));
    expect(stage.records()).toEqual([
      "births-staging deploy 1.1.0: in_progress success",
      "births-production deploy 1.1.0: in_progress success",
    ]);
    expect(stage.tags()).toEqual(["births@1.1.0"]);
    expect(stage.inProduction()).toEqual([`1.1.0 of ${first.receipt!.deployed.source.commit}`]);
    stage.repository.write("out/tree/server/main.js", "tampered");
    const tampered = await stage.deploy({ bundle: "out/tree" });
    expect(tampered.log).toContain("the file was changed since the tree was made");
    expect(tampered.code).toBe(2);
    rmSync(join(stage.repository.dir, "out"), { recursive: true });
  });
});

describe("a Space that needs help", () => {
  it.concurrent("is woken once when it sleeps", async (test) => {
    const { expect } = test;
    const stage = await open(test);
    stage.repository.release("1.1.0", "candidate");
    await stage.deploy();
    await stage.hub.space.fallAsleep();
    const run = await stage.deploy();
    expect(run.log).toContain("the Space is sleeping; restarting it");
    expect(run.code).toBe(0);
    expect(stage.hub.space.restarts).toBe(1);
  });

  it.concurrent.for(["until-restart", "until-factory"] as const)(
    "that shows the old revision %s gets one",
    async (kind, test) => {
      const { expect } = test;
      const stage = await open(test, {
        hub: { behaviour: { stalls: (deployed) => (deployed?.model?.version === "1.1.0" ? kind : "never") } },
      });
      stage.repository.release("1.0.0", "production");
      await stage.deploy();
      stage.repository.release("1.1.0", "candidate");
      const run = await stage.deploy();
      expect(run.code).toBe(0);
      expect([stage.hub.space.restarts, stage.hub.space.factoryRebuilds]).toEqual(
        kind === "until-restart" ? [1, 0] : [1, 1],
      );
      expect(await stage.serves()).toBe("1.1.0");
    },
  );

  it.concurrent("is only waited for, with a note, if this token may not restart it", async (test) => {
    const { expect } = test;
    const stage = await open(test, {
      trusted: true,
      hub: { publisherMay: { restart: false }, behaviour: { lagMs: 900 } },
    });
    stage.repository.release("1.0.0", "production");
    await stage.deploy();
    stage.repository.release("1.1.0", "candidate");
    const run = await stage.deploy({ settings: "stall-after=0.2" });
    expect(run.log).toContain("this token may not restart the Space");
    expect(run.code).toBe(0);
  });
});

it.concurrent("large weights go up in parts; a truncated answer, a rate limit, a lost answer to the commit and stale reads of HEAD lead to one commit", async (test) => {
  const { expect } = test;
  const stage = await open(test, { hub: { multipartBytes: 20_000, staleReads: 2 } });
  stage.repository.release("1.1.0", "candidate");
  stage.hub.faults.push(
    { method: "POST", path: /\/commit\/main$/, times: 1, fault: { kind: "reset", effect: true } },
    { path: /\/tree\//, times: 1, fault: { kind: "truncate" } },
    {
      path: /\/preupload\//,
      times: 1,
      fault: {
        kind: "status",
        status: 429,
        headers: { "retry-after": "0", ratelimit: '"api";r=0;t=0' },
        effect: false,
      },
    },
  );
  const run = await stage.deploy();
  expect(run.code).toBe(0);
  expect(stage.hub.transcript.filter(({ path }) => /\/part\/\d+$/.test(path)).length).toBeGreaterThan(2);
  expect(stage.commits()).toEqual(["Deploy births 1.1.0"]);
});
