import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readZipEntry } from "../../../github/zip.ts";
import { addRun } from "../../../rehearsal/github/seeded/state.ts";
import { stories } from "../../eval/report/stories.ts";
import { ask, changes, remember, requireRemembered, world, type World } from "../harness.ts";
import { released } from "../released.ts";
import { zipOf } from "../zip.ts";

describe("reading a file from an archive of unknown origin", () => {
  const right = zipOf({ "report.md": "# x", "verdict.json": '{"a": 1}' });

  it("reads the file, whatever folder it is in", async () => {
    expect((await readZipEntry(right, "verdict.json", 100))?.toString()).toBe('{"a": 1}');
    expect((await readZipEntry(zipOf({ ".sluice/verdict.json": "{}" }), "verdict.json", 100))?.toString()).toBe("{}");
    expect(await readZipEntry(right, "metrics.json", 100)).toBeNull();
  });

  it("refuses wrong sizes, checksums and offsets, and inflates no more than allowed", async () => {
    const bomb = zipOf({ "verdict.json": Buffer.alloc(50_000_000) });
    expect(bomb.length).toBeLessThan(60_000);
    expect(await readZipEntry(bomb, "verdict.json", 1_000_000)).toBeNull();
    expect(
      await readZipEntry(zipOf({ "verdict.json": Buffer.alloc(5_000_000) }, { size: 10 }), "verdict.json", 1_000),
    ).toBeNull();
    for (const lie of [{ size: 3 }, { packed: 1e9 }, { checksum: 7 }, { offset: 1e9 }, { offset: 3 }])
      expect([lie, await readZipEntry(zipOf({ "verdict.json": "{}" }, lie), "verdict.json", 100)]).toEqual([lie, null]);
    for (const cut of [0, 10, 40, right.length - 1])
      expect(await readZipEntry(right.subarray(0, cut), "verdict.json", 100)).toBeNull();
  });

  it("never breaks on any bytes", async () => {
    const tooLong = await fc.check(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(right.length - 1), async (noise, from) => {
        const broken = Buffer.from(right);
        broken.set(noise.subarray(0, broken.length - from), from);
        const read = await readZipEntry(broken, "verdict.json", 100);
        return read === null || read.length <= 100;
      }),
      { numRuns: 2_000, seed: 7 },
    );
    expect(tooLong).toMatchObject({ failed: false });
  });
});

describe("verdicts of the branch and of open pull requests", () => {
  let here: World;

  beforeAll(async () => {
    here = await world({ config: { models: [{ id: "mood" }, { id: "births" }] } });
    released(here);
    const { workflows, pulls } = here.github.state;
    const artifact = (content: Parameters<typeof zipOf>[0]) => ({
      name: "sluice-gate-cpu-0",
      digest: `sha256:${"a".repeat(64)}`,
      zip: zipOf(content),
    });
    Object.assign(workflows.runs[0] as object, {
      artifacts: [artifact({ "verdict.json": JSON.stringify(stories.pass) })],
    });
    const open: [number, string, Parameters<typeof addRun>[1]][] = [
      [12, "b", { conclusion: "failure", artifacts: [artifact({ "verdict.json": JSON.stringify(stories.fail) })] }],
      [
        13,
        "c",
        {
          conclusion: "success",
          artifacts: [artifact({ "verdict.json": '{"schemaVersion": 1, "models": "<b>all of them</b>"}' })],
        },
      ],
      [14, "d", { status: "in_progress" }],
      [
        16,
        "f",
        {
          conclusion: "success",
          fork: "mallory",
          artifacts: [artifact({ "verdict.json": JSON.stringify(stories.pass) })],
        },
      ],
    ];
    for (const [number, letter, run] of open) {
      pulls.push({ number, head: `octo:topic-${number}`, headSha: letter.repeat(40) });
      addRun(workflows, {
        file: "gate.yml",
        name: "gate",
        sha: letter.repeat(40),
        branch: `topic-${number}`,
        event: "pull_request",
        actor: "octo",
        ...run,
      });
    }
    pulls.push({ number: 15, head: "octo:topic-15", headSha: "e".repeat(40) });
    await here.start();
  });
  afterAll(async () => {
    const { violations } = here.telegram;
    await here.close();
    expect(violations).toEqual([]);
    remember(here);
    requireRemembered();
  });

  it("/gates shows each model's verdict and its source; of an unreadable one, only the run's conclusion", async () => {
    const { text } = await ask(here, here.ana, "/gates");
    expect(text).toMatch(/main 1a2b3c4: mood 1\.1\.0 ✅ PASS, octo, 0 min ago \(verdict\.json of run 500\)/);
    expect(text).toMatch(/pull request 12 bbbbbbb: mood 1\.1\.0 ❌ FAIL, .* \(verdict\.json of run 501\)/);
    expect(text).toMatch(/pull request 13 ccccccc: ✅ success, .* \(the run's conclusion of run 502\)/);
    expect(text).toMatch(/pull request 14 ddddddd: ⏳ in_progress/);
    expect(text).not.toContain("pull request 15");
    expect(text).toMatch(/pull request 16 fffffff: ⚪ from a fork, see the gate's comment there/);
  });

  it("/gates MODEL adds the checks that decided, and the verdict of the last release", async () => {
    const { text } = await ask(here, here.ana, "/gates mood");
    expect(text).toMatch(/Last release\nmood 1\.1\.0: ✅ PASS \(receipt in the tag mood@\u200b1\.1\.0\)\nauroc +0\.92/);
    expect(text).toMatch(
      /Gates now\nmain 1a2b3c4: 1\.1\.0 ✅ PASS[\s\S]*pull request 12 bbbbbbb: 1\.1\.0 ❌ FAIL[\s\S]*What decided at 1a2b3c4\n/,
    );
  });

  it("/status names the source of each verdict", async () => {
    const { text } = await ask(here, here.ana, "/status");
    expect(text).toMatch(
      /mood: 1\.1\.0 ✅ PASS, .* \(Deployment 7001\)\n {2}main 1a2b3c4: 1\.1\.0 ✅ PASS, .*\(verdict\.json of run 500\)\n {2}pull request 12 bbbbbbb: 1\.1\.0 ❌ FAIL/,
    );
    expect(changes(here)).toEqual([]);
  });
});
