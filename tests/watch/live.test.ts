import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { referenceCounts } from "../../models/profile/cells.ts";
import { mergeHours } from "../../models/profile/live.ts";
import { folderWith } from "../eval/dataset/build.ts";
import { sluice } from "../cli/sluice.ts";
import { gatedModel, riskManifest, riskRows, served, watched } from "./live-model.ts";

let dir = "";
beforeAll(async () => {
  ({ dir } = await gatedModel());
}, 60_000);

describe("a live model, through real HTTP", () => {
  it("that sees and answers what it was gated on is PASS, by labels too", async () => {
    const server = await served(dir);
    await server.ask(riskRows(3000, 2), { labelled: true });
    const { model } = await watched([server.url]);
    expect(model).toMatchObject({
      verdict: "PASS",
      window: { answered: 3000, refused: 0, instances: 1 },
      labels: [{ head: "risk", labelled: 3000, answered: 3000 }],
    });
    expect(model.checks.filter(({ group, verdict }) => group === "performance" && verdict === "PASS")).toHaveLength(2);
  });

  it("whose inputs alone drift stays PASS, and names them", async () => {
    const server = await served(dir);
    await server.ask(riskRows(2000, 3, { shift: 2.5 }));
    const { model } = await watched([server.url]);
    expect(model.verdict).toBe("PASS");
    expect(model.notes.join(" ")).toMatch(/Inputs drifted: .*row\.a/);
    expect(model.checks.find(({ id }) => id === "psi[row.a]")).toMatchObject({ verdict: "FAIL", advisory: true });
  });

  it("whose scores drift is FAIL, without a single label", async () => {
    const server = await served(dir);
    await server.ask(riskRows(2000, 4, { scoreShift: 2.5 }));
    const { model } = await watched([server.url]);
    expect(model.verdict).toBe("FAIL");
    expect(model.reason).toContain("risk.score: drift");
  });

  it("whose concept drifts is FAIL by its labels, although nothing else moves", async () => {
    const server = await served(dir);
    await server.ask(riskRows(3000, 5, { flipped: 0.35 }), { labelled: true });
    const { model } = await watched([server.url]);
    expect(model.verdict).toBe("FAIL");
    expect(model.reason).toMatch(/^accuracy of risk: /);
    expect(model.checks.filter(({ group, verdict }) => group === "answers" && verdict === "FAIL")).toEqual([]);
  });

  it("with too little traffic is INCONCLUSIVE", async () => {
    const server = await served(dir);
    await server.ask(riskRows(100, 6));
    const { model } = await watched([server.url]);
    expect(model).toMatchObject({ verdict: "INCONCLUSIVE", window: { answered: 100 } });
    expect(model.reason).toContain("at least 350 are needed");
  });

  it("whose rows suddenly lack a value, or are refused, is FAIL by data quality", async () => {
    const server = await served(dir);
    const rows = riskRows(2000, 7);
    await server.post("predict/batch", {
      rows: rows.map(({ row }, i) => (i % 5 === 0 ? { a: row.a, c: 0 } : i % 5 === 1 ? { ...row, a: 99 } : row)),
    });
    const { model } = await watched([server.url]);
    const verdicts = Object.fromEntries(model.checks.map(({ id, verdict }) => [id, verdict]));
    expect(verdicts).toMatchObject({ "rate[row.b missing]": "FAIL", "rate[rows refused]": "FAIL" });
    expect(model.checks.find(({ id }) => id === "rate[rows refused]")!.reason).toContain("400 outside");
  });

  it("adds up over a restart, and over replicas", async () => {
    const state = join(folderWith({}), "state.json");
    const first = await served(dir);
    await first.ask(riskRows(300, 8), { labelled: true });
    expect((await watched([first.url], { state })).model.verdict).toBe("INCONCLUSIVE");
    await first.stop();

    const second = await served(dir);
    const replica = await served(dir);
    await second.ask(riskRows(900, 9));
    await replica.ask(riskRows(700, 10));
    for (const _ of [1, 2]) {
      const { model } = await watched([second.url, replica.url], { state });
      expect(model).toMatchObject({
        verdict: "PASS",
        window: { answered: 1900, instances: 3 },
        labels: [{ labelled: 300, answered: 1900 }],
      });
    }
  });

  it("whose server does not answer is ERROR, and one without a profile INCOMPARABLE", async () => {
    expect((await watched(["http://127.0.0.1:9"])).verdict.verdict).toBe("ERROR");
    const bare = await served(
      folderWith({
        "model.yaml": stringify(riskManifest()),
        "linear.onnx": readFileSync(join(dir, "linear.onnx")),
      }),
    );
    expect((await watched([bare.url])).model).toMatchObject({ verdict: "INCOMPARABLE", checks: [] });
  });

  it("judges labels only after their horizon", async () => {
    const server = await served(dir);
    await server.ask(riskRows(1500, 11, { flipped: 0.35 }), { labelled: true });
    const policy = { labels: { horizonDays: 3 } };
    expect((await watched([server.url], { policy })).model).toMatchObject({
      verdict: "PASS",
      labels: [{ labelled: 0 }],
    });
    const later = new Date(Date.now() + 4 * 86_400_000);
    expect((await watched([server.url], { policy, now: later })).model.verdict).toBe("FAIL");
  });
});

describe("counts and profile", () => {
  it("are the same for the same rows: what the gate measured, the server counts", async () => {
    const server = await served(dir);
    await server.ask(riskRows(2000, 1), { labelled: true });
    const { hours, profile } = await server.counts();
    // A full hour may have begun meanwhile.
    const [all] = mergeHours([hours.map((one) => ({ ...one, hour: hours[0]!.hour }))]);
    expect(all!.counts).toEqual(profile!.variables.map(referenceCounts));
    const [head] = profile!.labels;
    expect(all!.labelled[0]).toEqual(
      head?.kind === "classes" ? [...head.confusion, ...head.positives!, ...head.negatives!] : [],
    );
  });

  it("never hold a value, and nothing of fewer than ten rows", async () => {
    const server = await served(dir);
    for (const { row } of riskRows(9, 12)) await server.post("predict", { ...row, c: 123.456 });
    await server.post("predict", { a: "a secret text", b: 1, c: 1 });
    const shown = await server.counts();
    expect(shown).toMatchObject({ hours: [{ answered: 9, refused: { other: 1 } }], pending: 0 });
    for (const { row } of riskRows(9, 13)) await server.post("predict", row);
    const again = await server.counts();
    expect(again).toMatchObject({ hours: [{ answered: 9 }], pending: 9 });
    expect(JSON.stringify(again)).not.toMatch(/secret|123\.456/);
  });
});

describe("the command", () => {
  it("writes report and verdict, and exits by the verdict", async () => {
    const server = await served(dir);
    await server.ask(riskRows(2000, 14, { scoreShift: 2.5 }));
    const at = folderWith({});
    const run = await sluice(at, [
      "watch",
      "risk",
      "--url",
      server.url,
      "--out",
      "out",
      "--state",
      "state.json",
      "--json",
    ]);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 1, stderr: "" });
    expect(JSON.parse(run.stdout)).toEqual(JSON.parse(readFileSync(join(at, "out/verdict.json"), "utf8")));
    expect(readFileSync(join(at, "out/report.md"), "utf8")).toContain("## ❌ Watch: FAIL");
    expect(readFileSync(join(at, "out/report.html"), "utf8")).toContain('aria-label="Shares of risk.score"');
    expect(readFileSync(join(at, "state.json"), "utf8")).not.toContain("row-1");
  });

  it.each([
    [["watch", "risk"], /where is risk served/],
    [["watch", "Risk!", "--url", "http://127.0.0.1:9"], /not a model's id/],
    [["watch", "risk", "--url", "nowhere"], /not a server/],
  ])("refuses %j", async (args, words) => {
    const { code, stderr } = await sluice(folderWith({}), args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(words) });
  });

  it("refuses a state file that is none", async () => {
    const server = await served(dir);
    const at = folderWith({ "state.json": '{"schemaVersion": 2}' });
    const { code, stderr } = await sluice(at, ["watch", "risk", "--url", server.url, "--state", "state.json"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("not the state of a watch") });
  });
});
